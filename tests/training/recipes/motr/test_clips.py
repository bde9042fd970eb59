"""Clips: an object keeps its number, all pictures change alike, and a still picture drifts."""

from __future__ import annotations

import numpy as np
import torch

from helpers.drawn_sequence import draw_sequence
from helpers.labelled import write_squares
from mot_dinov3.training.recipes.detector.pictures import Fitting
from mot_dinov3.training.recipes.motr.clips import ClipMaker, shift, stack_clips, turn
from mot_dinov3.training.recipes.motr.sources import open_sources

FITTING = Fitting(96, 32, {0: 0, 3: 3})


def test_an_object_keeps_its_number_and_time_may_run_backwards(tmp_path):
    draw_sequence(tmp_path / "film", 3, 12)
    maker = ClipMaker(open_sources(f"mot:{tmp_path}", "", 4), 4, 3, plain=True)
    directions = set()
    for seed in range(8):
        clip = maker.draw(FITTING, np.random.default_rng(seed))
        lefts = torch.stack([one.xyxy[one.class_id.argsort(), 0] for one in clip.samples])
        torch.testing.assert_close(lefts, lefts[:1].expand_as(lefts))  # each has its own lane
        tops = [float(one.xyxy[:, 1].min()) for one in clip.samples]
        directions.add(tops == sorted(tops))
        assert clip.classes.tolist() == [0, 0, 0]
    assert directions == {True, False}


def test_a_change_is_the_same_for_all_pictures_of_a_clip(tmp_path):
    draw_sequence(tmp_path / "film", 2, 8)
    sources = open_sources(f"mot:{tmp_path}", "", 3)
    changed, turned = set(), set()
    for seed in range(6):
        plain = ClipMaker(sources, 3, 1, plain=True).draw(FITTING, np.random.default_rng(seed))
        moved = ClipMaker(sources, 3, 1, plain=False).draw(FITTING, np.random.default_rng(seed))
        turned |= set(np.flatnonzero(moved.turns).tolist())
        moved = turn(moved, moved.turns)  # two mirrors show things as they are
        lefts = [
            tuple(
                (one.xyxy[one.class_id.argsort(), 0] - two.xyxy[two.class_id.argsort(), 0])
                .round()
                .tolist()
            )
            for one, two in zip(moved.samples, plain.samples, strict=True)
        ]
        assert np.abs(np.diff(lefts, axis=0)).max() <= 3  # objects move by some pixels a picture
        changed.add(lefts[0])
    assert len(changed) > 2
    assert turned & {1, 2}


def test_a_clip_turns_with_its_boxes_and_says_when(tmp_path):
    draw_sequence(tmp_path / "film", 2, 8)
    sources = open_sources(f"mot:{tmp_path}", "", 3)
    clip = ClipMaker(sources, 3, 1, plain=True).draw(FITTING, np.random.default_rng(0))
    assert not clip.turns.any()
    turned = turn(clip, np.array([False, True, False]))
    assert torch.equal(turned.samples[0].pixels, clip.samples[0].pixels)
    for one, two in zip(turned.samples[1:], clip.samples[1:], strict=True):
        assert torch.equal(one.pixels, two.pixels.flip(2))
        assert torch.equal(one.xyxy[:, 0], two.size[1] - two.xyxy[:, 2])
        assert torch.equal(one.class_id, two.class_id)
    said = [moment["turned"].tolist() for moment in stack_clips([clip, turned])]
    assert said == [[False, False], [False, True], [False, False]]


def test_half_of_the_clips_show_a_whole_meeting(tmp_path):
    """Of two that change places once, late in a long film."""
    film = draw_sequence(tmp_path / "film", 2, 60)
    walked = np.clip(np.arange(60) - 40, 0, 10) * 4
    lines = [f"{n + 1},{who},{x},5,12,40,1,1,1"
             for n, way in enumerate(walked) for who, x in ((1, way), (2, 40 - way))]  # fmt: skip
    (film / "gt" / "gt.txt").write_text("\n".join(lines))
    maker = ClipMaker(open_sources(f"mot:{tmp_path}", "", 6), 6, 2, plain=True)
    whole = 0
    for seed in range(40):
        clip = maker.draw(FITTING, np.random.default_rng(seed))
        lefts = [one.xyxy[one.class_id.argsort(), 0] for one in clip.samples]
        order = [float(one[0] - one[1]) for one in lefts]
        whole += order[0] * order[-1] < 0
    assert 12 <= whole <= 32


def test_a_still_picture_is_a_clip_before_a_moving_camera(tmp_path):
    sources = open_sources(str(write_squares(tmp_path)), "", 4)
    assert list(sources.classes.values()) == ["red", "blue"]
    clips = [
        ClipMaker(sources, 4, 1, plain=True).draw(FITTING, np.random.default_rng(seed))
        for seed in range(6)
    ]
    seen = [clip for clip in clips if len(clip.samples[0].xyxy)]
    assert seen
    for clip in seen:
        first, last = clip.samples[0], clip.samples[-1]
        assert set(last.class_id.tolist()) <= set(first.class_id.tolist())
        assert not torch.equal(first.pixels, last.pixels)
    moment = stack_clips(seen)[0]
    assert moment["labels"][0]["ids"].tolist() == list(range(len(seen[0].classes)))
    assert torch.equal(moment["labels"][0]["class_labels"], seen[0].classes)


def test_boxes_move_with_the_picture(tmp_path):
    sources = open_sources(str(write_squares(tmp_path)), "", 1)
    clips = (
        ClipMaker(sources, 1, 1, plain=True).draw(FITTING, np.random.default_rng(n))
        for n in range(9)
    )
    sample = next(one.samples[0] for one in clips if len(one.samples[0].xyxy))
    width = sample.size[1]
    moved = shift(sample, np.array([0.25, 0.0]), 1.0)
    kept = moved.class_id
    expected = (sample.xyxy[kept] + torch.tensor([width / 4, 0, width / 4, 0])).clamp(max=width)
    torch.testing.assert_close(moved.xyxy, expected, atol=1.5, rtol=0)
    assert len(shift(sample, np.array([1.0, 0.0]), 1.0).xyxy) == 0
