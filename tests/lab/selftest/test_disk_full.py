"""What the check of a full disk refuses, on files that are wrong in a known way."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers.clips import Clip, make_clip
from mot_dinov3.lab.selftest.base import MeasureContext
from mot_dinov3.lab.selftest.cases import BrokenPromiseError
from mot_dinov3.lab.selftest.disk_full import FillPoints, FullDisk, expect_kept
from mot_dinov3.lab.selftest.outputs import OLD
from mot_dinov3.lab.selftest.program import ProcessResult

FULL = FullDisk(5_000, real=False, video="o.mp4", words=())
FRAMES = 30


def ended(code=5, frames=FRAMES, error="Cannot write 'o.mp4': File too large."):
    said = f"{frames} frames in 1.0 s\n" if frames else ""
    return ProcessResult(code, "", f"{said}error: {error}\n  Make room.\n" if code else said, 1.0)


@pytest.fixture
def kept(tmp_path):
    """What a run of 30 frames leaves whose video did not fit."""
    lines = [json.dumps({"frame": frame}) + "\n" for frame in range(FRAMES)]
    rows = [f"{frame + 1},1,2,3,4,5,0.9,-1,-1,-1\n" for frame in range(FRAMES)]
    (tmp_path / "o.jsonl").write_text("".join(lines))
    (tmp_path / "o.txt").write_text("".join(rows))
    (tmp_path / "o.json").write_text(json.dumps({"frames": FRAMES}))
    make_clip(tmp_path / "o.partial.mp4", Clip(frames=10))
    (tmp_path / "o.mp4").write_bytes(OLD)
    return tmp_path


def test_a_full_disk_that_cost_only_the_video_passes(kept):
    expect_kept(ended(), kept, FULL)


def refused(kept, says, how=None):
    with pytest.raises(BrokenPromiseError, match=says):
        expect_kept(how or ended(), kept, FULL)


def test_it_must_be_said(kept):
    refused(kept, "exit code 1 instead of 5", ended(code=1))
    refused(kept, "is not in", ended(error="Something failed."))
    refused(kept, "summed up", ended(frames=0))
    refused(kept, "only", ended(code=0))


@pytest.mark.parametrize("name", ["o.jsonl", "o.txt"])
def test_tracks_must_be_kept(kept, name):
    whole = (kept / name).read_text()
    (kept / name).write_text(whole[: len(whole) // 2].rpartition("\n")[0] + "\n")
    refused(kept, r"has \d+ of 30 frames")
    (kept / name).unlink()
    refused(kept, "is left")


def test_what_did_not_fit_may_end_where_the_room_ended(kept):
    journal = kept / "o.partial.jsonl"
    line = json.dumps({"frame": 0, "more": "x" * 400})
    lines = [line.replace('"frame": 0', f'"frame": {frame}') for frame in range(FRAMES)]
    (kept / "o.jsonl").unlink()
    journal.write_text("\n".join(lines)[: FULL.bytes])
    expect_kept(ended(), kept, FULL)
    journal.write_text("\n".join(lines)[: FULL.bytes // 2])
    refused(kept, r"has \d+ of 30 frames")


def test_a_video_that_was_written_must_play(kept):
    (kept / "o.partial.mp4").write_bytes(b"x" * 30_000)
    refused(kept, "do not play")
    (kept / "o.partial.mp4").unlink()
    make_clip(kept / "o.mp4", Clip(frames=FRAMES - 5))
    refused(kept, r"o\.mp4 has 25 of 30 frames")


def test_points_come_from_the_seed_and_lie_within_the_outputs(tmp_path):
    points = FillPoints((9_000, 40_000), disks=False)
    benches = [MeasureContext(program=(), directory=tmp_path, seed=seed) for seed in (0, 0, 1)]
    first, same, other = (
        [points.choose_disk(bench, f"{n}") for n in range(50)] for bench in benches
    )
    assert first == same != other
    assert not any(full.real for full in first)
    assert 2_000 <= min(full.bytes for full in first) <= max(full.bytes for full in first) < 40_000
    assert np.std([full.bytes for full in first]) > 5_000
