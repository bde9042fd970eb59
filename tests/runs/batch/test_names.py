"""Names of videos, and outputs of their own."""

from __future__ import annotations

import pytest

from mot_dinov3.config import DetectorConfig, MotionConfig, OutputConfig, TrackConfig, flag_fields
from mot_dinov3.runs.batch.names import (
    find_field,
    place_output,
    unique_names,
    with_own_outputs,
)


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["a/walk.mp4", "b/walk.mkv", "shop.mp4"], ["walk", "walk-2", "shop"]),
        (["walk.mp4", "walk-2.mp4", "b/walk.mp4"], ["walk", "walk-2", "walk-3"]),
        (["Walk.mp4", "walk.mp4"], ["Walk", "walk-2"]),
        (["walk.mp4", "WALK.mp4"], ["walk", "WALK-2"]),
        (["../../etc/passwd", "..", "/"], ["passwd", "source", "source-2"]),
        (["rtsp://me:secret@host/cam?token=abc", "0"], ["cam", "0"]),
        (["rtsp://u:pw@door:554/1", "rtsp://yard/1", "1"], ["door-1", "yard-1", "1"]),
        (["rtsp://10.0.0.5:554", "rtsp://10.0.0.6:554"], ["10.0.0.5-554", "10.0.0.6-554"]),
        (["http://", "http://", "rtsp://[fe80/1"], ["http", "http-2", "source"]),
        (["rtsp://door/1", "rtsp://door/1"], ["door-1", "door-1-2"]),
        (["x" * 300 + ".mp4"], ["x" * 100]),
    ],
)
def test_no_two_videos_share_a_name(sources, names):
    assert unique_names(sources) == names


@pytest.mark.parametrize(
    ("place", "apart", "own"),
    [
        ("outputs/tracked.mp4", True, "outputs/walk/tracked.mp4"),
        ("out.txt", True, "walk/out.txt"),
        ("/abs/out.txt", True, "/abs/walk/out.txt"),
        ("results/{name}.txt", True, "results/walk.txt"),
        ("{name}/{name}.txt", True, "walk/walk.txt"),
        ("results/{name}.txt", False, "results/walk.txt"),
        ("out.txt", False, "out.txt"),
    ],
)
def test_where_an_output_goes(place, apart, own):
    assert place_output(place, "walk", apart=apart) == own


VALUES = {"report": "p.html", "save_embeddings": "e.npz", "save": "mine=x/mine.txt"}


def everything():
    """Every output that is a path, whatever there is."""
    paths = [item.name for item in flag_fields(OutputConfig)
             if item.type == "str" and not item.metadata["choices"]]  # fmt: skip
    return OutputConfig(**{name: VALUES.get(name, f"x/{name}.mp4") for name in paths})


def test_every_output_that_there_is_becomes_the_videos_own():
    before = TrackConfig(output=everything())
    after = with_own_outputs(before, "walk", apart=True)
    changed = [
        item.metadata["flag"]
        for item in flag_fields(OutputConfig)
        if getattr(before.output, item.name) != getattr(after.output, item.name)
    ]
    assert {*changed, "--save mine"} - {"--save"} == set(before.output.places)
    assert len(changed) >= 5
    assert all("/walk/" in f"/{place}" for place in after.output.places.values())
    named_by_flag = {
        item.metadata["flag"]
        for item in flag_fields(OutputConfig)
        if item.metadata["metavar"] in ("FILE", "DIR", "NAME=FILE")
    }
    assert named_by_flag <= set(changed), "an output that does not move"


def test_a_video_that_is_not_written_has_a_place_of_its_own_too():
    out = with_own_outputs(
        TrackConfig(output=OutputConfig(no_video=True)), "walk", apart=True
    ).output
    assert out.output == "outputs/walk/tracked.mp4"
    assert not out.save_mot


def test_boxes_and_camera_motion_follow_the_name():
    config = TrackConfig(
        detector=DetectorConfig(det="mot:det/{name}.txt"),
        motion=MotionConfig(cmc="file:{name}.gmc"),
    )
    own = with_own_outputs(config, "walk", apart=True)
    assert (own.detector.det, own.motion.cmc) == ("mot:det/walk.txt", "file:walk.gmc")
    weights = TrackConfig(detector=DetectorConfig(det="{name}.pt"))
    assert with_own_outputs(weights, "walk", apart=True).detector.det == "{name}.pt"


def test_a_flag_has_a_home():
    assert find_field("--save-mot") == ("output", "save_mot")
