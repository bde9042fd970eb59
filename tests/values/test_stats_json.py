from __future__ import annotations

import json

from mot_dinov3.values.run_facts import (
    AppearanceFacts,
    BudgetFacts,
    DeviceFacts,
    EmbeddingFacts,
    RunFacts,
    SearchFacts,
    SourceFacts,
    Spread,
    StageFacts,
    SystemCounts,
    TrackMerge,
    ZoneFacts,
)
from mot_dinov3.values.stats_json import facts_from_stats, to_stats

WHOLE = RunFacts(
    frames=3,
    wall_s=0.5,
    fps=6.0,
    latency_ms=Spread(1.0, 2.0, 3.0, 4.0),
    stages={"detect": StageFacts(1.0, 2.0, 0.7512)},
    embeddings=EmbeddingFacts(5, 3, 2, 7, 1, 0, 1, 2, 1.667),
    budget=BudgetFacts(6.0, 1, 0.5, 1, 0, 4.25, 1.1, 1.5),
    search=SearchFacts(2, 5),
    detections=9,
    counts=SystemCounts(4, 2, AppearanceFacts(0.741, True, True, 0.46, 0.87, 0.98)),
    identities={"person": 2},
    lines={"door": {"in": {"person": 2}, "out": {}}},
    zones={"yard": ZoneFacts({"person": 3}, {"person": 2}, 2, {"person": {"1": 1.125}})},
    faults={"truncated": 1},
    stopped_by_signal=2,
    stopped_by_viewer=True,
    warm_up_s=0.25,
    frame_size=(320, 240),
    source=SourceFacts("walk.mp4", 25.0, 3, live=True),
    models={"detector": "yolo", "embedder": "none"},
    config={"fps": 0.123456, "classes": [1]},
    versions={"numpy": "2"},
    device=DeviceFacts("cpu", 8),
    threads={"main": 0.9876},
    resumed_frames=1,
    repeatable=False,
    merges=(TrackMerge(3, 1, 2, 0.8765, 1.25),),
    relink_s={"search": 0.125},
)
NAMES = [
    "frames", "wall_s", "fps", "latency_ms", "stages", "embeddings", "budget", "search",
    "detections", "tracks", "identities", "lines", "zones", "faults", "stopped_by_signal",
    "stopped_by_viewer", "warm_up_s", "frame_size", "source", "detector", "embedder", "config",
    "versions", "device", "threads", "resumed_frames", "repeatable", "relinked", "relink_s",
]  # fmt: skip
"""Other programs read these names, and people read them in this order."""


def test_the_names_and_their_order_are_stable():
    stats = to_stats(WHOLE)
    assert list(stats) == NAMES
    assert stats["tracks"] == {
        "born": 4, "confirmed": 2,
        "appearance": {"gate": 0.741, "returns": True, "used": True, "stranger": 0.46,
                       "same": 0.87, "auc": 0.98},
    }  # fmt: skip
    assert list(stats["budget"]) == [
        "ms", "frames_over", "worst_over_ms", "frames_critical_over", "fitted_frames_over_1_1",
        "used_ms_mean", "measured_over_predicted_p50", "measured_over_predicted_p95",
    ]  # fmt: skip
    assert stats["relinked"] == [
        {"old": 3, "new": 1, "after": 2, "similarity": 0.8765, "gap_s": 1.25}
    ]
    assert stats["frame_size"] == [320, 240]


def test_facts_come_back_from_the_file():
    assert facts_from_stats(json.loads(json.dumps(to_stats(WHOLE)))) == WHOLE


def test_what_a_system_does_not_have_is_not_in_the_file():
    assert to_stats(RunFacts(frames=2)) == {"frames": 2}
    assert facts_from_stats({"frames": 2}) == RunFacts(frames=2)


def test_numbers_are_rounded_and_settings_are_not():
    exact = RunFacts(
        wall_s=1.23456, threads={"main": 0.123456}, config={"fps": 0.123456},
        stages={"detect": StageFacts(1.23456, 1.23456, 0.123456)},
    )  # fmt: skip
    stats = to_stats(exact)
    assert stats["wall_s"] == 1.235
    assert stats["threads"] == {"main": 0.1235}
    assert stats["stages"] == {"detect": {"mean_ms": 1.235, "p95_ms": 1.235, "share": 0.1235}}
    assert stats["config"] == {"fps": 0.123456}


def test_without_a_limit_only_its_absence_is_told():
    stats = to_stats(RunFacts(budget=BudgetFacts(0.0, measured_over_predicted_p50=1.0)))
    assert stats["budget"] == {
        "ms": 0.0, "frames_over": 0, "worst_over_ms": 0.0, "measured_over_predicted_p50": 1.0,
    }  # fmt: skip


def test_a_file_of_an_older_run_lacks_what_was_not_known_then():
    old = {"frames": 4, "embeddings": {"computed": 3}, "budget": {"ms": 5, "frames_over": 2}}
    facts = facts_from_stats(old)
    assert facts.embeddings == EmbeddingFacts(computed=3)
    assert facts.budget == BudgetFacts(5.0, 2)
    assert facts.counts is facts.merges is facts.latency_ms is None


def test_tracks_of_which_no_appearance_was_learned():
    plain, partly = SystemCounts(4, 2), SystemCounts(4, 2, AppearanceFacts(0.7, False, True, 0.4))
    assert to_stats(RunFacts(counts=plain))["tracks"] == {"born": 4, "confirmed": 2}
    for counts in (plain, partly):
        assert facts_from_stats(to_stats(RunFacts(counts=counts))).counts == counts
    for odd in (None, 7, {"gate": 0.7}, {"gate": "x", "returns": 1, "used": True, "stranger": 0.1}):
        older = {"tracks": {"born": 4, "confirmed": 2, "appearance": odd}}
        assert facts_from_stats(older).counts == plain


def test_damage_becomes_unknown_not_wrong():
    odd = {"frames": "many", "fps": 1e300, "wall_s": True, "latency_ms": {"mean": 1.0},
           "stages": {"detect": 3}, "tracks": {"born": 1}, "faults": [], "frame_size": [1, "x"],
           "relinked": [7, {"old": 1}], "budget": {"frames_over": 3}}  # fmt: skip
    assert facts_from_stats(odd) == RunFacts(stages={}, merges=())
