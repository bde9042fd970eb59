"""A run that was killed goes on, and its outputs do not show it."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from helpers.clips import Clip, make_clip, read_back
from helpers.jobs import cli, make_scene, replay, start
from mot_dinov3.runs.resume.contents import read_contents
from mot_dinov3.runs.resume.journal import RunJournal
from mot_dinov3.runs.resume.records import read_records

OUTPUTS = ("--output", "o.mp4", "--save-mot", "o.txt", "--save-jsonl", "o.jsonl",
           "--save-trace", "o.trace", "--save-csv", "o.csv", "--stats-json", "s.json")  # fmt: skip
TIMES = ("stage_ms", "latency_ms", "fps", "embed_ms", "critical_ms", "predicted_ms", "ms")
JOURNAL = Path(".o.mp4.journal")
BATCH = ("--source", "one.mp4", "--source", "two.mp4", "--det", "motion", "--cpu", "--embedder",
         "none", "--no-video", "--save-mot", "out/{name}.txt")  # fmt: skip
STREET = ("--source", "synthetic:street", "--det", "demo", "--imgsz", "320", "--embed-model",
          "demo", "--max-frames", "24", "--cpu", "--save-embeddings", "o.npz")  # fmt: skip


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def outcome(directory):
    """Everything a run wrote but times: text as text, pictures as pixels."""
    out = {
        name: [
            without_times(json.loads(line)) for line in (directory / name).read_text().splitlines()
        ]
        for name in ("o.jsonl", "o.trace")
    }
    with av.open(str(directory / "o.mp4")) as container:
        out["sound"] = [bytes(p) for s in container.streams.audio for p in container.demux(s)]
    out["video"] = [(time_s, image.tobytes()) for time_s, image in read_back(directory / "o.mp4")]
    out |= {name: (directory / name).read_text() for name in ("o.txt", "o.csv")}
    if (directory / "o.npz").exists():
        with np.load(directory / "o.npz") as arrays:
            out["vectors"] = {name: arrays[name].tobytes() for name in arrays.files}
    return out


def cut_after(path, frames):
    ends = [record.end for record in read_records(path) if record.kind == b"F"]
    path.write_bytes(path.read_bytes()[: ends[frames - 1] + 5])  # and half a head


@pytest.fixture
def killed_after(track, tmp_path, monkeypatch):
    """Run a command to its end, put its journal back as if it was killed: the whole outcome."""

    def run(frames, *words):
        with monkeypatch.context() as patch:
            patch.setattr(RunJournal, "finish", lambda *args, **more: None)
            code, err = track(*words, *OUTPUTS)
        assert code == 0, err
        whole = outcome(tmp_path)
        for path in tmp_path.glob("o.*"):
            path.unlink()
        cut_after(tmp_path / JOURNAL, frames)
        return whole

    return run


WAYS = {
    "crops": ("--embed-budget-crops", "2"),
    "unlimited": (),
    "hints": ("--cheap-evidence", "detector"),
    "neck": ("--embedder", "detector", "--embed-model", "", "--embed-budget-crops", "1"),
    "flow": ("--cmc", "flow", "--vid-stride", "2", "--no-overlap"),
    "search": ("--det-every", "2", "--rescue", "--rescue-budget-ms", "0"),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_comes_out_is_what_the_uninterrupted_run_writes(track, tmp_path, killed_after, way):
    words = (*STREET, *WAYS[way])
    whole = killed_after(9, *words)
    code, err = track(*words, *OUTPUTS, "--resume")
    assert code == 0, err
    assert "Goes on after 9 frames of the unfinished run; the rest of its journal" in err
    assert json.loads((tmp_path / "s.json").read_text())["resumed_frames"] == 9
    assert outcome(tmp_path) == whole


SEARCHING = {
    "every third": ("--det-every", "3"),
    "when it pays": ("--det-every", "auto", "--rescue", "--rescue-budget-ms", "0"),
    "seldom": ("--det-every", "7", "--embedder", "none", "--cmc", "flow", "--save-searched"),
}
"""Ways whose decisions do not follow the clock: boxes are stored and rescue has no limit."""


@pytest.mark.parametrize("way", SEARCHING)
@pytest.mark.parametrize("frames", [8, 20])
def test_a_search_goes_on_as_if_nothing_had_happened(
    track, scene, tmp_path, killed_after, way, frames
):
    words = replay(scene, *SEARCHING[way])
    whole = killed_after(frames, *words)
    states = {row["state"] for line in whole["o.jsonl"] for row in line["tracks"]}
    assert "searched" in states
    code, err = track(*words, *OUTPUTS, "--resume")
    assert code == 0, err
    assert f"Goes on after {frames} frames of the unfinished run" in err
    assert outcome(tmp_path) == whole


def test_a_background_is_learned_again(track, scene, tmp_path, killed_after):
    words = replay(scene, "--det", "motion")
    whole = killed_after(20, *words)
    assert track(*words, *OUTPUTS, "--resume")[0] == 0
    assert outcome(tmp_path) == whole


def test_the_models_rest_while_the_journal_is_told(track, tmp_path, killed_after, monkeypatch):
    from mot_dinov3.perception.detectors.yolo import YoloDetector

    killed_after(20, *STREET)
    asked, detect = [], YoloDetector.detect

    def counted(self, frame):
        asked.append(frame.index)
        return detect(self, frame)

    monkeypatch.setattr(YoloDetector, "detect", counted)
    assert track(*STREET, *OUTPUTS, "--resume")[0] == 0
    assert asked == [20, 21, 22, 23]


def test_sound_comes_along(track, tmp_path, killed_after):
    make_clip(tmp_path / "sound.mp4", Clip(frames=30, audio="aac"))
    words = ("--source", "sound.mp4", "--det", "motion", "--embedder", "none", "--cpu")
    whole = killed_after(12, *words)
    assert track(*words, *OUTPUTS, "--resume")[0] == 0
    assert len(whole["sound"]) > 50
    assert outcome(tmp_path) == whole


@pytest.fixture(scope="module")
def long_scene(tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("long"), 700)


def stop_at(process, journal, frames, number):
    """Send a signal once the journal holds so many frames."""
    for _ in range(3000):
        if journal.exists() and read_contents(journal).frames >= frames:
            break
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    return err


@pytest.mark.slow
def test_killed_and_killed_again(long_scene, tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    words = replay(long_scene, *OUTPUTS)
    assert cli(*words, "--resume", cwd=whole)[0] == 0
    for frames, number in ((150, signal.SIGKILL), (250, signal.SIGTERM), (400, signal.SIGKILL)):
        err = stop_at(start(*words, "--resume", cwd=tmp_path), tmp_path / JOURNAL, frames, number)
        said = "the same command with --resume goes on from there" in err
        assert said == (number != signal.SIGKILL)
    code, _, err = cli(*words, "--resume", cwd=tmp_path)
    assert code == 0, err
    assert "Goes on after 4" in err
    assert outcome(tmp_path) == outcome(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["whole", *(path.name for path in whole.iterdir())]
    )
    before = {path: path.stat() for path in tmp_path.iterdir()}
    code, _, err = cli(*words, "--resume", cwd=tmp_path)
    *_, last = err.splitlines()
    assert (code, last) == (0, "Nothing to resume: this run has ended, and its outputs are there.")
    assert {path: path.stat().st_mtime_ns for path in before} == {
        path: stat.st_mtime_ns for path, stat in before.items()
    }


def test_what_is_drawn_and_written_may_change(track, scene, tmp_path, killed_after):
    words = replay(scene)
    killed_after(20, *words)
    (tmp_path / "s.json").unlink()
    code, err = track(*words, "--output", "o.mp4", "--hud", "--save-mot", "else.txt", "--resume")
    assert code == 0, err
    assert "Goes on after 20 frames" in err
    assert (tmp_path / "else.txt").exists()


def test_a_source_that_was_moved_is_still_the_source(track, scene, tmp_path, killed_after):
    killed_after(20, *replay(scene))
    moved = tmp_path / "moved.mp4"
    moved.write_bytes((scene / "clip.mp4").read_bytes())
    words = ["moved.mp4" if str(word).endswith("clip.mp4") else word for word in replay(scene)]
    code, err = track(*words, *OUTPUTS, "--resume")
    assert code == 0, err
    assert "Goes on after 20 frames" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--conf", "0.5"), "--conf was 0.3"),
        (("--max-lost", "9"), "--max-lost was 1.8"),
        (("--min-hits", "5"), "--min-hits was 2"),
        (("--vid-stride", "2"), "--vid-stride was 1"),
    ],
)
def test_other_flags_are_refused(track, scene, tmp_path, killed_after, words, said):
    killed_after(20, *replay(scene))
    before = (tmp_path / JOURNAL).read_bytes()
    code, err = track(*replay(scene, *words), *OUTPUTS, "--resume")
    assert code == 2
    assert f"error: The unfinished run of 'o.mp4' was another one: {said}" in err
    assert len([line for line in err.splitlines() if "--save-trace does nothing" not in line]) == 2
    assert (tmp_path / JOURNAL).read_bytes() == before


def test_other_boxes_and_other_sources_are_refused(track, scene, tmp_path, killed_after):
    killed_after(20, *replay(scene))
    other = tmp_path / "other"
    other.mkdir()
    make_scene(other, 31)
    code, err = track(*replay(other), *OUTPUTS, "--resume")
    assert code == 2
    assert "was another one: another source;" in err
    (other / "clip.mp4").write_bytes((scene / "clip.mp4").read_bytes())
    code, err = track(*replay(other), *OUTPUTS, "--resume")
    assert code == 2
    assert "--det was mot:" in err
    boxes = (scene / "det.txt").read_text()
    try:
        (scene / "det.txt").write_text(boxes.replace("0.9", "0.95"))
        code, err = track(*replay(scene), *OUTPUTS, "--resume")
    finally:
        (scene / "det.txt").write_text(boxes)
    assert code == 2
    assert "was another one: other boxes of --det." in err


def test_a_frame_that_was_changed_is_refused(track, tmp_path, killed_after):
    (tmp_path / "in").mkdir()
    for number in range(12):
        image = np.full((60, 80, 3), 20 + number, np.uint8)
        cv2.imwrite(str(tmp_path / "in" / f"{number:03d}.bmp"), image)
    words = ("--source", "in", "--det", "motion", "--embedder", "none", "--cpu")
    killed_after(9, *words)
    cv2.imwrite(str(tmp_path / "in" / "005.bmp"), np.zeros((60, 80, 3), np.uint8))
    code, err = track(*words, *OUTPUTS, "--resume")
    assert code == 3
    assert "The journal of the unfinished run shows another picture at frame 5." in err


def test_nothing_to_go_on_from(track, scene, tmp_path):
    code, err = track(*replay(scene, "--no-video", "--resume"))
    assert code == 2
    assert "--resume cannot go on: nothing is written to a file" in err
    code, err = track(*replay(scene, "--resume", "--no-journal"))
    assert code == 2
    code, err = track(*replay(scene, "--output", "o.mp4", "--no-journal"))
    assert code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["o.mp4"]
    code, err = track(*replay(scene, "--output", "o.mp4", "--resume"))
    assert code == 0
    assert err.startswith("No unfinished run of 'o.mp4' is known here: it begins at the beginning.")


def test_damage_anywhere_never_leads_astray(track, scene, tmp_path, killed_after):
    words = replay(scene, "--embedder", "none")
    whole = killed_after(25, *words)
    journal = (tmp_path / JOURNAL).read_bytes()
    for number in range(8):
        bad = bytearray(journal)
        bad[(number * 2 + 1) * len(bad) // 16] ^= 1 << number
        (tmp_path / JOURNAL).write_bytes(bad)
        code, err = track(*words, *OUTPUTS, "--resume")
        assert code == 0, err
        assert "Traceback" not in err
        assert outcome(tmp_path) == whole


def test_a_batch_that_was_cut_off_leaves_alone_what_it_has_behind_it(track, scene, tmp_path):
    clip, out = (scene / "clip.mp4").read_bytes(), tmp_path / "out"
    (tmp_path / "one.mp4").write_bytes(clip)
    assert track(*BATCH)[0] == 4
    before = (out / "one.txt").stat().st_mtime_ns
    (tmp_path / "two.mp4").write_bytes(clip)
    code, err = track(*BATCH, "--resume")
    assert code == 0, err
    assert err.count("Nothing to resume: this run has ended") == 1
    assert (out / "one.txt").stat().st_mtime_ns == before
    assert (out / "two.txt").read_bytes() == (out / "one.txt").read_bytes()


def test_a_batch_that_ends_well_leaves_no_marks(track, scene, tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.mp4").write_bytes((scene / "clip.mp4").read_bytes())
    assert track(*BATCH)[0] == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"one.txt", "two.txt"}
