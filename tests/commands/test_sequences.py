"""The main job on a MOTChallenge sequence without images: as quick as its boxes, or refused."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.commands import main
from mot_dinov3.config import (
    DetectorConfig,
    EmbedderConfig,
    MotionConfig,
    SourceConfig,
    TrackConfig,
)
from mot_dinov3.errors import UsageError
from mot_dinov3.io.formats.mot import read_mot
from mot_dinov3.io.read.sources import open_source
from mot_dinov3.runs.library.video import iterate
from mot_dinov3.runs.session import require_pixels

FRAMES, FPS = 12, 20


@pytest.fixture
def sequence(tmp_path):
    """What `peer_accuracy.py --export` writes: seqinfo.ini and det.txt side by side."""
    (tmp_path / "seqinfo.ini").write_text(
        f"[Sequence]\nname=walk\nframeRate={FPS}\nseqLength={FRAMES}\nimWidth=1920\nimHeight=1080\n"
    )
    rows = [f"{f},-1,{10 * f},{y},50,100,0.9" for f in range(1, FRAMES + 1) for y in (20, 300)]
    (tmp_path / "det.txt").write_text("\n".join(rows))
    return tmp_path


def settings(sequence, **stages):
    ready = {
        "source": SourceConfig(source=f"mot:{sequence}"),
        "detector": DetectorConfig(det=f"mot:{sequence / 'det.txt'}"),
        "embedder": EmbedderConfig(embedder="none"),
    }
    return TrackConfig(**{**ready, **stages})


def test_the_command_tracks_every_frame_of_the_stored_boxes(sequence, tmp_path):
    words = ["--source", f"mot:{sequence}", "--det", f"mot:{sequence / 'det.txt'}", "--no-video"]
    out = tmp_path / "out.txt"
    assert main([*words, "--embedder", "none", "--save-mot", str(out), "-q"]) == 0
    table = read_mot(out)
    assert set(table.track_id.tolist()) == {1, 2}
    assert table.frame_index.max() == FRAMES - 1


def test_times_follow_the_frame_rate(sequence):
    times = [result.time_s for result in iterate(settings(sequence))]
    np.testing.assert_allclose(times, np.arange(FRAMES) / FPS)


@pytest.mark.parametrize(
    ("stages", "blind", "instead"),
    [
        ({"embedder": EmbedderConfig("dino")}, "--embedder dino", "Give --embedder none,"),
        ({"detector": DetectorConfig("motion")}, "--det motion", "Give --det mot:FILE,"),
        (
            {"detector": DetectorConfig("yolov8n.pt"), "embedder": EmbedderConfig("clip")},
            "--det yolov8n.pt and --embedder clip",
            "Give --det mot:FILE --embedder none,",
        ),
        ({"motion": MotionConfig(cmc="flow")}, "--cmc flow", r"Give --cmc none (or file:FILE),"),
    ],
)
def test_what_looks_at_pictures_is_refused(sequence, stages, blind, instead):
    config = settings(sequence, **stages)
    with pytest.raises(UsageError, match=f"'walk' has no images for {blind} to look at") as caught:
        next(iterate(config))
    assert instead in caught.value.fix


def test_a_source_with_pictures_may_be_looked_at(sequence):
    with open_source(SourceConfig(source=f"mot:{sequence}")) as reader:
        blank = reader.info
    seen = type(blank)(blank.name, 64, 48, 20.0, 1, is_live=False, path=None)
    require_pixels(TrackConfig(), seen)


def test_the_command_line_says_it_in_two_lines(sequence, capsys):
    assert main(["--source", f"mot:{sequence}", "--no-video"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize("length", [FRAMES, FRAMES - 2])
def test_detections_that_go_on_after_the_end_are_told(sequence, capsys, length):
    ini = (sequence / "seqinfo.ini").read_text()
    (sequence / "seqinfo.ini").write_text(ini.replace(f"seqLength={FRAMES}", f"seqLength={length}"))
    words = ["--source", f"mot:{sequence}", "--det", f"mot:{sequence / 'det.txt'}", "--no-video"]
    assert main([*words, "--embedder", "none"]) == 0
    told = "4 boxes lie after the last frame of 'walk', 10" in capsys.readouterr().err
    assert told == (length < FRAMES)


def test_a_single_one_is_told_in_the_singular(sequence, capsys):
    rows = (sequence / "det.txt").read_text().splitlines()
    (sequence / "det.txt").write_text("\n".join([*rows, f"{FRAMES + 1},-1,9,9,20,40,0.9"]) + "\n")
    words = ["--source", f"mot:{sequence}", "--det", f"mot:{sequence / 'det.txt'}", "--no-video"]
    assert main([*words, "--embedder", "none"]) == 0
    said = capsys.readouterr().err
    assert f"1 box lies after the last frame of 'walk', {FRAMES}, and is not used." in said


def test_boxes_can_be_drawn_on_black(sequence, tmp_path):
    words = ["--source", f"mot:{sequence}", "--det", f"mot:{sequence / 'det.txt'}", "-q"]
    video = tmp_path / "out.mp4"
    assert main([*words, "--embedder", "none", "--output", str(video)]) == 0
    with open_source(SourceConfig(source=str(video))) as reader:
        frames = list(reader)
    assert len(frames) == FRAMES
    assert 0 < (frames[-1].image > 100).mean() < 0.1
