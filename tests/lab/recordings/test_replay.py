"""A replay is the pipeline without detector, embedder and time: the same bytes, every time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.fakes import FakeEmbedder, ScriptedDetector, blank_frame
from helpers.recordings import DIM, FRAMES, PEOPLE, looks, recording, script
from mot_dinov3.config import SchedulerConfig, TrackConfig, TrackerConfig
from mot_dinov3.errors import UnknownNameError, UsageError
from mot_dinov3.io.formats.mot import MotWriter
from mot_dinov3.lab.recordings.clip import RecordedClip
from mot_dinov3.lab.recordings.replay import ReplayCase, replay
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models

CONFIG = TrackConfig()
STRONG = FRAMES * PEOPLE


class MovingEmbedder(FakeEmbedder):
    """Knows who is where in the frame that was detected last."""

    def __init__(self, detector):
        super().__init__(None, DIM)
        self.detector = detector

    def embed(self, image, xyxy):
        self.looks = looks(self.detector.index)
        return super().embed(image, xyxy)


class WatchedDetector(ScriptedDetector):
    index = 0

    def detect(self, frame):
        self.index = frame.index
        return super().detect(frame)


def tracked(scheduler, path):
    """The normal pipeline on the same scene, with its own clock."""
    detector = WatchedDetector(script())
    tracker = assemble(CONFIG, Models(detector, MovingEmbedder(detector)), scheduler=scheduler)
    with MotWriter(path, recording().clip.names) as writer:
        for index in range(FRAMES):
            result = tracker.step(blank_frame(index))
            writer.write(index, result.tracks)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("case", "scheduler"),
    [
        pytest.param(
            ReplayCase("always"), SchedulerConfig(embed_all=True), id="always is --embed-all"
        ),
        pytest.param(
            ReplayCase("continuity"), SchedulerConfig(embed_policy="continuity"), id="rule"
        ),
        pytest.param(
            ReplayCase("continuity", budget_crops=2),
            SchedulerConfig(embed_policy="continuity", budget_crops=2),
            id="budget in crops",
        ),
    ],
)
def test_a_replay_gives_the_bytes_of_the_pipeline(case, scheduler, tmp_path):
    expected = tracked(scheduler, tmp_path / "normal.txt")
    replay(recording(), CONFIG, case, tmp_path / "replay.txt")
    assert (tmp_path / "replay.txt").read_bytes() == expected
    assert len(expected) > 1000


@pytest.mark.parametrize(
    "case",
    [
        ReplayCase("always"),
        ReplayCase("continuity", budget_ms=9),
        ReplayCase("interval:4", budget_ms=9),
        ReplayCase("oracle:2"),
        ReplayCase("fast-strongsort"),
    ],
    ids=lambda case: case.title,
)
def test_two_replays_are_the_same(case, tmp_path):
    first, again = (replay(recording(), CONFIG, case, tmp_path / f"{n}.txt") for n in "ab")
    assert first.sha256 == again.sha256
    assert first.counts == again.counts


def test_time_is_what_the_recording_says(tmp_path):
    played = replay(recording(), CONFIG, ReplayCase("always"), tmp_path / "a.txt")
    assert played.crops == STRONG
    np.testing.assert_allclose([item.embed_ms for item in played.counts], 8.0)
    dearer = replace(recording(), costs=replace(recording().costs, embed_ms={1: 50.0}))
    assert replay(
        dearer, CONFIG, ReplayCase("always"), tmp_path / "b.txt"
    ).embed_ms == pytest.approx(FRAMES * 200)


def test_a_budget_of_time_admits_what_its_costs_fit(tmp_path):
    def crops_a_frame(ms):
        played = replay(
            recording(), CONFIG, ReplayCase("interval:1", budget_ms=ms), tmp_path / "a.txt"
        )
        return {item.refresh for item in played.counts[5:15]}

    assert crops_a_frame(8.5) == {4}
    assert crops_a_frame(5.5) == {2}
    assert crops_a_frame(2.5) == {0, 1}, "nothing fits, and one is tried now and then"


def test_the_frames_of_a_replay_have_their_size_and_no_memory():
    frame = next(recording().clip.black_frames())
    assert (frame.width, frame.height) == (640, 480)
    assert frame.image.base is not None
    assert not any(frame.image.strides)


def test_never_embeds_nothing_and_loses_the_identities(tmp_path):
    never = replay(recording(), CONFIG, ReplayCase("never"), tmp_path / "a.txt")
    always = replay(recording(), CONFIG, ReplayCase("always"), tmp_path / "b.txt")
    assert never.crops == 0
    assert never.embed_ms == 0
    assert never.sha256 != always.sha256


def test_an_oracle_keeps_identities_with_few_crops(tmp_path):
    always = replay(recording(), CONFIG, ReplayCase("always"), tmp_path / "a.txt")
    oracle = replay(recording(), CONFIG, ReplayCase("oracle"), tmp_path / "b.txt")
    assert oracle.sha256 == always.sha256
    assert 0 < oracle.crops < 0.3 * always.crops


def test_an_oracle_needs_the_truth(tmp_path):
    with pytest.raises(UsageError, match=r"needs the ground truth of 'clip\.mp4'"):
        replay(recording(known=False), CONFIG, ReplayCase("oracle"), tmp_path / "a.txt")


def test_without_embeddings_only_never_can_be_played(tmp_path):
    cache = recording()
    blind = RecordedClip(cache.clip.title, cache.clip.names, frame_wh=cache.clip.frame_wh)
    for frame in cache.clip.black_frames():
        blind.add(frame, cache.clip.frames[frame.index].detections)
    cache = replace(cache, clip=blind)
    assert replay(cache, CONFIG, ReplayCase("never"), tmp_path / "a.txt").crops == 0
    with pytest.raises(UsageError, match="has no embeddings for always"):
        replay(cache, CONFIG, ReplayCase("always"), tmp_path / "a.txt")


def test_a_preset_brings_its_own_confidence(tmp_path):
    timid = recording(settings={"conf": 0.15})
    for preset, found in (("default", True), ("bytetrack", False)):
        config = TrackConfig(tracker=TrackerConfig(tracker=preset, strong_share=0.0))
        played = replay(timid, config, ReplayCase("never"), tmp_path / f"{preset}.txt")
        assert has(played.table, (600, 400, 30, 50)) is found


def has(format_table, xywh):
    x, y, w, h = xywh
    return bool(np.isclose(format_table.xyxy, (x, y, x + w, y + h)).all(axis=1).any())


def test_an_unknown_policy_lists_the_known_ones(tmp_path):
    with pytest.raises(UnknownNameError, match="Unknown policy 'intervall'"):
        replay(recording(), CONFIG, ReplayCase("intervall:3"), tmp_path / "a.txt")
