"""Boxes move by half a pixel, the same for a seed; mean and spread are those of the draws."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.recordings import FRAMES, PEOPLE, recording, truth
from mot_dinov3.commands import bench, main
from mot_dinov3.evaluation.figures import Scores
from mot_dinov3.lab.benchmarks.context import BenchmarkContext, BenchmarkSettings
from mot_dinov3.lab.benchmarks.jitter import (
    JITTER_PX,
    measure_jitter,
    move_boxes,
    open_subjects,
    summarise_draws,
)
from mot_dinov3.lab.recordings.store import write_recording

NUMBERS = dict.fromkeys(Scores.__slots__, 0)


def context_of(tmp_path: Path, *words: str) -> BenchmarkContext:
    args = bench.parser().parse_args(["jitter", *words])
    return BenchmarkContext(bench.build_settings(args, tmp_path))


def settings_of(tmp_path: Path, *words: str) -> BenchmarkSettings:
    return context_of(tmp_path, *words).settings


@pytest.fixture
def sequences(tmp_path):
    """Two sequences without pictures: the crossing of `helpers.recordings`, its truth detected."""
    table = truth()
    for name in ("a", "b"):
        (tmp_path / name / "gt").mkdir(parents=True)
        info = f"[Sequence]\nframeRate=30\nseqLength={FRAMES}\nimWidth=640\nimHeight=480\n"
        (tmp_path / name / "seqinfo.ini").write_text(info)
        size = table.xyxy[:, 2:] - table.xyxy[:, :2]
        boxes = np.column_stack([table.xyxy[:, :2], size])
        rows = np.column_stack([table.frame_index + 1, table.track_id, boxes, table.score])
        np.savetxt(tmp_path / name / "gt" / "gt.txt", rows, "%g", delimiter=",")
        np.savetxt(tmp_path / name / "det.txt", rows, "%g", delimiter=",")
    return tmp_path


def test_every_coordinate_moves_by_half_a_pixel_and_alike_for_a_seed():
    clip = recording().clip
    moved = [move_boxes(clip, "a", seed) for seed in (0, 0, 1)]
    boxes = [np.concatenate([f.detections.xyxy for f in c.frames.values()]) for c in (clip, *moved)]
    shift = boxes[1] - boxes[0]
    assert np.abs(shift.std(axis=0) - JITTER_PX).max() < 0.08
    assert np.abs(np.corrcoef(shift.T) - np.eye(4)).max() < 0.2, "corners move apart"
    assert (boxes[1] == boxes[2]).all()
    assert (boxes[1] != boxes[3]).all()
    other = move_boxes(clip, "b", 0).frames[0].detections.xyxy
    assert (other != moved[0].frames[0].detections.xyxy).all(), "each sequence in its own way"


def test_a_box_smaller_than_the_jitter_keeps_the_order_of_its_corners():
    clip = recording().clip
    for index, frame in clip.frames.items():
        tiny = frame.detections.xyxy.copy()
        tiny[:, 2:] = tiny[:, :2] + 0.01
        clip.frames[index] = replace(frame, detections=replace(frame.detections, xyxy=tiny))
    for frame in move_boxes(clip, "a", 0).frames.values():
        assert (frame.detections.xyxy[:, 2:] >= frame.detections.xyxy[:, :2]).all()


def test_mean_and_spread_leave_the_unmoved_draw_out():
    draws = [Scores(**{**NUMBERS, "hota": hota}) for hota in (90.0, 60.0, 62.0, 64.0)]
    figures = summarise_draws(draws)
    assert (figures["hota_unmoved"], figures["hota"], figures["hota_sd"]) == (90.0, 62.0, 2.0)
    assert summarise_draws(draws[:2])["hota_sd"] == 0


def test_sequences_without_pictures_are_scored_together_and_one_by_one(sequences, tmp_path):
    pytest.importorskip("trackeval", reason="the extra [eval] is not installed")
    words = ("--sequences", str(sequences / "a"), str(sequences / "b"), "--seeds", "2",
             "--det", f"mot:{sequences}/{{name}}/det.txt")  # fmt: skip
    report = measure_jitter(context_of(tmp_path, *words))
    assert [row.label for row in report.rows] == ["combined", "a", "b"]
    assert report.title == f"2 sequences, {2 * FRAMES} frames, 2 draws"
    for row in report.rows:
        assert row.figures["mota"] > 90, "every box is a detection"
        assert row.figures["hota"] < row.figures["hota_unmoved"], "moved boxes fit less well"


def test_a_part_of_a_sequence_is_scored_against_its_part_of_the_truth(sequences, tmp_path):
    pytest.importorskip("trackeval", reason="the extra [eval] is not installed")
    words = ("--source", f"mot:{sequences / 'a'}", "--start-frame", "20", "--seeds", "1",
             "--det", f"mot:{sequences}/{{name}}/det.txt")  # fmt: skip
    report = measure_jitter(context_of(tmp_path, *words))
    assert report.title.startswith(f"1 sequence, {FRAMES - 20} frames")
    assert report.rows[0].figures["mota"] > 90


def test_the_camera_motion_of_each_sequence_is_read(sequences, tmp_path):
    pytest.importorskip("trackeval", reason="the extra [eval] is not installed")
    still = "".join(f"{index} 1 0 0 0 1 0\n" for index in range(FRAMES))
    (sequences / "a" / "gmc.txt").write_text(still)
    words = ("--sequences", str(sequences / "a"), "--det", f"mot:{sequences}/{{name}}/det.txt")
    subjects = open_subjects(
        settings_of(tmp_path, *words, "--cmc", f"file:{sequences}/{{name}}/gmc.txt")
    )
    assert subjects["a"].config.motion.cmc == f"file:{sequences}/a/gmc.txt"
    subjects["a"].track(subjects["a"].clip, "never", tmp_path / "out.txt")


def test_policies_are_compared_on_the_embeddings_of_a_recording(tmp_path):
    pytest.importorskip("trackeval", reason="the extra [eval] is not installed")
    file = tmp_path / "crossing.npz"
    write_recording(recording(), file)
    words = ("--sequences", str(file), "--policies", "never", "always", "--seeds", "2")
    never, always = measure_jitter(context_of(tmp_path, *words)).rows
    assert (never.label, always.label) == ("never, combined", "always, combined")
    assert always.figures["idf1"] > never.figures["idf1"], "place alone swaps them"
    assert always.figures["mota"] > 100 * (1 - 1 / PEOPLE)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param((), "no sequences to track", id="nothing"),
        pytest.param(("--sequences", "{}/a", "--det", "mot:{}/a/det.txt", "--cmc", "flow"),
                     "looks at no pictures", id="pictures"),
        pytest.param(("--sequences", "{}/a", "--policies", "always"), "no embeddings",
                     id="policies without embeddings"),
        pytest.param(("--sequences", "{}/unknown.npz"), "holds no ground truth", id="no truth"),
        pytest.param(("--seeds", "0"), "must be positive", id="no draws"),
    ],
)  # fmt: skip
def test_refusals_are_a_sentence(words, said, sequences, capsys):
    write_recording(recording(known=False), sequences / "unknown.npz")
    assert main(["bench", "jitter", *(word.replace("{}", str(sequences)) for word in words)]) == 2
    assert said in capsys.readouterr().err
