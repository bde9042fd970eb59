"""The checks of the GPU path: how they are run, told and judged; stand-ins for the card."""

from __future__ import annotations

import json
from time import perf_counter

import numpy as np
import pytest

from mot_dinov3.errors import ModelError
from mot_dinov3.io.write.encoders import ENCODERS, NVENC, Encoder
from mot_dinov3.lab.selftest import gpu
from mot_dinov3.lab.selftest.base import MeasureContext
from mot_dinov3.lab.selftest.cases import CannotRunError
from mot_dinov3.lab.selftest.gpu import CHECKS, NO_GPU, measure_gpu
from mot_dinov3.lab.selftest.gpu_checks import jobs, pictures
from mot_dinov3.lab.selftest.gpu_checks.base import CheckOutcome, GpuBench, draw_crowd
from mot_dinov3.lab.selftest.gpu_checks.networks import find_least_cosine


def holds(bench):
    return CheckOutcome(True, {"ms": 1.5, "on": bench.device})


def fails(bench):
    return CheckOutcome(False, {"ms": 9.0})


def breaks(bench):
    raise RuntimeError("an illegal memory access was encountered")


def refuses(bench):
    raise ModelError("The weights are gone.", fix="Fetch them.")


def cannot(bench):
    raise CannotRunError("NVENC does not open")


@pytest.fixture
def measure(monkeypatch, tmp_path):
    def run(*checks, device="cpu", **more):
        monkeypatch.setattr(gpu, "CHECKS", {check.__name__: check for check in checks})
        said = []
        context = MeasureContext((), tmp_path, device=device, say=said.append, **more)
        result = measure_gpu(context)
        assert said == list(result.notes)
        return result, [json.loads(note) for note in result.notes]

    return run


def test_without_a_gpu_it_says_so_in_a_sentence(monkeypatch, measure):
    monkeypatch.setattr(gpu, "choose_device", lambda asked: "cpu")
    result, lines = measure(holds, device="auto")
    assert (result.skipped, lines) == (NO_GPU, [])
    assert "--device cpu" in NO_GPU


def test_a_card_that_is_not_there_is_named(measure):
    result, _ = measure(holds, device="cuda:9")
    assert result.skipped.startswith("--device cuda:9 was asked for")


def test_every_check_is_one_json_line_and_none_stops_the_others(measure):
    result, lines = measure(holds, fails, breaks, refuses, cannot)
    assert [line["check"] for line in lines] == ["holds", "fails", "breaks", "refuses", "cannot"]
    assert [line["ok"] for line in lines] == [True, False, False, False, None]
    assert lines[0]["on"] == "cpu"
    assert "illegal memory access" in lines[2]["error"]
    assert lines[4]["skipped"] == "NVENC does not open"
    assert (result.done, result.passed, result.met) == (4, 1, False)
    assert [failure.case for failure in result.failures] == ["fails", "breaks", "refuses"]
    assert "The weights are gone." in result.failures[2].why


def test_one_check_runs_alone(measure):
    result, lines = measure(holds, fails, only="holds")
    assert result.met
    assert [line["check"] for line in lines] == ["holds"]


def test_what_there_was_no_time_for_is_asked_for_and_not_done(monkeypatch, measure):
    monkeypatch.setattr(gpu, "choose_device", lambda asked: "cuda:0")
    monkeypatch.setattr(gpu, "_free", lambda bench: None)
    left = iter([100.0, 3.0])
    monkeypatch.setattr(GpuBench, "left_s", property(lambda self: next(left)))
    result, lines = measure(holds, fails, device="cuda:0")
    assert lines[1]["skipped"] == "no time is left"
    assert (result.asked, result.done, result.met) == (2, 1, False)


def test_a_dry_run_takes_what_time_it_needs(tmp_path):
    late = perf_counter() - 5
    assert GpuBench(MeasureContext((), tmp_path), "cuda:0", late + 25).limit_s(60) <= 20
    assert GpuBench(MeasureContext((), tmp_path), "cpu", late).limit_s(60) >= 60


@pytest.mark.parametrize(
    ("shares", "held"), [((0.0, 0.01, 0.005), True), ((0.0, 0.011, 0.0), False), ((0.0,), False)]
)
def test_budgets_are_judged_by_their_worst(monkeypatch, tmp_path, shares, held):
    rows = {f"{n} ms": {"over_share": share} for n, share in enumerate(shares)}
    monkeypatch.setattr(jobs, "bench_rows", lambda bench, name, *words: dict(rows))
    bench = GpuBench(MeasureContext((), tmp_path), "cuda:0", perf_counter() + 60)
    outcome = jobs.check_budgets(bench)
    assert (outcome.holds, outcome.figures) == (held, rows)


@pytest.mark.parametrize(("people", "held"), [((9, 9, 9, 12), True), ((9, 9, 9, 30), False)])
def test_a_run_has_to_find_the_people_that_the_cpu_finds(monkeypatch, tmp_path, people, held):
    found = iter(people)

    def run(bench, words):
        return {"stages": {}, "tracks": {"confirmed": next(found)}}

    monkeypatch.setattr(jobs, "run_job", run)
    bench = GpuBench(MeasureContext((), tmp_path), "cpu", perf_counter())
    assert jobs.check_job(bench).holds == held


def test_what_needs_a_card_is_left_out_of_a_dry_run(tmp_path):
    bench = GpuBench(MeasureContext((), tmp_path), "cpu", perf_counter())
    for name in ("batches", "budgets", "tax", "full-memory", "tensorrt", "capture-beside-encoder"):
        with pytest.raises(CannotRunError, match="a dry run"):
            CHECKS[name](bench)


def test_encoders_are_timed_and_the_one_of_the_card_has_to_be_there(monkeypatch, tmp_path):
    monkeypatch.setitem(ENCODERS, NVENC, Encoder("no_such_codec"))
    monkeypatch.setattr(pictures, "VIDEO_WH", (320, 240))
    dry = pictures.check_encoders(GpuBench(MeasureContext((), tmp_path), "cpu", perf_counter()))
    assert dry.holds
    assert list(dry.figures) == ["libx264 fps"]
    assert dry.figures["libx264 fps"] > 0
    monkeypatch.setattr(pictures, "FRAMES", 3)
    card = GpuBench(MeasureContext((), tmp_path), "cuda:0", perf_counter() + 60)
    assert not pictures.check_encoders(card).holds


def test_a_crowd_lies_in_its_picture():
    image, boxes = draw_crowd(20, close=True)
    assert image.shape == (720, 1280, 3)
    assert len(boxes) == 21
    assert boxes.min() >= 0
    assert (boxes[:, 2:] <= (1280, 720)).all()
    assert boxes[-1, 3] - boxes[-1, 1] > 600


def test_a_vector_that_is_not_finite_is_no_likeness():
    rows = np.eye(3, dtype=np.float32)
    assert find_least_cosine(rows, rows) == 1.0
    broken = rows.copy()
    broken[1] = np.nan
    assert not find_least_cosine(rows, broken) > 0.5
