"""Whole programs in a race: watched from outside, with small scripts in the place of the peers."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from helpers.clips import Clip, make_clip, read_back
from helpers.mot_tables import mot_text
from mot_dinov3.commands import bench
from mot_dinov3.config import DetectorConfig, EmbedderConfig
from mot_dinov3.lab.benchmarks import program, rounds, tax, whole_run, yolo_program
from mot_dinov3.lab.benchmarks.bench import Bench
from mot_dinov3.lab.benchmarks.clip import scaled, short_clip
from mot_dinov3.lab.benchmarks.factory import create_benchmark
from mot_dinov3.lab.benchmarks.own_program import own_program
from mot_dinov3.lab.benchmarks.program import (
    FileWatch,
    Log,
    Program,
    ProgramError,
    Seen,
    summed_up,
    watch,
)
from mot_dinov3.lab.benchmarks.race import Entrant, race, rows_beside
from mot_dinov3.lab.benchmarks.reid_run import own_row

PRINTS = """
import sys, time
time.sleep(0.2)
for n in range(5):
    print(f"video (frame {n + 1}/5) ok", flush=True)
    time.sleep(0.05)
print("all saved", flush=True)
time.sleep(0.5)
"""

WRITES = """
import sys, time, pathlib
place = pathlib.Path(sys.argv[1])
with (place / "lines.partial.jsonl").open("w") as file:
    for n in range(5):
        time.sleep(0.05)
        file.write("{}\\n")
        file.flush()
(place / "done.mp4").write_text("whole")
time.sleep(0.5)
"""


def settings(tmp_path, *words):
    return bench.build_settings(bench.parser().parse_args(list(words)), tmp_path)


def script(text, directory, **more):
    return Program([sys.executable, "-c", text, str(directory)], directory, **more)


def test_printed_frames_are_counted_until_all_is_saved(tmp_path):
    seen = watch(script(PRINTS, tmp_path / "p", frame_line=r"\(frame \d+/", end_line="all saved"))
    assert seen.frames == 5
    assert seen.first_s >= 0.2
    assert seen.fps <= 4 / 0.2


def test_written_frames_are_counted_until_the_file_appears(tmp_path):
    seen = watch(script(WRITES, tmp_path / "w", frame_files="lines*.jsonl", end_file="done.mp4"))
    assert seen.frames == 5
    assert seen.first_s >= 0.05
    assert 4 / 0.6 < seen.fps <= 4 / 0.15


def test_neither_loading_nor_leaving_counts(tmp_path):
    printing = Program([], tmp_path, frame_line="frame", end_line="saved")
    lines = [(3.0, "loading"), (4.0, "frame 1"), (5.0, "frame 2"), (6.0, "saved"), (9.0, "bye")]
    seen = summed_up(printing, Log(lines), FileWatch(printing), (1.0, 10.0))
    assert seen == Seen(first_s=3.0, fps=0.5, frames=2)
    (tmp_path / "x.jsonl").write_text("{}\n" * 7)
    writing = Program([], tmp_path, frame_files="x*.jsonl", end_file="y")
    watched = FileWatch(writing, first_s=4.0, first_frames=2, end_s=6.0)
    assert summed_up(writing, Log(), watched, (1.0, 10.0)) == Seen(3.0, 2.5, 7)
    watched.end_s = 0.0  # the end was not seen: the end of the process counts
    assert summed_up(writing, Log(), watched, (1.0, 9.0)).fps == 1.0


def test_what_was_there_before_does_not_count(tmp_path):
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "lines.jsonl").write_text("{}\n" * 99)
    seen = watch(script(WRITES, tmp_path / "w", frame_files="lines*.jsonl", end_file="done.mp4"))
    assert seen.frames == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys; print('no such model'); sys.exit(3)", "ended with code 3: no such model"),
        ("print('bye')", "showed 0 frames: bye"),
        ("pass", "showed 0 frames: it said nothing"),
    ],
)
def test_a_program_that_fails_says_why(tmp_path, text, said):
    with pytest.raises(ProgramError, match=said):
        watch(script(text, tmp_path / "x", frame_line="frame"))


def test_a_program_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(program, "LIMIT_S", 0.2)
    with pytest.raises(ProgramError, match="not done after"):
        watch(script("import time; time.sleep(60)", tmp_path / "x", frame_line="frame"))


def test_a_program_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(ProgramError, match="cannot be started"):
        watch(Program(["/no/such/program"], tmp_path / "x"))


def entrant(fps=(), first=(), problem=""):
    seen = [Seen(f, n, 10) for n, f in zip(fps, first or [1.0] * len(fps), strict=True)]
    return Entrant(None, seen, problem)


def test_a_race_runs_in_turn_and_leaves_out_who_fails(tmp_path, monkeypatch):
    order = []

    def fake(one):
        order.append(one.directory.name)
        if one.directory.name == "b":
            raise ProgramError("broken")
        return Seen(1.0, 10.0, 5)

    monkeypatch.setattr("mot_dinov3.lab.benchmarks.race.watch", fake)
    entrants = {name: Entrant(Program([], tmp_path / name)) for name in "abc"}
    race(entrants, 2)
    assert order == ["a", "b", "c", "a", "c", "a", "c"]
    assert len(entrants["a"].seen) == 2
    assert entrants["b"].problem == "broken"


def test_without_ours_the_race_is_over(tmp_path, monkeypatch):
    def fails(one):
        raise ProgramError("ours is broken")

    monkeypatch.setattr("mot_dinov3.lab.benchmarks.race.watch", fails)
    entrants = {name: Entrant(Program([], tmp_path / name)) for name in "ab"}
    race(entrants, 2)
    rows = rows_beside(entrants["a"], {"b": entrants["b"]}, {})
    assert rows[0].skipped == "ours did not run"


def test_ratios_and_bars_stand_beside_the_others():
    others = {"slow": entrant([10.0, 20.0]), "gone": entrant(problem="not installed")}
    slow, gone = rows_beside(entrant([30.0, 50.0]), others, {"slow": 3.0})
    assert slow.figures["ratio"] == pytest.approx(2.75)
    assert slow.figures["fps"] == pytest.approx(15.0)
    assert slow.as_dict()["bar"] == {"rule": "ratio >= 3", "met": False}
    assert gone.skipped == "not installed"


def test_first_frames_are_compared_with_yolo_track():
    others = {name: entrant([1.0], [8.0]) for name in whole_run.BARS}
    rows = whole_run.race_rows(entrant([2.0], [6.0]), others)
    assert rows[0].as_dict()["bar"]["met"] is False  # 6 s
    assert rows[-1].figures["ratio"] == pytest.approx(0.75)
    assert rows[-1].as_dict()["bar"]["met"] is True


def test_the_input_shape_is_padded_to_the_stride():
    assert yolo_program.input_shape((768, 432), 640) == (384, 640)
    assert yolo_program.input_shape((432, 768), 640) == (640, 384)
    assert yolo_program.input_shape((640, 640), 960) == (960, 960)


@pytest.mark.parametrize("word", ["whole-run", "reid-run", "tax"])
def test_what_is_missing_is_said_in_the_table(tmp_path, word):
    report = create_benchmark(word)(Bench(settings(tmp_path, word)))
    assert [row.skipped.startswith("give --source CLIP") for row in report.rows] == [True]


def test_weights_that_cannot_be_exported_are_a_sentence(tmp_path, monkeypatch):
    weights = tmp_path / "w.pt"
    weights.write_bytes(b"none")
    made = Bench(settings(tmp_path, "--det", str(weights), "--source", "x.mp4"))
    failed = subprocess.CompletedProcess([], 1, "so far\n", "no openvino here\n")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: failed)
    assert yolo_program.export(made, "openvino", "64,64")[1].endswith("no openvino here")


def test_a_short_clip_has_the_first_frames_in_the_size(tmp_path):
    source = make_clip(tmp_path / "long.mp4", Clip(frames=9, size=(64, 48)))
    clip = short_clip(Bench(settings(tmp_path, "--source", str(source))), 4, 32)
    frames = read_back(clip.path)
    assert (clip.frames, clip.wh, len(frames)) == (4, (32, 24), 4)
    assert frames[0][1].shape == (24, 32, 3)


def test_scaling_keeps_the_picture_where_there_is_nothing_to_do():
    image = np.zeros((48, 64, 3), np.uint8)
    assert scaled(image, 0) is image
    assert scaled(image, 64) is image
    assert scaled(image, 100).shape == (76, 100, 3)


def motion_config(tmp_path, source, *words):
    made = settings(tmp_path, "--source", str(source), "--frames", "6", *words)
    config = replace(made.config, detector=DetectorConfig("motion"),
                     embedder=EmbedderConfig("none"))  # fmt: skip
    return made, config


@pytest.mark.slow
def test_our_own_program_is_watched_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setenv("MOT_SOURCE", "/not/this")
    source = make_clip(tmp_path / "long.mp4", Clip(frames=9, size=(160, 120)))
    made, config = motion_config(tmp_path, source)
    clip = short_clip(Bench(made), 6)
    seen = watch(own_program(config, clip, tmp_path / "own"))
    assert seen.frames == 6
    assert seen.fps > 0
    assert len(read_back(tmp_path / "own" / "tracked.mp4")) == 6


def test_the_tax_is_the_share_of_the_detector_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(rounds, "LEAST_ROUNDS", 2)
    monkeypatch.setattr(tax, "watch", lambda program: Seen(1.0, 30.0, 6))
    monkeypatch.setattr(tax, "detection_fps", lambda bench: 40.0)
    source = make_clip(tmp_path / "long.mp4", Clip(frames=9, size=(160, 120)))
    words = ("tax", "--source", str(source), "--det", "motion", "--frames", "6")
    alone, whole = tax.tax(Bench(settings(tmp_path, *words))).rows
    assert alone.figures["fps"] == pytest.approx(40.0)
    assert whole.figures["share"] == pytest.approx(0.75)
    assert whole.as_dict()["bar"] == {"rule": "share >= 0.8", "met": False}


def test_the_detector_alone_is_really_run(tmp_path):
    source = make_clip(tmp_path / "long.mp4", Clip(frames=9, size=(160, 120)))
    made = settings(tmp_path, "--source", str(source), "--det", "motion")
    assert tax.detection_fps(Bench(made)) > 0


def test_agreement_is_read_off_the_tracks_of_both_runs(tmp_path):
    entrants = []
    for name, ids in (("a", (1, 1)), ("b", (1, 2))):
        (tmp_path / name).mkdir()
        rows = [(frame, track_id, 10, 10) for frame, track_id in enumerate(ids)]
        (tmp_path / name / "tracks.txt").write_text(mot_text(rows))
        entrants.append(Entrant(Program([], tmp_path / name), [Seen(1.0, 2.0, 2)]))
    assert own_row(*entrants).figures["agreement"] == pytest.approx(0.5)
