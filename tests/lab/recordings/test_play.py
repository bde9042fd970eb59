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
from mot_dinov3.lab.recordings.play import Case, play
from mot_dinov3.lab.recordings.tape import Tape
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.modular import Models

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
    with MotWriter(path) as writer:
        for index in range(FRAMES):
            result = tracker.step(blank_frame(index))
            writer.write(index, result.tracks)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("case", "scheduler"),
    [
        pytest.param(Case("always"), SchedulerConfig(embed_all=True), id="always is --embed-all"),
        pytest.param(Case("continuity"), SchedulerConfig(embed_policy="continuity"), id="rule"),
        pytest.param(
            Case("continuity", budget_crops=2),
            SchedulerConfig(embed_policy="continuity", budget_crops=2),
            id="budget in crops",
        ),
    ],
)
def test_a_replay_gives_the_bytes_of_the_pipeline(case, scheduler, tmp_path):
    expected = tracked(scheduler, tmp_path / "normal.txt")
    play(recording(), CONFIG, case, tmp_path / "replay.txt")
    assert (tmp_path / "replay.txt").read_bytes() == expected
    assert len(expected) > 1000


@pytest.mark.parametrize(
    "case",
    [Case("always"), Case("continuity", budget_ms=9), Case("interval:4", budget_ms=9),
     Case("oracle:2"), Case("fast-strongsort")],
    ids=lambda case: case.title,
)  # fmt: skip
def test_two_replays_are_the_same(case, tmp_path):
    first, again = (play(recording(), CONFIG, case, tmp_path / f"{n}.txt") for n in "ab")
    assert first.sha256 == again.sha256
    assert first.counts == again.counts


def test_time_is_what_the_recording_says(tmp_path):
    played = play(recording(), CONFIG, Case("always"), tmp_path / "a.txt")
    assert played.crops == STRONG
    np.testing.assert_allclose([item.embed_ms for item in played.counts], 8.0)
    dearer = replace(recording(), costs=replace(recording().costs, embed_ms={1: 50.0}))
    assert play(dearer, CONFIG, Case("always"), tmp_path / "b.txt").embed_ms == pytest.approx(
        FRAMES * 200
    )


def test_a_budget_of_time_admits_what_its_costs_fit(tmp_path):
    def crops_a_frame(ms):
        played = play(recording(), CONFIG, Case("interval:1", budget_ms=ms), tmp_path / "a.txt")
        return {item.refresh for item in played.counts[5:15]}

    assert crops_a_frame(8.5) == {4}
    assert crops_a_frame(5.5) == {2}
    assert crops_a_frame(2.5) == {0}


def test_the_frames_of_a_replay_have_their_size_and_no_memory():
    frame = next(recording().tape.frames())
    assert (frame.width, frame.height) == (640, 480)
    assert frame.image.base is not None
    assert not any(frame.image.strides)


def test_never_embeds_nothing_and_loses_the_identities(tmp_path):
    never = play(recording(), CONFIG, Case("never"), tmp_path / "a.txt")
    always = play(recording(), CONFIG, Case("always"), tmp_path / "b.txt")
    assert never.crops == 0
    assert never.embed_ms == 0
    assert never.sha256 != always.sha256


def test_an_oracle_keeps_identities_with_few_crops(tmp_path):
    always = play(recording(), CONFIG, Case("always"), tmp_path / "a.txt")
    oracle = play(recording(), CONFIG, Case("oracle"), tmp_path / "b.txt")
    assert oracle.sha256 == always.sha256
    assert 0 < oracle.crops < 0.3 * always.crops


def test_an_oracle_needs_the_truth(tmp_path):
    with pytest.raises(UsageError, match=r"needs the ground truth of 'clip\.mp4'"):
        play(recording(known=False), CONFIG, Case("oracle"), tmp_path / "a.txt")


def test_without_embeddings_only_never_can_be_played(tmp_path):
    cache = recording()
    blind = Tape(cache.tape.title, cache.tape.names, frame_wh=cache.tape.frame_wh)
    for frame in cache.tape.frames():
        blind.add(frame, cache.tape.takes[frame.index].detections)
    cache = replace(cache, tape=blind)
    assert play(cache, CONFIG, Case("never"), tmp_path / "a.txt").crops == 0
    with pytest.raises(UsageError, match="has no embeddings for always"):
        play(cache, CONFIG, Case("always"), tmp_path / "a.txt")


def test_a_preset_brings_its_own_confidence(tmp_path):
    timid = recording(settings={"conf": 0.15})
    for preset, found in (("default", True), ("bytetrack", False)):
        config = TrackConfig(tracker=TrackerConfig(tracker=preset, strong_share=0.0))
        played = play(timid, config, Case("never"), tmp_path / f"{preset}.txt")
        assert has(played.result, (600, 400, 30, 50)) is found


def has(table, xywh):
    x, y, w, h = xywh
    return bool(np.isclose(table.xyxy, (x, y, x + w, y + h)).all(axis=1).any())


def test_an_unknown_policy_lists_the_known_ones(tmp_path):
    with pytest.raises(UnknownNameError, match="Unknown policy 'intervall'"):
        play(recording(), CONFIG, Case("intervall:3"), tmp_path / "a.txt")
