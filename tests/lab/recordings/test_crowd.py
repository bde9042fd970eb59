"""A crowd on tape and a crowd that goes on for ever show a tracker the same."""

from __future__ import annotations

from itertools import islice

import numpy as np

from mot_dinov3.config import TrackConfig
from mot_dinov3.data.synthetic.crowd import HEIGHT, WIDTH, Crowd, CrowdConfig
from mot_dinov3.lab.recordings.clip import ClipPlayer
from mot_dinov3.lab.recordings.crowd import CrowdPlayer, record_crowd
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models

CROWD = CrowdConfig(people=8, dim=16, life_frames=10, missed=0.1)
FRAMES = 40


def test_a_tape_holds_the_crowd_as_it_was_drawn():
    clip = record_crowd(CROWD, FRAMES)
    assert len(clip) == FRAMES
    for frame, detections, vectors in islice(Crowd(CROWD), FRAMES):
        take = clip.frames[frame.index]
        assert take.time_s == frame.time_s
        np.testing.assert_array_equal(take.detections.xyxy, detections.xyxy)
        np.testing.assert_array_equal(take.vectors, vectors)


def test_a_crowd_without_looks_has_none_on_tape():
    assert record_crowd(CrowdConfig(people=3), 2).dim == 0


def test_a_player_keeps_the_last_frame_only():
    player = CrowdPlayer(CROWD)
    for frame in islice(player, FRAMES):
        assert (frame.width, frame.height) == (WIDTH, HEIGHT)
        assert list(player.clip.frames) == [frame.index]


def test_both_are_tracked_the_same():
    live, clip = CrowdPlayer(CROWD), record_crowd(CROWD, FRAMES)
    played = ClipPlayer(clip)
    found = []
    for frames, player in ((islice(live, FRAMES), live), (clip.black_frames(), played)):
        tracker = assemble(TrackConfig(), Models(player, player))
        found.append([tracker.step(frame) for frame in frames])
    assert sum(result.embed.computed for result in found[0]) > CROWD.people
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one.tracks.id, other.tracks.id)
        np.testing.assert_array_equal(one.tracks.xyxy, other.tracks.xyxy)
