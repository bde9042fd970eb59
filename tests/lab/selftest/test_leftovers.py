"""What the checks of killed and stopped runs refuse, on files that are wrong in a known way."""

from __future__ import annotations

import json

import pytest

from helpers.clips import Clip, make_clip
from mot_dinov3.lab.selftest.cases import BrokenPromiseError
from mot_dinov3.lab.selftest.kills import MOST_LOST, expect_of_use
from mot_dinov3.lab.selftest.leftovers import (
    count_playing_frames,
    find_unfinished,
    read_last_frame,
    read_records,
)
from mot_dinov3.lab.selftest.outputs import OLD, expect_consistent, expect_whole, is_new, outputs_of


def journal(path, frames, end=""):
    path.write_text("".join(f'{{"frame": {frame}}}\n' for frame in frames) + end)
    return path


def test_frames_are_counted_until_a_video_breaks_off(tmp_path):
    options = (("movflags", "frag_keyframe+empty_moov"),)
    whole = make_clip(
        tmp_path / "a.mp4", Clip(frames=30, options=(("g", "5"),), muxer_options=options)
    )
    assert count_playing_frames(whole) == 30
    data = whole.read_bytes()
    (tmp_path / "b.mp4").write_bytes(data[: len(data) // 2])
    assert 5 <= count_playing_frames(tmp_path / "b.mp4") < 25
    (tmp_path / "c.mp4").write_bytes(b"not a video")
    assert (
        count_playing_frames(tmp_path / "c.mp4") == count_playing_frames(tmp_path / "none.mp4") == 0
    )


def test_only_the_last_line_of_a_journal_may_be_cut_off(tmp_path):
    torn = journal(tmp_path / "a.jsonl", range(3), '{"fra')
    assert len(read_records(torn, broken=1)) == 3
    with pytest.raises(BrokenPromiseError, match="line 4 of 4"):
        read_records(torn)
    with pytest.raises(BrokenPromiseError, match="line 4 of 5"):
        read_records(journal(tmp_path / "b.jsonl", range(3), '{"fra\n{"frame": 3}'), broken=1)


def test_a_journal_that_skips_a_frame_is_refused(tmp_path):
    with pytest.raises(BrokenPromiseError, match="skips frames"):
        read_records(journal(tmp_path / "a.jsonl", [0, 1, 3]))


def test_a_cut_row_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("1,1,2,3,4,5,0.9,-1,-1,-1\n2,1,2,3")
    with pytest.raises(BrokenPromiseError, match="line 2"):
        read_last_frame(tmp_path / "a.txt")


def test_a_final_name_must_be_the_old_result_or_a_whole_new_one(tmp_path):
    (tmp_path / "o.mp4").write_bytes(OLD)
    assert not is_new(tmp_path / "o.mp4")
    assert not is_new(tmp_path / "missing.mp4")
    expect_whole(journal(tmp_path / "o.jsonl", range(30)), 30)
    with pytest.raises(BrokenPromiseError, match="with 29 of 30"):
        expect_whole(journal(tmp_path / "o.jsonl", range(29)), 30)
    (tmp_path / "o.json").write_text(json.dumps({"frames": 30}))
    expect_whole(tmp_path / "o.json", 30)
    with pytest.raises(BrokenPromiseError):
        expect_whole(make_clip(tmp_path / "o.mp4", Clip(frames=5)), 30)


def stopped_run(directory, frames=5, video=5):
    rows = [f"{frame + 1},1,2,3,4,5,0.9,-1,-1,-1\n" for frame in range(frames)]
    (directory / "o.txt").write_text("".join(rows))
    (directory / "o.json").write_text(json.dumps({"frames": frames}))
    journal(directory / "o.jsonl", range(frames))
    make_clip(directory / "o.mp4", Clip(frames=video))


def test_a_stopped_run_leaves_all_outputs_or_none(tmp_path):
    expect_consistent(tmp_path, outputs_of())
    stopped_run(tmp_path)
    expect_consistent(tmp_path, outputs_of())
    (tmp_path / "o.partial.txt").write_text("")
    with pytest.raises(BrokenPromiseError, match="final names"):
        expect_consistent(tmp_path, outputs_of())
    (tmp_path / "o.partial.txt").unlink()
    (tmp_path / "o.json").unlink()
    with pytest.raises(BrokenPromiseError, match="only"):
        expect_consistent(tmp_path, outputs_of())


def test_outputs_of_different_length_are_refused(tmp_path):
    stopped_run(tmp_path, video=4)
    with pytest.raises(BrokenPromiseError, match=r"o\.mp4 is there with 4 of 5"):
        expect_consistent(tmp_path, outputs_of())


@pytest.mark.parametrize(("lost", "says"), [(0, ""), (MOST_LOST, ""), (MOST_LOST + 1, "are not")])
def test_a_video_may_lack_only_few_frames_of_its_journal(tmp_path, lost, says):
    make_clip(tmp_path / "o.partial.mp4", Clip(frames=30))
    journal(tmp_path / "o.partial.jsonl", range(30 + lost))
    assert [path.name for path in find_unfinished(tmp_path)] == ["o.partial.jsonl", "o.partial.mp4"]
    if not says:
        expect_of_use(tmp_path, "o.mp4")
        return
    with pytest.raises(BrokenPromiseError, match=says):
        expect_of_use(tmp_path, "o.mp4")


def test_a_video_that_does_not_play_is_refused(tmp_path):
    (tmp_path / "o.partial.mp4").write_bytes(b"")
    journal(tmp_path / "o.partial.jsonl", range(20))
    expect_of_use(tmp_path, "o.mp4")
    journal(tmp_path / "o.partial.jsonl", range(21))
    with pytest.raises(BrokenPromiseError, match="does not play"):
        expect_of_use(tmp_path, "o.mp4")
