from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from helpers.clips import Clip, make_clip, numbered
from helpers.places import ASSETS
from mot_dinov3.data.single_object.tracks import read_mot_tracks, read_run_tracks, split_run
from mot_dinov3.errors import InputError, UsageError

FRAMES = 40


def write_sequence(folder, lines):
    (folder / "img1").mkdir(parents=True)
    (folder / "gt").mkdir()
    for index in range(FRAMES):
        cv2.imwrite(str(folder / "img1" / f"{index + 1:06d}.png"), numbered(index))
    (folder / "gt" / "gt.txt").write_text("\n".join(lines) + "\n")
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname=x\nimDir=img1\nframeRate=10\nseqLength={FRAMES}\nimWidth=64\n"
        "imHeight=48\nimExt=.png\n"
    )
    return folder


def row(frame, who, left=5, visible=1.0, flag=1):
    return f"{frame},{who},{left},10,12,20,{flag},1,{visible}"


def test_each_long_track_that_counts_is_a_sequence_with_gaps_where_it_is_hidden(tmp_path):
    frames = range(3, FRAMES + 1)
    lines = [row(n, 1, visible=0.2 if 10 <= n < 13 else 1) for n in frames if n != 20]
    lines += [row(n, 2, left=40) for n in range(1, 20)]  # short
    lines += [row(n, 3, left=22, flag=0) for n in frames]  # does not count
    lines += [f"{n},4,30,36,12,3,1,1,1" for n in frames]  # a strip
    lines += [f"{n},5,52,10,12,12,1,1,1" for n in frames]  # the border cuts it
    (one,) = read_mot_tracks(str(write_sequence(tmp_path / "a", lines)))
    assert (one.name, len(one), one.fps) == ("a-1", FRAMES - 2, 10)
    assert (np.flatnonzero(~one.known) + 3).tolist() == [10, 11, 12, 20]
    np.testing.assert_array_equal(one.boxes[0], [5, 10, 17, 30])
    np.testing.assert_array_equal(one.read_frame(0).image, numbered(2))


def test_a_track_behind_another_is_not_seen_well(tmp_path):
    lines = [row(n, 1) for n in range(1, FRAMES + 1)]
    lines += [f"{n},2,5,11,12,20,1,1,1" for n in range(1, FRAMES + 1)]  # nearer, over it
    assert [one.name for one in read_mot_tracks(str(write_sequence(tmp_path / "a", lines)))] == [
        "a-2"
    ]


def test_sequences_in_a_folder_are_read_and_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no sequence"):
        read_mot_tracks(str(tmp_path))
    write_sequence(tmp_path / "a", [row(n, 1) for n in range(1, 10)])
    with pytest.raises(InputError, match="30 frames or more"):
        read_mot_tracks(str(tmp_path))
    write_sequence(tmp_path / "b", [row(n, 1) for n in range(1, 36)])
    assert [one.name for one in read_mot_tracks(str(tmp_path))] == ["b-1"]


def write_log(path, lefts, step=1):
    """A frame log of one track; `lefts` are where its box begins in each frame, None for none."""
    lines = []
    for number, left in enumerate(lefts):
        track = {"id": 4, "xyxy": [left, 10, (left or 0) + 12, 30], "score": 0.9, "class_id": 0,
                 "name": "x", "state": "confirmed", "fresh": True, "detection": 0}  # fmt: skip
        lines.append(
            json.dumps(
                {
                    "frame": number * step,
                    "time_s": number * step / 25,
                    "detections": int(left is not None),
                    "tracks": [track] if left is not None else [],
                    "embed": dict.fromkeys(COUNTS, 0),
                    "stage_ms": {},
                }
            )
        )
    path.write_text("\n".join(lines) + "\n")
    return path


COUNTS = ("critical", "fresh", "reused", "deferred", "starved", "interpolated", "missing", "cached")


def test_the_tracks_of_a_run_are_sequences_and_are_cut_where_they_jump(tmp_path):
    make_clip(tmp_path / "run.mp4", Clip(frames=80))
    path = write_log(tmp_path / "run.jsonl", [5] * 35 + [45] * 35)
    found = read_run_tracks(str(path))  # the clip beside it
    assert [len(one) for one in found] == [35, 35]
    assert found[1].boxes[0].tolist() == [45, 10, 57, 30]
    middle = found[1].read_frame(0).image
    assert abs(int(middle[24, 32].mean()) - int(numbered(35)[24, 32].mean())) < 8


def test_a_run_of_every_second_frame_has_half_of_the_pictures(tmp_path):
    make_clip(tmp_path / "v.mp4", Clip(frames=80))
    path = write_log(tmp_path / "run.jsonl", [5] * 40, step=2)
    (one,) = read_run_tracks(f"{path},{tmp_path / 'v.mp4'}")
    assert len(one) == 40
    assert one.known.all()


def test_a_frame_log_and_its_video_must_belong_together(tmp_path):
    path = write_log(tmp_path / "run.jsonl", [5] * 40)
    with pytest.raises(UsageError, match="does not name its video"):
        split_run(str(path))
    make_clip(tmp_path / "v.mp4", Clip(frames=12))
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(InputError, match="holds no frame"):
        read_run_tracks(f"{tmp_path / 'empty.jsonl'},{tmp_path / 'v.mp4'}")
    with pytest.raises(InputError, match="about frame 12, which 'v' does not have"):
        read_run_tracks(f"{path},{tmp_path / 'v.mp4'}")


@pytest.mark.skipif(not (ASSETS / "mot").is_dir(), reason="the shared test assets are not here")
def test_real_sequences_give_long_tracks():
    found = read_mot_tracks(str(ASSETS / "mot" / "SF-Powell-a"))
    assert found
    assert all(one.known.sum() >= 30 and one.known[0] and one.known[-1] for one in found)
    assert found[0].read_frame(1).image.shape == (360, 640, 3)
