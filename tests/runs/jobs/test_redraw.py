"""Outputs made again from a journal: the very bytes of the run, and nothing destroyed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import Clip, make_clip, read_back
from helpers.jobs import make_scene, tiny_onnx
from mot_dinov3.config import (
    DetectorConfig,
    DeviceConfig,
    DrawConfig,
    EmbedderConfig,
    OutputConfig,
    SchedulerConfig,
    SourceConfig,
    TrackConfig,
)
from mot_dinov3.errors import InputError, OutputError, UsageError
from mot_dinov3.runs.jobs.job import run_job
from mot_dinov3.runs.jobs.redraw import redraw

LOUD = DrawConfig(draw_lost=True, line_thickness=5, font_scale=0.9, hud=True)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A clip with sound and people who are missed now and then, and an embedder."""
    directory = make_scene(tmp_path_factory.mktemp("scene"))
    make_clip(directory / "clip.mp4", Clip(frames=30, size=(160, 120), audio="aac"))
    rows = (directory / "det.txt").read_text().splitlines()
    kept = [row for number, row in enumerate(rows) if number % 9 != 8]
    (directory / "det.txt").write_text("\n".join(kept) + "\n")
    tiny_onnx(directory / "mean.onnx")
    return directory


def outputs(directory, **more):
    names = {"output": "o.mp4", "save_mot": "o.txt", "save_csv": "o.csv", "save_crops": "crops",
             "save_coco": "o.json", "save_cvat": "o.xml"}  # fmt: skip
    known = {key: str(directory / name) for key, name in names.items()}
    return OutputConfig(**{**known, **more})


def tracked(scene, directory, source=None, draw=None, conf=0.25, **more):
    """Track the scene into `directory`; the configuration that did it."""
    config = TrackConfig(
        source=replace(source or SourceConfig(), source=str(scene / "clip.mp4")),
        detector=DetectorConfig(det=f"mot:{scene / 'det.txt'}", conf=conf),
        device=DeviceConfig(device="cpu", backend="onnx"),
        embedder=EmbedderConfig(embedder="onnx", embed_model=str(scene / "mean.onnx")),
        scheduler=SchedulerConfig(embed_policy="continuity", budget_ms=0.01),
        draw=draw or DrawConfig(),
        output=outputs(directory, save_jsonl=str(directory / "o.jsonl"), **more),
    )
    run_job(config)
    return config


def redrawn(config, directory, journal, **more):
    """Make the outputs again: the source's path and `--fps` are all that is told of the source."""
    source = SourceConfig(source=config.source.source, fps=config.source.fps)
    again = TrackConfig(source=source, draw=config.draw, output=outputs(directory, **more))
    return redraw(again, journal)


def tree(directory, without=".jsonl"):
    files = [path for path in directory.rglob("*") if path.is_file() and path.suffix != without]
    return {str(path.relative_to(directory)): path.read_bytes() for path in sorted(files)}


@pytest.mark.parametrize(
    ("source", "draw"),
    [
        (SourceConfig(), DrawConfig()),
        (SourceConfig(), LOUD),
        (SourceConfig(start_frame=3, vid_stride=2), LOUD),
        (SourceConfig(max_frames=9), DrawConfig()),
        (SourceConfig(end_frame=20, fps=7.5), DrawConfig(line_thickness=1)),
        (SourceConfig(max_frames=1), DrawConfig()),
    ],
    ids=["plain", "loud", "stride", "first", "rate", "one"],
)
def test_everything_comes_out_as_the_run_wrote_it(scene, tmp_path, source, draw):
    (tmp_path / "a").mkdir()
    config = tracked(scene, tmp_path / "a", source, draw)
    result = redrawn(config, tmp_path / "b", tmp_path / "a" / "o.jsonl")
    assert result.exit_code == 0
    assert any(name.startswith("crops/") for name in tree(tmp_path / "a"))
    assert tree(tmp_path / "b") == tree(tmp_path / "a")
    assert sorted(Path(path).name for path in result.written) == [
        "crops", "o.csv", "o.json", "o.mp4", "o.txt", "o.xml",
    ]  # fmt: skip


@pytest.mark.parametrize("conf", [0.25, 0.95])
def test_blurred_people_and_trails_come_out_as_the_run_drew_them(scene, tmp_path, conf, caplog):
    (tmp_path / "a").mkdir()
    looks = DrawConfig(blur="boxes", trails=0.5, style="ellipse", labels="score")
    config = tracked(scene, tmp_path / "a", draw=looks, save_crops="", conf=conf)
    redrawn(config, tmp_path / "b", tmp_path / "a" / "o.jsonl", save_crops="")
    assert tree(tmp_path / "b") == tree(tmp_path / "a")
    assert "blurred" not in caplog.text
    config = tracked(scene, tmp_path / "c", conf=conf)
    redrawn(replace(config, draw=looks), tmp_path / "d", tmp_path / "c" / "o.jsonl", save_crops="")
    assert ("they are not blurred" in caplog.text) is (conf > 0.9)


def test_pictures_of_people_who_are_blurred_are_not_cut(scene, tmp_path):
    config = tracked(scene, tmp_path)
    blurred = replace(config, draw=DrawConfig(blur="heads"))
    said = refused(
        UsageError, blurred, tmp_path / "o.jsonl", no_video=True, save_crops=str(tmp_path / "new")
    )
    assert "--save-crops writes the pictures of people that --blur hides" in said


def test_other_flags_give_another_picture(scene, tmp_path):
    (tmp_path / "a").mkdir()
    config = tracked(scene, tmp_path / "a")
    redrawn(replace(config, draw=LOUD), tmp_path / "b", tmp_path / "a" / "o.jsonl")
    quiet, loud = read_back(tmp_path / "a" / "o.mp4"), read_back(tmp_path / "b" / "o.mp4")
    assert [time_s for time_s, _ in quiet] == [time_s for time_s, _ in loud]
    assert np.abs(quiet[0][1].astype(int) - loud[0][1]).mean() > 5


def test_the_journal_of_a_killed_run_is_enough_for_its_frames(scene, tmp_path, caplog):
    (tmp_path / "a").mkdir()
    config = tracked(scene, tmp_path / "a")
    lines = (tmp_path / "a" / "o.jsonl").read_bytes().splitlines(keepends=True)
    half = tmp_path / "half.partial.jsonl"
    half.write_bytes(b"".join(lines[:17]) + lines[17][:50])
    assert redrawn(config, tmp_path / "b", half).exit_code == 0
    assert "ends in the middle of a line" in caplog.text
    assert "17 whole frames" in caplog.text
    whole, part = read_back(tmp_path / "a" / "o.mp4"), read_back(tmp_path / "b" / "o.mp4")
    assert len(part) == 17
    assert part[16][0] == whole[16][0]
    mot = (tmp_path / "a" / "o.txt").read_text().splitlines()
    kept = [line for line in mot if int(line.split(",")[0]) <= 17]
    assert (tmp_path / "b" / "o.txt").read_text().splitlines() == kept


def refused(kind, config, journal, **output):
    config = replace(config, output=OutputConfig(**output))
    with pytest.raises(kind) as caught:
        redraw(config, journal)
    return str(caught.value)


def test_nothing_that_is_read_is_written(scene, tmp_path):
    config = tracked(scene, tmp_path)
    journal = tmp_path / "o.jsonl"
    before = tree(tmp_path, without="")
    clip = config.source.source
    assert "is the input itself" in refused(
        OutputError, config, journal, no_video=True, save_csv=str(journal)
    )
    assert "is the input itself" in refused(OutputError, config, journal, output=clip)
    assert "leaves nothing to write" in refused(UsageError, config, journal, no_video=True)
    assert "--no-clobber" in refused(
        OutputError, config, journal, output=str(tmp_path / "o.mp4"), no_clobber=True
    )
    assert "not empty" in refused(
        OutputError, config, journal, no_video=True, save_crops=str(tmp_path / "crops")
    )
    assert tree(tmp_path, without="") == before


def test_a_journal_of_another_video_leaves_outputs_alone(scene, tmp_path):
    config = tracked(scene, tmp_path)
    before = tree(tmp_path)
    make_clip(tmp_path / "small.mp4", Clip(frames=30, size=(64, 48)))
    other = replace(config, source=SourceConfig(source=str(tmp_path / "small.mp4")))
    old = {"output": str(tmp_path / "o.mp4"), "save_csv": str(tmp_path / "o.csv")}
    what = refused(InputError, other, tmp_path / "o.jsonl", **old)
    assert "is about a picture of 160x120 pixels" in what
    lines = (tmp_path / "o.jsonl").read_text().splitlines(keepends=True)
    far = tmp_path / "far.jsonl"
    far.write_text("".join(lines[:-1]) + lines[-1].replace('"frame":29', '"frame":9000'))
    what = refused(InputError, config, far, **old)
    assert "goes on to frame 9000" in what
    bad = tmp_path / "bad.jsonl"
    bad.write_text("".join(lines[:5]) + "{]\n")
    assert "line 6: is not JSON" in refused(InputError, config, bad, **old)
    (tmp_path / "small.mp4").unlink()
    assert tree(tmp_path) == before


def test_a_video_that_ends_sooner_keeps_what_was_drawn(scene, tmp_path):
    config = tracked(scene, tmp_path)
    make_clip(tmp_path / "short.mp4", Clip(frames=12, size=(160, 120)))
    short = replace(config, source=SourceConfig(source=str(tmp_path / "short.mp4")))
    what = refused(InputError, short, tmp_path / "o.jsonl", output=str(tmp_path / "x.mp4"))
    assert "line 13 is about frame 12, but" in what
    assert "ends with 11" in what
    assert len(read_back(tmp_path / "x.mp4")) == 12


@pytest.mark.parametrize("source", ["mot:{}", "rtsp://127.0.0.1:1/x"])
def test_a_source_without_pictures_is_refused(scene, tmp_path, source):
    config = tracked(scene, tmp_path)
    sequence = tmp_path / "seq"
    sequence.mkdir()
    (sequence / "seqinfo.ini").write_text(
        "[Sequence]\nname=seq\nframeRate=25\nseqLength=30\nimWidth=160\nimHeight=120\n"
    )
    blind = replace(config, source=SourceConfig(source=source.format(sequence)))
    kind = UsageError if source.startswith("mot") else InputError
    what = refused(kind, blind, tmp_path / "o.jsonl", output=str(tmp_path / "x.mp4"))
    assert "no images" in what or "cannot be opened" in what
