"""Cheap evidence of everybody: recorded, read back, and played."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from helpers.fakes import FakeEmbedder, ScriptedDetector, blank_frame
from helpers.recordings import DIM, FRAMES, PEOPLE, looks, recording, script
from mot_dinov3.commands.replay import choose_cases
from mot_dinov3.config import CheapConfig, DetectorConfig, TrackConfig
from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.lab.recordings.clock import CostTable
from mot_dinov3.lab.recordings.front import group_by_family
from mot_dinov3.lab.recordings.recorder import record_source
from mot_dinov3.lab.recordings.recording import FORMAT, describe_setup
from mot_dinov3.lab.recordings.replay import ReplayCase, replay
from mot_dinov3.lab.recordings.store import read_recording, write_recording
from mot_dinov3.lab.recordings.study import study
from mot_dinov3.systems.models import Models

CHEAP = TrackConfig(cheap=CheapConfig("detector"))


def with_cheap(cache, tell=looks):
    """The crossing again, with a cheap look at everybody in every frame."""
    frames = {}
    for index, take in cache.clip.frames.items():
        cheap = FakeEmbedder(tell(index), DIM).embed(None, take.detections.xyxy)
        frames[index] = replace(take, cheap=cheap)
    clip = replace(cache.clip, frames=frames)
    return replace(cache, clip=clip)


def identities(played):
    """How many different people each identity was given to, by the side they stand on."""
    table = played.table
    ends = np.isin(table.frame_index, (5, FRAMES - 5))
    rows = zip(table.track_id[ends].tolist(), table.xyxy[ends].tolist(), strict=True)
    sides = {(track, x < 300, y > 200) for track, (x, y, *_) in rows}
    return [sum(who == track for who, *_ in sides) for track in {who for who, *_ in sides}]


def test_it_is_read_as_it_was_written(tmp_path):
    cache = with_cheap(recording())
    cache.clip.whole_frame = True
    write_recording(cache, tmp_path / "a.npz")
    back = read_recording(tmp_path / "a.npz")
    assert back.clip.cheap_dim == DIM
    assert back.clip.whole_frame
    for index, take in cache.clip.frames.items():
        np.testing.assert_array_equal(back.clip.frames[index].cheap, take.cheap)


def test_a_recording_of_the_older_format_is_read_as_one_without(tmp_path):
    path = tmp_path / "old.npz"
    write_recording(recording(), path)
    assert words(path)["format"] == FORMAT == 2
    reword(path, format=1, without=("whole_frame", "cheap_dim"))
    back = read_recording(path)
    assert back.clip.cheap_dim == 0
    assert not back.clip.whole_frame
    replay(back, TrackConfig(), ReplayCase("always"), tmp_path / "o.txt")
    with pytest.raises(UsageError, match="holds no cheap evidence"):
        replay(back, TrackConfig(), ReplayCase("always", cheap=True), tmp_path / "o.txt")


def test_a_recording_of_a_newer_format_is_refused(tmp_path):
    write_recording(recording(), tmp_path / "new.npz")
    reword(tmp_path / "new.npz", format=FORMAT + 1)
    with pytest.raises(InputError, match="format 3, this version reads format 2 and older"):
        read_recording(tmp_path / "new.npz")


def test_too_few_rows_of_it_are_damage(tmp_path):
    cache = with_cheap(recording())
    write_recording(cache, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(tmp_path / "a.npz", **(arrays | {"cheap": arrays["cheap"][1:]}))
    with pytest.raises(InputError, match="'cheap' has"):
        read_recording(tmp_path / "a.npz")


def test_it_keeps_apart_who_meets_without_a_single_crop(tmp_path):
    """Two meet and turn back: place alone swaps them, the evidence of the frame before does not."""
    cache = with_cheap(recording())
    config = replace(CHEAP, cheap=CheapConfig("detector", 0.6))
    blind = replay(cache, TrackConfig(), ReplayCase("never"), tmp_path / "a.txt")
    hinted = replay(cache, config, ReplayCase("never", cheap=True), tmp_path / "b.txt")
    assert blind.crops == hinted.crops == 0
    assert max(identities(hinted)) == 1 < max(identities(blind))


def test_without_weight_it_changes_nothing(tmp_path):
    cache = with_cheap(recording())
    config = replace(CHEAP, cheap=CheapConfig("detector", 0.0))
    one = replay(cache, config, ReplayCase("value:0.8", cheap=True), tmp_path / "a.txt")
    two = replay(cache, TrackConfig(), ReplayCase("value:0.8"), tmp_path / "b.txt")
    assert one.sha256 == two.sha256
    assert one.crops == two.crops


def test_where_it_tells_rivals_apart_fewer_crops_are_wanted(tmp_path):
    cache = with_cheap(recording())
    config = replace(CHEAP, cheap=CheapConfig("detector", 0.6))
    with_it = replay(cache, config, ReplayCase("value:0.3", cheap=True), tmp_path / "a.txt").crops
    assert (
        0
        < with_it
        < replay(cache, TrackConfig(), ReplayCase("value:0.3"), tmp_path / "b.txt").crops
    )


def test_a_recording_asks_for_everybody_once_a_frame():
    frames = [blank_frame(index) for index in range(5)]
    cheap = FakeEmbedder(lambda box: np.eye(DIM)[0], DIM)
    config = TrackConfig(detector=DetectorConfig("motion"))
    done = record_source(frames, Models(ScriptedDetector(script()), None, cheap), config)
    assert done.clip.cheap_dim == DIM
    assert cheap.calls == sum(len(take.detections) for take in done.clip.frames.values())
    assert "cheap" in done.costs.stages_ms


def test_recordings_with_and_without_it_are_told_apart():
    detector, config = ScriptedDetector([]), TrackConfig(detector=DetectorConfig("motion"))
    plain = describe_setup(config, detector, None).settings
    assert "cheap_evidence" not in plain
    assert describe_setup(replace(CHEAP, detector=config.detector), detector, None).settings == {
        **plain, "cheap_evidence": "detector"}  # fmt: skip


def words(path):
    return json.loads(np.load(path)["meta"].tobytes())


def reword(path, without=(), **changes):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    kept = {name: value for name, value in words(path).items() if name not in without}
    text = json.dumps(kept | changes).encode()
    np.savez(path, **(arrays | {"meta": np.frombuffer(text, np.uint8)}))


def test_it_is_paid_for_where_it_is_used(tmp_path):
    costs = CostTable({1: 2.0}, {"read": 1.0, "detect": 20.0, "cheap": 1.5})
    cache = replace(with_cheap(recording()), costs=costs)
    cases = [ReplayCase("never", cheap=True)]
    points = {p.case: p for p in study({"clip": cache}, cases, TrackConfig(), tmp_path)}
    assert points[ReplayCase("never")].frame_ms == pytest.approx(21.0)
    assert points[cases[0]].frame_ms == pytest.approx(22.5)
    assert set(group_by_family(points.values())) == {"never", "always", "never+cheap"}
    assert (tmp_path / "clip" / "never-cheap.txt").is_file()


def test_the_command_plays_everything_without_it_and_with_it():
    config = TrackConfig(cheap=CheapConfig("detector"))
    cases = choose_cases(["never", "value:0.8,0.9"], None, [], config)
    assert [case.title for case in cases] == [
        "never", "value:0.8", "value:0.9", "never+cheap", "value:0.8+cheap", "value:0.9+cheap",
    ]  # fmt: skip


def test_real_looks_take_the_place_of_cheap_ones(tmp_path):
    """Cheap evidence that names everybody by the wrong name does no harm where all are embedded."""
    liar = with_cheap(recording(), lambda index: looks(FRAMES // 2 if index % 2 else index))
    config = replace(CHEAP, cheap=CheapConfig("detector", 1.0))
    one = replay(liar, config, ReplayCase("always", cheap=True), tmp_path / "a.txt")
    two = replay(liar, config, ReplayCase("always"), tmp_path / "b.txt")
    assert one.sha256 == two.sha256


def test_a_recording_of_whole_pictures_is_played_in_passes(tmp_path):
    cache = recording()
    cache.clip.whole_frame = True
    played = replay(cache, TrackConfig(), ReplayCase("value:0.3"), tmp_path / "a.txt")
    assert {count.computed for count in played.counts} == {0, PEOPLE}
