"""Short runs on real video with real weights; skipped where those are not at hand."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers.clips import read_back
from helpers.jobs import cli, mot_rows, records
from helpers.places import ASSETS
from mot_dinov3.perception.assets import __file__ as package

WALKING = ASSETS / "videos" / "people-walking.mp4"
ONE_BY_ONE = ASSETS / "videos" / "one-by-one-person-detection.mp4"
MOT17 = ASSETS / "mot17-mini" / "MOT17-04-FRCNN"
YOLO = ASSETS / "weights" / "yolov8n_deq.pt"
OSNET = ASSETS / "weights" / "osnet_x0_25_msmt17.onnx"
OSNET_WORDS = ("--embedder", "onnx", "--embed-model", OSNET)
DEMO = Path(package).parent / "weights"
CROSSINGS = ((61, 197), (228, 449), (503, 701), (746, 871), (922, 1201), (1235, 1361))
"""First and last frame in which each person is well inside the picture."""


def needs(*paths):
    missing = [str(path.name) for path in paths if not path.exists()]
    return pytest.mark.skipif(bool(missing), reason=f"not at hand: {', '.join(missing)}")


@pytest.mark.slow
@needs(WALKING, YOLO, OSNET)
def test_people_walking_with_real_weights(tmp_path):
    code, _, err = cli(
        "--source", WALKING, "--det", YOLO, *OSNET_WORDS, "--classes", "person", "--cpu",
        "--embed-budget-ms", "200", "--max-frames", "12", "--imgsz", "640", "--output", "walk.mp4",
        "--save-mot", "walk.txt", "--stats-json", "walk.json", "--save-jsonl", "walk.jsonl",
        cwd=tmp_path,
    )  # fmt: skip
    assert code == 0, err
    stats = json.loads((tmp_path / "walk.json").read_text())
    counts = stats["embeddings"]
    lines = records(tmp_path / "walk.jsonl")
    starred = sum(track["fresh"] for line in lines for track in line["tracks"])
    assert stats["frames"] == len(lines) == len(read_back(tmp_path / "walk.mp4")) == 12
    assert counts["computed"] == counts["critical"] + counts["refresh"]
    assert 0 < starred <= counts["computed"] < 0.7 * stats["detections"]
    assert {track["class"] for line in lines for track in line["tracks"]} == {"person"}
    rows = mot_rows(tmp_path / "walk.txt")
    whole = [number for number in set(rows[:, 1]) if (rows[:, 1] == number).sum() == 12]
    assert len(whole) >= 8, "people in plain sight keep their ids"
    assert "Traceback" not in err


@pytest.mark.slow
@needs(MOT17, OSNET)
def test_replayed_detections_of_a_motchallenge_sequence(tmp_path):
    code, _, err = cli(
        "--source", MOT17, "--det", f"mot:{MOT17 / 'det' / 'det.txt'}", *OSNET_WORDS, "--cpu",
        "--no-video", "--save-mot", "o.txt", "--stats-json", "s.json", "-q", cwd=tmp_path,
    )  # fmt: skip
    assert (code, err) == (0, "")
    rows = mot_rows(tmp_path / "o.txt")
    truth = np.loadtxt(MOT17 / "gt" / "gt.txt", delimiter=",")
    assert sorted(set(rows[:, 0])) == sorted(set(truth[:, 0]))
    stats = json.loads((tmp_path / "s.json").read_text())
    assert 0 < stats["tracks"]["confirmed"] <= 40
    assert stats["embeddings"]["reused"] > stats["embeddings"]["computed"]


def ids_of(rows, first, last):
    """How often each id is seen between two frames, most frequent first."""
    inside = rows[(rows[:, 0] > first) & (rows[:, 0] <= last)]
    ids, counts = np.unique(inside[:, 1], return_counts=True)
    return ids[np.argsort(-counts)], np.sort(counts)[::-1] / (last - first)


@pytest.mark.slow
@needs(ONE_BY_ONE)
def test_one_person_crossing_keeps_one_id(tmp_path):
    code, _, err = cli(
        "--source", ONE_BY_ONE, "--det", "motion", "--embedder", "none", "--cpu", "--no-video",
        "--save-mot", "o.txt", "-q", cwd=tmp_path,
    )  # fmt: skip
    assert (code, err) == (0, "")
    rows = mot_rows(tmp_path / "o.txt")
    seen = set()
    for first, last in CROSSINGS:
        ids, share = ids_of(rows, first, last)
        assert share[0] > 0.9, f"frames {first} to {last} belong to one id"
        assert ids[0] not in seen
        seen.add(ids[0])
    ids, counts = np.unique(rows[:, 1], return_counts=True)
    assert set(ids[counts >= 5]) == seen, "only scraps at the edge may have other ids"
    assert len(ids) <= 2 * len(CROSSINGS)


@pytest.mark.slow
@needs(ONE_BY_ONE, DEMO)
def test_the_embedded_models_track_a_real_person_offline(tmp_path):
    code, _, err = cli(
        "--source", ONE_BY_ONE, "--det", "motion", "--embed-model", "demo", "--cpu", "--no-video",
        "--end-frame", "460", "--save-mot", "o.txt", "-q", cwd=tmp_path, HF_HUB_OFFLINE=1,
    )  # fmt: skip
    assert (code, err) == (0, "")
    rows = mot_rows(tmp_path / "o.txt")
    for first, last in CROSSINGS[:2]:
        assert ids_of(rows, first, last)[1][0] > 0.9


@needs(WALKING)
def test_the_picture_itself_is_untouched_where_nothing_is_drawn(tmp_path):
    code, _, err = cli(
        "--source", WALKING, "--det", "motion", "--embedder", "none", "--cpu", "--conf", "1",
        "--low-conf", "1", "--max-frames", "3", "--output", "o.mp4", "-q", cwd=tmp_path,
    )  # fmt: skip
    assert (code, err) == (0, "")
    before = cv2.VideoCapture(str(WALKING)).read()[1].astype(int)
    after = read_back(tmp_path / "o.mp4")[0][1].astype(int)
    assert before.shape == after.shape
    assert np.abs(before - after).mean() < 6
