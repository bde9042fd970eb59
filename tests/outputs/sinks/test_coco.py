"""COCO-VID: what other readers find in it is what the run saw."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from helpers.results import SIZE, Seen, frame_at, result_at
from mot_dinov3.errors import OutputError
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.outputs.sinks.coco import CocoSink
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import TrackState

NAMES = {0: "person", 2: "car"}
WALKER = Seen(7, (10.126, -20, 30, 40.5), 0.87654)
CAR = Seen(9, (1, 2, 31, 22), 0.5, 2)
LOST = Seen(3, (1, 2, 3, 4), 0.5, state=TrackState.LOST, fresh=False, seen=False)
YOUNG = Seen(-1, (1, 2, 3, 4), state=TrackState.TENTATIVE)


def info(name="walk.mp4", frames=9):
    return SourceInfo(name, *SIZE, 25.0, frames, False, None)


def written(path, *results, names=None, name="walk.mp4"):
    with CocoSink(str(path), names or NAMES, info(name), StageTimer()) as sink:
        for result in results:
            sink.write(frame_at(result.frame_index), result)
    return json.loads(path.read_text(encoding="utf-8"))


def test_an_annotation_is_a_confirmed_track_that_is_seen(tmp_path):
    data = written(tmp_path / "a.json", result_at(3, WALKER, LOST, YOUNG), result_at(4, CAR))
    assert data["annotations"][0] == {
        "id": 1, "image_id": 4, "video_id": 1, "category_id": 1, "instance_id": 7, "track_id": 7,
        "bbox": [10.13, -20.0, 19.87, 60.5], "area": 1202.38, "iscrowd": 0, "score": 0.8765,
    }  # fmt: skip
    assert [one["track_id"] for one in data["annotations"]] == [7, 9]
    assert data["images"] == [
        {"id": n + 1, "file_name": f"walk/{n + 1:06d}.jpg", "width": SIZE[0], "height": SIZE[1],
         "video_id": 1, "frame_id": n} for n in (3, 4)
    ]  # fmt: skip
    assert data["videos"] == [
        {"id": 1, "name": "walk", "width": SIZE[0], "height": SIZE[1], "fps": 25.0}
    ]
    assert data["categories"] == [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}]


def test_the_tools_of_coco_read_it(tmp_path):
    coco_module = pytest.importorskip("pycocotools.coco")
    frames = [result_at(n, Seen(7, (n, 5, n + 20, 45)), CAR) for n in range(6)]
    written(tmp_path / "a.json", *frames, result_at(6, LOST, CAR))
    with redirect_stdout(StringIO()):
        coco = coco_module.COCO(str(tmp_path / "a.json"))
    assert len(coco.getImgIds()) == 7
    assert [one["name"] for one in coco.loadCats(coco.getCatIds())] == ["person", "car"]
    people = coco.loadAnns(coco.getAnnIds(catIds=[1]))
    assert [(one["image_id"] - 1, one["bbox"]) for one in people] == [
        (n, [n, 5, 20, 40]) for n in range(6)
    ]
    assert len(coco.loadAnns(coco.getAnnIds(imgIds=[7]))) == 1


@pytest.mark.parametrize("name", ["two\nlines", "half \ud800", "nul\0", '"},{"', "人"])
def test_names_of_any_kind_are_plain_text(tmp_path, name):
    data = written(tmp_path / "a.json", result_at(0), names={0: name}, name=f"{name}.mp4")
    (category,) = data["categories"]
    assert category["name"].isprintable()
    assert category["name"][0] == name[0]


def test_a_class_without_a_name_and_a_box_without_numbers(tmp_path):
    odd = Seen(1, (np.nan, 0, 1, 2)), Seen(2, (0, 0, 1, 2), np.nan, 77)
    data = written(tmp_path / "a.json", result_at(0, *odd))
    (only,) = data["annotations"]
    assert only["track_id"] == 2
    assert "score" not in only
    assert data["categories"] == [{"id": 78, "name": "class 77"}]


@pytest.mark.parametrize("frames", [0, 1])
def test_a_run_without_tracks_is_whole_json(tmp_path, frames):
    data = written(tmp_path / "a.json", *[result_at(n, LOST, CAR) for n in range(frames)])
    assert len(data["images"]) == len(data["annotations"]) == frames
    assert len(data["videos"]) == 1


def test_what_was_written_before_an_error_is_whole(tmp_path):
    path = tmp_path / "a.json"
    with (  # noqa: PT012
        pytest.raises(RuntimeError),
        CocoSink(str(path), NAMES, info(), StageTimer()) as sink,
    ):
        sink.write(frame_at(0), result_at(0))
        raise RuntimeError("something else")
    assert len(json.loads(path.read_text())["annotations"]) == 1


def test_identities_are_renamed_and_nothing_else_changes(tmp_path):
    written(tmp_path / "a.json", result_at(0, WALKER), result_at(1, CAR), result_at(2, WALKER))
    CocoSink.rename(tmp_path / "a.json", tmp_path / "b.json", {9: 7})
    before, after = (json.loads((tmp_path / f"{n}.json").read_text()) for n in "ab")
    assert [one["track_id"] for one in after["annotations"]] == [7, 7, 7]
    for one in before["annotations"]:
        one["track_id"] = one["instance_id"] = 7
    assert after == before


def test_a_full_disk_is_an_output_error(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with (
        pytest.raises(OutputError),
        CocoSink("/dev/full", NAMES, info(), StageTimer()) as sink,
    ):
        sink.write(frame_at(0), result_at(0))
