from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.fakes import boxes
from mot_dinov3.outputs.summary import format_summary
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.values import EmbedCounts, FrameResult, Tracks
from mot_dinov3.values.run_facts import (
    AppearanceFacts,
    DeviceFacts,
    RunFacts,
    SearchFacts,
    SystemCounts,
    TrackMerge,
)


def facts(**embed):
    statistics = RunStatistics()
    result = FrameResult(0, 0.0, boxes((0, 0, 5, 5)), Tracks.empty(), EmbedCounts(**embed))
    for _ in range(4):
        statistics.add(result, {"detect": 6.0, "embed": 2.0}, 8.0)
    return replace(statistics.facts(0.5), counts=SystemCounts(3, 2))


def test_the_summary_tells_where_the_time_went():
    text = format_summary(facts(critical=1, refresh=1, reused=6, deferred=2))
    assert text.splitlines()[0] == "4 frames in 0.5 s: 8.0 FPS, 2 tracks confirmed of 3 born"
    assert "latency ms/frame   mean 8.0  p50 8.0  p95 8.0  p99 8.0" in text
    assert "  detect        6.00     6.00   75.0%" in text
    assert "embeddings   8 of 40 crops embedded (20 %), 2.00 a frame\n" in text
    assert "             4 critical, 4 refresh; reused 24, deferred 8" in text
    assert "budget" not in text
    assert "faults" not in text
    assert "starved" not in text


def test_the_fates_of_embeddings_add_up_to_the_detections():
    text = format_summary(replace(facts(critical=1, reused=6), detections=40))
    assert "4 critical, 0 refresh; reused 24, none 12" in text


def test_embeddings_without_a_track_are_said():
    text = format_summary(facts(critical=3, refresh=1, without_track=2))
    assert "12 critical, 4 refresh, 8 without a track" in text


@pytest.mark.parametrize(
    ("fates", "said"),
    [
        ({"critical": 1, "reused": 999}, "4 of 4000 crops embedded (0.1 %)"),
        ({"critical": 999, "reused": 1}, "3996 of 4000 crops embedded (99.9 %)"),
        ({"critical": 5}, "20 of 20 crops embedded (100 %)"),
    ],
)
def test_a_small_share_is_not_said_to_be_nothing(fates, said):
    assert said in format_summary(facts(**fates))


def test_embed_all_says_what_it_leaves_out():
    known = replace(facts(critical=5, reused=2), detections=60)
    config = {"embed_all": True, "conf": 0.3}
    said = "--embed-all leaves out 40 detections below --conf 0.3"
    assert said in format_summary(replace(known, config=config))
    assert "leaves out" not in format_summary(replace(known, config=config | {"embed_all": False}))
    assert "leaves out" not in format_summary(replace(known, config=config, detections=20))


def test_a_search_says_how_many_detections_it_took():
    known = replace(facts(), frames=40, search=SearchFacts(13, 54))
    said = "search       detected in 13 of 40 frames (32 %), 54 boxes searched"
    assert said in format_summary(known).splitlines()
    one = replace(facts(), frames=1, search=SearchFacts(1, 1))
    said = "search       detected in 1 of 1 frame (100 %), 1 box searched"
    assert said in format_summary(one).splitlines()
    assert "search" not in format_summary(facts())


def test_a_run_by_motion_alone_has_no_shares_of_embeddings():
    assert "embeddings   none" in format_summary(facts()).splitlines()


def test_what_a_system_does_not_have_has_no_line():
    alone = RunFacts(frames=4, wall_s=0.5, fps=8.0, counts=SystemCounts(1, 1))
    assert format_summary(alone) == "4 frames in 0.5 s: 8.0 FPS, 1 track confirmed of 1 born"


@pytest.mark.parametrize(
    ("device", "encoder", "said"),
    [
        (
            "cuda:0 (Tesla T4)",
            "h264_nvenc",
            "device       cuda:0 (Tesla T4); detector torch fp16; "
            "embedder onnxruntime fp32 on cpu; video h264_nvenc",
        ),
        ("cpu", None, "device       cpu; detector torch fp16 on cuda:0; embedder onnxruntime fp32"),
    ],
)
def test_the_device_the_precision_and_the_encoder_are_in_one_line(device, encoder, said):
    models = {
        "detector": "yolov8n.pt 960x544 px, torch fp16, cuda:0",
        "embedder": "osnet.onnx 128x256 px, cpu, onnxruntime fp32",
        "searcher": "flow",
    }
    known = replace(facts(), device=DeviceFacts(device, 2), models=models, encoder=encoder)
    assert said in format_summary(known).splitlines()


def test_models_without_a_network_have_a_device_alone():
    models = {"detector": "motion", "embedder": "none"}
    known = replace(facts(), device=DeviceFacts("cpu", 2), models=models)
    assert "device       cpu" in format_summary(known).splitlines()


def test_a_budget_has_its_line():
    text = format_summary(facts(critical=1, budget_ms=20.0, embed_ms=25.5, critical_ms=21.0))
    assert "budget       20 ms: 25.50 ms used on average, 4 frames over (worst by 5.5 ms)" in text
    assert "of which 4 by critical work alone" in text


def test_what_other_cameras_have_lent_is_told_apart_from_the_budget():
    known, config = facts(critical=1, budget_ms=22.497), {"embed_budget_ms": 15.0}
    text = format_summary(replace(known, config=config))
    assert "usually 22.5 ms (15 of its own, the rest from other cameras): " in text
    alone = format_summary(replace(known, config={"embed_budget_ms": 22.497}))
    assert "budget       22.5 ms: " in alone


def test_a_budget_in_time_is_said_to_be_not_repeatable():
    limited = format_summary(facts(critical=1, budget_ms=20.0))
    assert "  not repeatable: this budget follows measured times" in limited
    assert "--embed-budget-crops" in limited
    assert "repeatable" not in format_summary(facts(critical=1))


def test_starved_detections_and_faults_are_said():
    faulty = replace(facts(starved=2, nonfinite=1), faults={"corrupt_packets": 3, "truncated": 0})
    text = format_summary(faulty)
    assert "starved 8" in text
    assert text.splitlines()[-1] == "faults       corrupt packets: 3, non-finite vectors: 4"


def test_nothing_tracked_is_no_division_by_zero():
    assert format_summary(RunStatistics().facts(0.0)).startswith("0 frames in 0.0 s: 0.0 FPS")


def test_one_of_a_kind_is_singular():
    known = facts(budget_ms=20.0)
    text = format_summary(
        replace(
            known,
            frames=1,
            counts=SystemCounts(1, 1),
            budget=replace(known.budget, frames_over=1),
            merges=(TrackMerge(2, 1, 1, 0.9, 1.0),),
            relink_s={},
        )
    )
    assert text.startswith("1 frame in 0.5 s: 8.0 FPS, 1 track confirmed of 1 born")
    assert "1 frame over (worst" in text
    assert text.endswith(
        "relinked     1 identity merged into another\n"
        "  2 is 1: similarity 0.90 to 1, 1.0 s after it"
    )


def test_a_target_is_named_beside_the_rate_reached():
    text = format_summary(replace(facts(budget_ms=16.0), config={"target_fps": 25.0}))
    assert "8.0 FPS (target 25)," in text.splitlines()[0]
    assert "budget       usually 16 ms" in text


def test_the_busy_threads_are_named_where_there_are_several():
    shares = {"main": 0.991, "sinks": 0.2, "encode": 0.05}
    text = format_summary(replace(facts(), threads=shares))
    assert "threads      busy main 99.1%, sinks 20.0%, encode 5.0% of the time" in text
    assert "threads" not in format_summary(replace(facts(), threads={"main": 1.0}))


def lines_of(found):
    text = format_summary(replace(facts(critical=1), counts=SystemCounts(3, 2, found)))
    return text.splitlines()[text.splitlines().index(embeddings_line(text)) + 2 :]


def embeddings_line(text):
    return next(line for line in text.splitlines() if line.startswith("embeddings"))


GOOD = AppearanceFacts(0.7412, returns=True, used=True, stranger=0.46, same=0.87, auc=0.98)


def test_what_was_learned_of_appearance_is_one_plain_line():
    assert lines_of(GOOD) == [
        "appearance   the same object 0.870, others 0.460 (median cosine), AUC 0.980; "
        "lost tracks return from 0.741 on"
    ]
    assert lines_of(replace(GOOD, same=None, auc=None)) == [
        "appearance   others 0.460 (median cosine), no object met twice; "
        "lost tracks return from 0.741 on"
    ]


def test_nothing_is_said_where_nothing_was_learned():
    assert lines_of(None) == []
    assert "appearance" not in format_summary(replace(facts(critical=1), counts=None))


def test_an_embedder_that_cannot_tell_is_named_with_a_remedy():
    fix = "Take another embedder, or a number for --reid-similarity."
    blind = replace(GOOD, stranger=0.997, same=0.998, auc=0.57, returns=False, used=False)
    found, said = lines_of(blind)
    assert found == "appearance   the same object 0.998, others 0.997 (median cosine), AUC 0.570"
    assert said.strip() == (
        "Some time later the embedder recognises hardly any object, so appearance is not used. "
        + fix
    )
    (_, said) = lines_of(replace(blind, returns=True))
    assert "so appearance counts for the return of lost tracks alone." in said


def test_an_embedder_that_has_shown_too_little_is_not_called_blind():
    (_, said) = lines_of(replace(GOOD, returns=False))
    assert said.strip() == (
        "Too few crops show the same object some time apart to trust this embedder, so "
        "lost tracks do not return by appearance. "
        "Take another embedder, or a number for --reid-similarity."
    )
