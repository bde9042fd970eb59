"""The pure parts of the benchmarks: counting, agreement, slopes, tables. Nothing is timed."""

from __future__ import annotations

import os

import numpy as np
import pytest

from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.lab.benchmarks.base import Bar, Report, ResultRow
from mot_dinov3.lab.benchmarks.budget import BudgetRounds, summarise_case
from mot_dinov3.lab.benchmarks.machine import THREADS, cpu_model, run_on_one_core
from mot_dinov3.lab.benchmarks.overhead import sum_stages
from mot_dinov3.lab.benchmarks.saving import compare_counts
from mot_dinov3.lab.benchmarks.simulated import (
    COSTS,
    MOST_HOLE,
    STALLS,
    MachineCosts,
    simulate,
    summarise_counts,
)
from mot_dinov3.lab.benchmarks.table import format_report
from mot_dinov3.lab.benchmarks.unsteadiness import (
    Metronome,
    create_fixed_work,
    measure_unsteadiness,
    repeats_for,
)
from mot_dinov3.lab.recordings.agreement import identity_agreement
from mot_dinov3.values import EmbedCounts


def table_of(*rows):
    """A result from (frame, id, left) rows; every box is 10 x 10."""
    frame, track_id, left = (np.array(column) for column in zip(*rows, strict=True))
    xyxy = np.stack((left, left * 0, left + 10, left * 0 + 10), axis=1).astype(np.float32)
    n = len(rows)
    return MotTable(
        frame.astype(np.int64), track_id.astype(np.int64), xyxy, np.ones(n, np.float32),
        np.full(n, -1, np.int64), np.ones(n, np.float32),
    )  # fmt: skip


A = table_of((0, 1, 0), (0, 2, 50), (1, 1, 1), (1, 2, 51))


@pytest.mark.parametrize(
    ("other", "agreement"),
    [
        pytest.param(A, 1.0, id="the same"),
        pytest.param(
            table_of((0, 9, 0), (0, 4, 50), (1, 9, 1), (1, 4, 51)), 1.0, id="other numbers"
        ),
        pytest.param(
            table_of((0, 1, 0), (0, 2, 50), (1, 2, 1), (1, 1, 51)), 0.5, id="swapped half way"
        ),
        pytest.param(
            table_of((0, 1, 0), (0, 1, 50), (1, 1, 1), (1, 1, 51)), 0.5, id="two become one"
        ),
        pytest.param(table_of((0, 1, 0), (0, 2, 50), (1, 1, 1)), 0.75, id="a box is missing"),
        pytest.param(
            table_of((0, 1, 0), (0, 2, 50), (1, 1, 1), (1, 2, 51), (1, 3, 90)), 0.8,
            id="a box too many",
        ),
        pytest.param(table_of((5, 1, 0)), 0.0, id="nothing in common"),
    ],
)  # fmt: skip
def test_identity_agreement(other, agreement):
    assert identity_agreement(A, other) == pytest.approx(agreement)
    assert identity_agreement(other, A) == pytest.approx(agreement)


def test_over_share_counts_fitted_frames_only():
    counts = [
        EmbedCounts(refresh=2, embed_ms=10.0),
        EmbedCounts(refresh=2, embed_ms=10.9, critical_ms=5.0),
        EmbedCounts(refresh=2, embed_ms=11.5, critical_ms=5.0),
        EmbedCounts(critical=9, embed_ms=40.0, critical_ms=40.0),
    ]
    figures = summarise_counts(counts, 10.0)
    assert figures["fitted"] == 3
    assert figures["over_share"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["worst_over_ms"] == pytest.approx(1.5)
    assert figures["used_ms"] == pytest.approx(18.1)


def test_no_frames_give_figures_too():
    assert summarise_counts([], 10.0)["over_share"] == 0.0
    assert summarise_case(BudgetRounds(10.0))["crops"] == 0.0


def test_case_figures():
    counts = [
        EmbedCounts(critical=1, refresh=2, deferred=3, embed_ms=9.0, predicted_ms=10.0),
        EmbedCounts(refresh=1, deferred=1, embed_ms=11.0, predicted_ms=10.0),
        EmbedCounts(),
    ]
    case = BudgetRounds(10.0, counts, machine_ms=[1.0, 1.0, 1.0, 1.2], same_batch_ms=[1.0, 1.0])
    figures = summarise_case(case)
    assert figures["crops"] == pytest.approx(4 / 3, abs=0.01)
    assert figures["deferred"] == pytest.approx(4 / 3, abs=0.01)
    assert figures["ratio_p50"] == pytest.approx(1.0)
    assert figures["ratio_p95"] == pytest.approx(1.09)
    assert figures["machine_over"] == pytest.approx(0.25)
    assert figures["same_batch_over"] == 0.0


def test_unsteadiness_is_relative_to_the_median():
    figures = measure_unsteadiness([10.0] * 80 + [10.5] * 10 + [20.0] * 10)
    assert figures["p50_ms"] == pytest.approx(10.0)
    assert figures["p95_ratio"] == pytest.approx(2.0)
    assert figures["over_share"] == pytest.approx(0.1)
    assert measure_unsteadiness([])["over_share"] == 0.0


def test_a_metronome_repeats_work_that_stays_finite(recwarn):
    metronome = Metronome(create_fixed_work(2.0))
    for _ in range(3):
        metronome.tick()
    assert len(metronome.samples_ms) == 3
    assert not recwarn.list


def test_long_work_is_repeated_less_often():
    assert repeats_for(1.0) > repeats_for(20.0) > repeats_for(1000.0) >= 40


def test_the_simulation_keeps_the_budget_and_uses_it():
    cost = MachineCosts("test", fixed_ms=1.5, crop_ms=4.0, budget_ms=20.0)
    figures = simulate(cost, jitter=0.06, frames=400)
    assert figures["frames"] == 400
    assert figures["over_share"] <= 0.01
    assert figures["used_share"] > 0.6
    assert simulate(cost, jitter=0.06, frames=400) == figures


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("stall", STALLS, ids=lambda stall: stall.name)
def test_no_stall_stops_embedding_for_longer_than_ten_frames(stall, hard):
    figures = simulate(COSTS[hard], jitter=0.06, frames=1800, stall=stall, hard=hard)
    assert figures["longest_hole"] <= MOST_HOLE
    assert figures["over_share"] <= 0.015
    assert figures["used_share"] > 0.6


def test_frames_of_a_stall_come_again_and_do_not_touch_each_other():
    once, again = STALLS[3], STALLS[4]
    assert [once.is_in(frame) for frame in (0, 1499, 1500, 1559, 1560)] == [0, 0, 1, 1, 0]
    assert [again.is_in(frame) for frame in (0, 899, 900, 959, 960, 2700)] == [0, 0, 1, 1, 0, 1]
    assert STALLS[0].is_in(-1)


def test_a_simulated_machine_without_mercy_shows_in_the_figures():
    cost = MachineCosts("test", fixed_ms=1.5, crop_ms=4.0, budget_ms=20.0)
    assert simulate(cost, jitter=1.0, frames=400)["over_share"] > 0.01


def test_saving_compares_computed_crops():
    baseline = [EmbedCounts(critical=10)] * 2
    scheduled = [EmbedCounts(critical=3, refresh=1, reused=6), EmbedCounts(refresh=1, reused=9)]
    figures = compare_counts(baseline, scheduled)
    assert figures["crops"] == 5
    assert (figures["critical"], figures["refresh"], figures["reused"]) == (3, 2, 15)
    assert figures["saved_percent"] == pytest.approx(75.0)
    assert compare_counts([], [])["saved_percent"] == 0.0


def test_overhead_adds_the_stages_frame_by_frame():
    figures = sum_stages({"read": [1.0, 2.0, 9.0], "draw": [3.0, 4.0]})
    assert figures["frames"] == 2
    assert figures["mean_ms"] == pytest.approx(5.0)
    assert sum_stages({})["frames"] == 0


def test_the_cpu_is_named():
    text = "processor\t: 0\nvendor_id\t: X\nmodel name\t: Fast CPU @ 3GHz\nmodel name\t: Other\n"
    assert cpu_model(text) == "Fast CPU @ 3GHz"
    assert cpu_model("")


@pytest.mark.parametrize(
    ("bar", "met"),
    [(Bar("x", 2.0), True), (Bar("x", 1.9), False), (Bar("x", 2.0, at_least=True), True),
     (Bar("x", 2.1, at_least=True), False), (Bar("missing", 5.0), False),
     (Bar("missing", 0.0, at_least=True), False)],
)  # fmt: skip
def test_bars(bar, met):
    assert bar.met({"x": 2.0}) is met
    assert ResultRow("r", {"x": 2.0}, bar).as_dict()["bar"]["met"] is met


def test_the_table_shows_every_figure_and_verdict_within_the_page():
    many = {f"a_long_figure_{number}": number / 3 for number in range(12)}
    rows = [
        ResultRow("first", many | {"x": 3}, Bar("x", 2.0)),
        ResultRow("second", {"x": 1}, Bar("x", 2.0)),
    ]
    text = format_report("word", Report("a title", rows, ["a note " * 40]))
    assert text.startswith("word: a title\n")
    assert all(name in text for name in many)
    assert "NOT MET first: x <= 2" in text
    assert "met     second: x <= 2" in text
    assert max(map(len, text.splitlines())) <= 110


def test_alone_means_one_thread_there_and_no_change_here(monkeypatch):
    monkeypatch.setenv(THREADS[0], "3")
    monkeypatch.delenv(THREADS[1], raising=False)
    assert run_on_one_core(os.getenv, THREADS[0]) == "1"
    assert run_on_one_core(os.getenv, THREADS[1]) == "1"
    assert os.environ[THREADS[0]] == "3"
    assert THREADS[1] not in os.environ
