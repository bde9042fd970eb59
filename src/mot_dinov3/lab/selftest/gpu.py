"""The GPU path on a real card: one JSON line a check."""

from __future__ import annotations

import gc
import json
import math
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from mot_dinov3.errors import MotError
from mot_dinov3.lab.selftest.base import Failure, MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.cases import BrokenPromiseError, CannotRunError
from mot_dinov3.lab.selftest.gpu_checks import jobs, networks, pictures
from mot_dinov3.lab.selftest.gpu_checks.base import GpuBench, GpuCheck
from mot_dinov3.runtime.device import choose_device

CHECKS: dict[str, GpuCheck] = {
    "device": jobs.check_device,
    "own-tests": jobs.check_own_tests,
    "recorded-batches": networks.check_recorded_batches,
    "short-numbers": networks.check_short_numbers,
    "capture-beside-encoder": pictures.check_capture_beside_encoder,
    "picture-sizes": networks.check_picture_sizes,
    "full-memory": networks.check_full_memory,
    "cutting": pictures.check_cutting,
    "detector": networks.check_detector,
    "encoders": pictures.check_encoders,
    "batches": jobs.check_batches,
    "budgets": jobs.check_budgets,
    "job": jobs.check_job,
    "tax": jobs.check_tax,
    "tensorrt": networks.check_tensorrt,
}
"""The most telling first, for time may run out."""

LIMIT_S, LONG_LIMIT_S = 235.0, 540.0
"""Seconds for all checks on a GPU, and with `--full`."""
LEAST_S = 8.0
"""With less left no check is begun."""
NO_TIME = "no time is left"
NO_GPU = "there is no CUDA device here; --device cpu is a dry run of the checks"


def measure_gpu(context: MeasureContext) -> MeasureResult:
    """Check what only a GPU can show, in under four minutes; a dry run with `--device cpu`."""
    try:
        device = choose_device(context.device)
    except MotError as error:
        return MeasureResult(0, skipped=error.what.rstrip("."))
    if not device.startswith("cuda") and context.device != device:
        return MeasureResult(0, skipped=NO_GPU)
    limit_s = LONG_LIMIT_S if context.full else LIMIT_S
    ends_s = perf_counter() + limit_s if device.startswith("cuda") else math.inf
    bench = GpuBench(context, device, ends_s)
    lines = list(run_checks(bench))
    failures = [Failure(one["check"], describe(one)) for one in lines if one["ok"] is False]
    done = sum(one["ok"] is not None for one in lines)
    notes = [json.dumps(one, default=str) for one in lines]
    if not done:
        return MeasureResult(0, notes=notes, skipped="no check could run")
    late = sum(one.get("skipped") == NO_TIME for one in lines)
    return MeasureResult(done + late, done, done - len(failures), failures, notes)


def run_checks(bench: GpuBench) -> Iterator[dict[str, Any]]:
    """Run the checks one after another, or the one that was asked for, and say each at once.

    Yields:
        The JSON line of a check: `check`, `ok` (None where it could not run), seconds `s`, and
        its figures.
    """
    for name, check in CHECKS.items():
        if bench.context.only not in ("", name):
            continue
        line = run_check(name, check, bench)
        bench.context.say(json.dumps(line, default=str))
        yield line
        _free(bench)


def run_check(name: str, check: GpuCheck, bench: GpuBench) -> dict[str, Any]:
    """The JSON line of one check; whatever it raises is a failure in words."""
    began_s = perf_counter()
    ok: bool | None = False
    try:
        if bench.left_s < LEAST_S:
            raise CannotRunError(NO_TIME)
        outcome = check(bench)
        ok, figures = outcome.holds, dict(outcome.figures)
    except CannotRunError as error:
        ok, figures = None, {"skipped": str(error)}
    except (MotError, BrokenPromiseError) as error:
        figures = {"error": str(error)[:300]}
    except Exception as error:
        figures = {"error": repr(error)[:300]}
    return {"check": name, "ok": ok, "s": round(perf_counter() - began_s, 1), **figures}


def describe(line: dict[str, Any]) -> str:
    """Why a check failed, in one line."""
    return str(line.get("error", "what it found is in its line below"))


def _free(bench: GpuBench) -> None:
    """Give the memory of the last check back."""
    gc.collect()
    if bench.on_cuda:
        import torch

        torch.cuda.empty_cache()
