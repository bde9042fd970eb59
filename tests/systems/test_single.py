"""One object is followed, lost and found again, whatever finds it first."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import ScriptedDetector
from helpers.moving import HEIGHT, WIDTH, box_words, frame, overlap, place
from mot_dinov3.config import (
    DetectorConfig,
    FollowConfig,
    SearchConfig,
    SourceConfig,
    TrackConfig,
    TrackerConfig,
)
from mot_dinov3.errors import UnknownNameError, UsageError
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.perception.searchers.base import Finds
from mot_dinov3.perception.searchers.flow import FlowSearcher
from mot_dinov3.perception.searchers.predicted import PredictedPlaces
from mot_dinov3.systems import follower
from mot_dinov3.systems.factory import create_system, system_class
from mot_dinov3.systems.follower import Follower, Picker
from mot_dinov3.systems.single import LoadedSingle
from mot_dinov3.values import CONFIRMED, LOST

FIRST = FollowConfig(box=box_words(0))


def configured(follow=FIRST, searcher="flow", **more):
    more.setdefault("detector", DetectorConfig(det="there-is-no-such-file.pt"))
    return TrackConfig(
        tracker=TrackerConfig(system="single"),
        search=SearchConfig(searcher=searcher),
        follow=follow,
        **more,
    )


class Script:
    """A searcher that finds what it is told to, and keeps what it was asked."""

    title, fingerprint, sure, needs_pixels = "script", "built in", 0.5, True

    def __init__(self, *finds):
        self.finds, self.asked, self.shown = list(finds), [], []

    def show(self, frame, ids, xyxy):
        self.shown.append((frame.index, ids.tolist(), xyxy[0].tolist()))

    def search(self, frame, ids, expected):
        self.asked.append(expected[0].tolist())
        box, score = self.finds.pop(0)
        return Finds(np.array([box], np.float32), np.array([score], np.float32))

    def forget(self, ids):
        pass

    def renew(self):
        return self


def run(system, count, hidden=(), first=0):
    return [system.step(frame(i, hidden=i in hidden)) for i in range(first, first + count)]


def test_a_box_is_followed_without_any_detector():
    results = run(create_system(configured(), "cpu"), 20)
    for index, result in enumerate(results):
        tracks, seen = result.tracks, result.detections
        assert (tracks.id.tolist(), tracks.detection.tolist()) == ([1], [0])
        assert tracks.state.tolist() == [CONFIRMED]
        assert overlap(tracks.xyxy[0], place(index)) > 0.85
        np.testing.assert_array_equal(seen.xyxy, tracks.xyxy)
        np.testing.assert_array_equal(seen.score, tracks.score)
        assert 0.3 <= seen.score[0] <= 1
    assert set(results[0].stage_ms) == {"detect"}
    assert set(results[5].stage_ms) == {"search"}


def test_a_box_that_stands_still_is_not_enough():
    """The control of the test above: without looking the object is gone."""
    results = run(create_system(configured(searcher="predict"), "cpu"), 20)
    assert overlap(results[-1].tracks.xyxy[0], place(19)) < 0.2


def test_before_its_frame_nothing_is_known():
    system = create_system(configured(FollowConfig(box=box_words(4), frame=4)), "cpu")
    results = run(system, 8)
    assert [len(result.tracks) for result in results] == [0] * 4 + [1] * 4
    assert [len(result.detections) for result in results] == [0] * 4 + [1] * 4
    assert overlap(results[-1].tracks.xyxy[0], place(7)) > 0.85


def test_a_hidden_object_is_lost_and_found_again():
    hidden = (8, 9, 10)
    results = run(create_system(configured(), "cpu"), 16, hidden)
    for index, result in enumerate(results):
        lost = index in hidden
        assert result.tracks.state.tolist() == [LOST if lost else CONFIRMED], index
        assert result.tracks.detection.tolist() == [-1 if lost else 0]
        assert len(result.detections) == (0 if lost else 1)
    assert overlap(results[-1].tracks.xyxy[0], place(15)) > 0.8


def test_counts_begin_with_the_object():
    system = create_system(configured(FollowConfig(box=box_words(1), frame=1)), "cpu")
    run(system, 1)
    assert (system.counts.initiated, system.counts.confirmed) == (0, 0)
    run(system, 1, first=1)
    assert (system.counts.initiated, system.counts.confirmed) == (1, 1)


def test_it_is_looked_for_where_it_moves_to_and_then_where_that_was():
    box = np.array([10, 10, 30, 30], np.float32)
    searcher = Script((box + 4, 0.9), *[(box, 0.4)] * 9)
    results = run(Follower(searcher, FollowConfig(box="10,10,20,20")), 11)
    assert searcher.shown == [(0, [1], [10, 10, 30, 30])]
    assert searcher.asked[0] == [10, 10, 30, 30]
    assert [asked[0] for asked in searcher.asked[1:]] == [16, 18, 20, 22, 24, 24, 24, 24, 24]
    assert [result.tracks.state[0] for result in results] == [CONFIRMED, CONFIRMED, *[LOST] * 9]


def test_a_find_must_be_sure_and_in_the_picture():
    inside, outside = [10, 10, 30, 30], [WIDTH - 4, 10, WIDTH + 16, 30]
    searcher = Script((inside, 0.49), (outside, 1.0), (inside, 0.5))
    results = run(Follower(searcher, FollowConfig(box="10,10,20,20")), 4)
    assert [result.tracks.state[0] for result in results[1:]] == [LOST, LOST, CONFIRMED]


CAR, PERSON = 1, 0
SURE_CAR, CAR_BOX = (50, 40, 90, 80, 0.8, CAR), [50, 40, 90, 80]


def picked(frames, pick="car", number=-1, conf=0.3):
    detector = ScriptedDetector(frames)
    loaded = LoadedSingle(PredictedPlaces(), FollowConfig(pick=pick, frame=number), detector)
    detect = DetectorConfig(conf=conf)
    return loaded.start(configured(FollowConfig(pick=pick, frame=number), detector=detect))


def test_the_most_confident_object_of_the_class_is_picked():
    weak, person = (5, 5, 25, 30, 0.4, CAR), (100, 40, 140, 80, 0.95, PERSON)
    results = run(picked([[person], [weak, SURE_CAR, person]]), 3)
    assert [len(result.tracks) for result in results] == [0, 1, 1]
    assert results[1].tracks.xyxy.tolist() == [CAR_BOX]
    assert results[1].tracks.class_id.tolist() == [CAR]
    assert results[1].tracks.score.tolist() == pytest.approx([0.8])


def test_weak_objects_are_not_picked():
    assert len(run(picked([[SURE_CAR]], conf=0.81), 1)[0].tracks) == 0


def test_the_detector_looks_no_more_once_the_object_is_known():
    system = picked([[SURE_CAR]])  # one frame is all that it has
    assert len(run(system, 5)[-1].tracks) == 1


def test_an_object_that_comes_in_is_waited_for(monkeypatch):
    monkeypatch.setattr(follower, "WAIT_FRAMES", 2)
    cut = (0, 40, 20, 80, 0.9, CAR)
    assert [len(r.tracks) for r in run(picked([[cut], [cut, SURE_CAR]]), 2)] == [0, 1]
    assert [len(r.tracks) for r in run(picked([[cut]] * 3), 3)] == [0, 0, 1]
    assert len(run(picked([[cut]], number=0), 1)[0].tracks) == 1  # this very frame was asked for


def test_a_class_that_is_never_seen_is_said(monkeypatch):
    monkeypatch.setattr(follower, "LOOK_FRAMES", 3)
    system = picked([[]] * 3)
    run(system, 2)
    with pytest.raises(UsageError, match=r"No car was seen in 3 frames, the last of them frame 2"):
        run(system, 1, first=2)


def test_a_class_that_the_detector_does_not_know_is_refused():
    with pytest.raises(UsageError, match=r"--pick: the detector has no class 'cart'"):
        Picker(ScriptedDetector([]), "cart", 0.3)
    drawn = configured(FollowConfig(pick="persom"), detector=DetectorConfig(det="motion"))
    with pytest.raises(UsageError, match="--pick"):
        LoadedSingle.load(drawn, "cpu")


def test_classes_do_not_bind_the_pick():
    detect = DetectorConfig(det="motion", classes="nothing-of-this")
    loaded = LoadedSingle.load(configured(FollowConfig(pick="0"), detector=detect), "cpu")
    assert loaded.names == {0: "moving"}


@pytest.mark.parametrize(
    ("follow", "source", "said"),
    [
        (FollowConfig(), {}, "nothing to follow"),
        (FollowConfig(box="1,1,9,9", frame=4), {"start_frame": 5}, "before --start-frame 5"),
        (FollowConfig(box="1,1,9,9", frame=4), {"end_frame": 3}, "with --end-frame 3"),
        (FollowConfig(box="1,1,9,9", frame=4), {"max_frames": 4}, "with --max-frames 4"),
        (FollowConfig(box="1,1,9,9", frame=4), {"vid_stride": 3}, "left out by --vid-stride 3"),
    ],
)
def test_a_frame_that_is_not_tracked_is_refused_before_anything_is_loaded(follow, source, said):
    config = configured(follow, "no-such-searcher", source=SourceConfig(**source))
    with pytest.raises(UsageError, match=said):
        LoadedSingle.load(config, "cpu")


@pytest.mark.parametrize("more", [{"max_frames": 5}, {"end_frame": 4}, {"vid_stride": 2}, {}])
def test_a_frame_that_is_tracked_is_taken(more):
    LoadedSingle.load(configured(FollowConfig(box="1,1,9,9", frame=4), source=SourceConfig(**more)))


def test_an_unknown_searcher_is_refused():
    with pytest.raises(UnknownNameError, match="flaw"):
        create_system(configured(searcher="flaw"), "cpu")


def source(width=WIDTH, height=HEIGHT, count=10, **more):
    return SourceInfo("clip", width, height, 25.0, count, is_live=False, path=None, **more)


def test_a_source_is_checked_before_its_first_frame(tmp_path):
    outside = LoadedSingle(FlowSearcher(), FollowConfig(box=f"{WIDTH - 10},5,40,40"))
    with pytest.raises(UsageError, match=r"outside of the picture, which has 200x140 pixels"):
        outside.check_source(source())
    outside.check_source(source(0, 0))  # not known yet: the first frame decides
    with pytest.raises(UsageError, match="outside of the picture"):
        outside.start(configured(FollowConfig(box=f"{WIDTH - 10},5,40,40"))).warm_up(frame(0))
    late = LoadedSingle(FlowSearcher(), FollowConfig(box="5,5,40,40", frame=10))
    with pytest.raises(UsageError, match="beyond the end: 'clip' has 10 frames"):
        late.check_source(source())
    late.check_source(source(count=11))


def test_a_picture_of_another_size_in_the_middle_decides_for_itself():
    system = Follower(Script(), FollowConfig(box="150,5,40,40", frame=1))
    system.warm_up(frame(0))
    run(system, 1)
    small = type(frame(1))(1, 0.04, frame(1).image[:100, :160])
    with pytest.raises(UsageError, match="160x100"):
        system.step(small)


def test_clips_share_weights_and_nothing_else():
    loaded, still = LoadedSingle.load(configured(), "cpu"), FollowConfig(box="140,90,40,40")
    first, second = loaded.start(configured()), loaded.start(configured(still))
    assert loaded.for_clip(configured()) is loaded
    for index in range(12):
        one, other = first.step(frame(index)), second.step(frame(index))
    assert overlap(one.tracks.xyxy[0], place(11)) > 0.85
    assert overlap(other.tracks.xyxy[0], np.array([140, 90, 180, 130])) > 0.85


def test_a_detector_that_remembers_frames_is_made_anew():
    config = configured(FollowConfig(pick="moving"), detector=DetectorConfig(det="motion"))
    loaded = LoadedSingle.load(config, "cpu")
    assert loaded.for_clip(config) is not loaded


def test_what_it_is_made_of_is_told():
    loaded = LoadedSingle.load(configured(), "cpu")
    assert loaded.title == loaded.start(configured()).title == "searcher flow"
    assert loaded.fingerprint == {"searcher": "flow", "weights of the searcher": "built in"}
    assert loaded.names == {0: "object"}
    detector = ScriptedDetector([])
    with_detector = LoadedSingle(FlowSearcher(), FollowConfig(pick="car"), detector)
    assert with_detector.fingerprint["weights of the detector"] == "scripted weights"
    assert with_detector.title == "searcher flow; detector scripted"
    assert with_detector.names == detector.names


def test_what_is_asked_before_loading():
    boxed, by_class = configured(), configured(FollowConfig(pick="car"))
    kind = system_class(boxed)
    assert kind.find_pixel_needs(boxed) == {"--searcher flow": "--searcher predict"}
    assert kind.find_pixel_needs(configured(searcher="predict")) == {}
    assert "--det there-is-no-such-file.pt" in kind.find_pixel_needs(by_class)
    assert kind.list_input_files(boxed) == []
    assert [path.name for path in kind.list_input_files(by_class)] == ["there-is-no-such-file.pt"]
    stored = configured(FollowConfig(pick="0"), detector=DetectorConfig(det="mot:det.txt"))
    assert kind.find_clip_inputs(stored) == {"--det": "mot:"}
    assert kind.find_clip_inputs(configured(detector=stored.detector)) == {}
    assert kind.find_missing_embeddings(boxed) == "--system single"
