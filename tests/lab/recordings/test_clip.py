"""Recorded clips and made-up crowds: what is played is what was recorded."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from helpers.fakes import FakeEmbedder, ScriptedDetector, blank_frame
from mot_dinov3.config import DetectorConfig, SchedulerConfig, TrackConfig
from mot_dinov3.data.synthetic.crowd import Crowd, CrowdConfig
from mot_dinov3.io.formats.mot import read_mot
from mot_dinov3.lab.benchmarks.association import (
    embed_by_place,
    measure_clip,
    record_mot_file,
)
from mot_dinov3.lab.benchmarks.saving import track_clip
from mot_dinov3.lab.recordings.clip import ClipPlayer, embed_clip, record_detections
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models


def look(box):
    """One direction per place: left or right of the middle."""
    vector = np.zeros(8)
    vector[0 if box[0] < 300 else 1] = 1.0
    return vector


SCRIPT = [
    [(10 + step, 10, 60 + step, 110), (400 - step, 10, 450 - step, 110), (200, 10, 240, 90, 0.2)]
    for step in range(12)
]
CONF = 0.3


@pytest.fixture
def clip():
    frames = [blank_frame(index) for index in range(len(SCRIPT))]
    return embed_clip(
        record_detections(frames, ScriptedDetector(SCRIPT)), frames, FakeEmbedder(look), CONF
    )


def test_a_tape_repeats_what_was_seen(clip):
    player = ClipPlayer(clip)
    frames = list(clip.black_frames())
    assert len(clip) == 12
    assert clip.per_frame == 3
    assert [frame.time_s for frame in frames] == [blank_frame(i).time_s for i in range(12)]
    for frame, rows in zip(frames, SCRIPT, strict=True):
        np.testing.assert_allclose(player.detect(frame).xyxy, [row[:4] for row in rows])


def test_a_tape_finds_vectors_by_box_in_any_order(clip):
    player = ClipPlayer(clip)
    frame = list(clip.black_frames())[3]
    boxes = player.detect(frame).xyxy
    np.testing.assert_allclose(
        player.embed(frame.image, boxes[[1, 0]]), [look(b) for b in boxes[[1, 0]]]
    )
    assert player.spent_ms > 0
    player.detect(frame)
    assert player.spent_ms == 0


def test_weak_detections_are_not_embedded(clip):
    vectors = clip.frames[0].vectors
    assert np.isfinite(vectors[:2]).all()
    assert np.isnan(vectors[2]).all()


def test_a_replay_tracks_as_the_clip_itself_does(clip):
    frames = [blank_frame(index) for index in range(len(SCRIPT))]
    direct = assemble(TrackConfig(), Models(ScriptedDetector(SCRIPT), FakeEmbedder(look)))
    player = ClipPlayer(clip)
    played = assemble(TrackConfig(), Models(player, player))
    for frame in frames:
        a, b = direct.step(frame), played.step(frame)
        np.testing.assert_array_equal(a.tracks.id, b.tracks.id)
        assert a.embed.computed == b.embed.computed
        assert a.embed.nonfinite == b.embed.nonfinite == 0


def test_scheduling_saves_on_a_tape(clip, tmp_path):
    config = TrackConfig()
    everything = track_clip(clip, config, SchedulerConfig(embed_all=True), tmp_path / "all.txt")
    scheduled = track_clip(clip, config, SchedulerConfig(), tmp_path / "some.txt")
    assert sum(item.computed for item in everything) == 24
    assert 2 <= sum(item.computed for item in scheduled) < 12
    assert set(read_mot(tmp_path / "some.txt").track_id.tolist()) == {1, 2}


def test_cost_of_skips_the_first_frames_of_each_round():
    frames = [blank_frame(index) for index in range(30)]
    clip = record_detections(frames, ScriptedDetector([SCRIPT[0]] * 30))
    assert measure_clip(clip, TrackConfig(), rounds=2)["frames"] == 20


def test_mot_tape_covers_the_whole_file(tmp_path):
    path = tmp_path / "det.txt"
    path.write_text("1,-1,0,0,10,20,0.9\n4,-1,5,5,10,20,0.9\n4,-1,50,5,10,20,0.9\n")
    config = DetectorConfig(det=f"mot:{path}")
    assert [len(take.detections) for take in record_mot_file(config, 0).frames.values()] == [
        1,
        0,
        0,
        2,
    ]
    assert len(record_mot_file(config, 2)) == 2


def test_looks_by_place_are_unit_and_smooth(clip):
    detections = clip.frames[0].detections
    here, next_frame = (embed_by_place(clip.frames[i].detections, 64) for i in (0, 1))
    np.testing.assert_allclose(np.linalg.norm(here, axis=1), 1, atol=1e-6)
    cosine = here @ next_frame.T
    assert (np.diag(cosine) > 0.95).all()
    assert abs(cosine[0, 1]) < 0.7
    assert embed_by_place(detections, 0).shape == (3, 0)


def test_a_crowd_is_repeatable_and_complete():
    config = CrowdConfig(people=20, dim=16)
    first, again = (list(islice(Crowd(config), 5)) for _ in range(2))
    for (frame, detections, vectors), (_, other, _) in zip(first, again, strict=True):
        assert len(detections) == 20
        np.testing.assert_array_equal(detections.xyxy, other.xyxy)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        assert frame.time_s == pytest.approx(frame.index / 30)
    same_person = (first[0][2] * first[4][2]).sum(axis=1)
    assert (same_person > 0.8).all()


def test_a_restless_crowd_has_births_deaths_and_gaps():
    config = CrowdConfig(people=50, dim=4, life_frames=10, missed=0.2)
    frames = list(islice(Crowd(config), 40))
    assert 30 < np.mean([len(detections) for _, detections, _ in frames]) < 45
    crowd = Crowd(CrowdConfig(people=50, life_frames=10))
    before = crowd._centre.copy()
    crowd._move()
    moved = np.linalg.norm(crowd._centre - before, axis=1)
    assert 1 <= (moved > 30).sum() <= 15
