"""Trains the recipes of a suite side by side, a process and a core each."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from mot_dinov3.errors import ModelError
from mot_dinov3.runtime.signals import StopRequest
from mot_dinov3.training.engine import TrainingResult, Watch, never, train
from mot_dinov3.training.folder import RunFolder
from mot_dinov3.training.recipes.base import Recipe, Suite
from mot_dinov3.training.settings import TrainingRun

LOOK_EVERY_S = 0.2


def train_suite(
    suite: Suite,
    kind: str,
    run: TrainingRun,
    watch_part: Callable[[str], Watch],
    wants_stop: Callable[[], bool] = never,
) -> dict[str, TrainingResult]:
    """Train all parts at the same time; returns how each ended, by name.

    Args:
        suite: what is learned.
        kind: what tells runs of this suite from others.
        run: the folder, which gets one for each part inside, and the device.
        watch_part: makes what hears of the steps of a part, in the part's own process.
        wants_stop: asked all the time; True ends every part with its state saved.

    Raises:
        ModelError: a part diverged, or its process was killed.
        UsageError: the folder holds another run.
    """
    RunFolder(Path(run.out)).claim(suite, kind, resume=run.resume)
    recipes = suite.recipes()
    spawn = multiprocessing.get_context("spawn")
    stop = spawn.Event()
    with ProcessPoolExecutor(len(recipes), spawn, _set_up, (stop,)) as pool:
        futures = {
            name: pool.submit(_train_part, recipe, part_of(run, name), watch_part, name)
            for name, recipe in recipes.items()
        }
        # The pool may not watch the process that it started last until it is given something else:
        # were that one killed, the others would go on to their end.
        pool.submit(int)
        try:
            _wait(futures, stop, wants_stop)
            return {name: future.result() for name, future in futures.items()}
        except BrokenProcessPool as error:
            raise ModelError(
                f"A process that trained a part of '{kind}' was killed.",
                fix="Add --resume to go on where its last state was saved.",
            ) from error
        finally:  # also when one part failed: the others save what they have
            stop.set()


def part_of(run: TrainingRun, name: str) -> TrainingRun:
    """The run of a part: it has a folder of its own, and begins if it has not begun."""
    return replace(run, out=str(Path(run.out) / name), resume=True)


def _wait(
    futures: Mapping[str, Future[TrainingResult]], stop: Event, wants_stop: Callable[[], bool]
) -> None:
    """Wait for the end of all parts and hand on the wish to stop; raises as the first to fail."""
    left = set(futures.values())
    while left:
        done, left = wait(left, LOOK_EVERY_S)
        for future in done:
            future.result()
        if wants_stop():
            stop.set()


_stop: Event | None = None
"""In the process of a part: set when the suite wants to end."""


def _set_up(stop: Event) -> None:
    import cv2
    import torch

    global _stop
    _stop = stop
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _train_part(
    recipe: Recipe[Any, Any], run: TrainingRun, watch_part: Callable[[str], Watch], name: str
) -> TrainingResult:
    parent = multiprocessing.parent_process()
    with StopRequest().handle_signals() as request:

        def wants_stop() -> bool:
            orphaned = parent is not None and not parent.is_alive()
            asked = _stop is not None and _stop.is_set()
            return request.wanted() or asked or orphaned

        return train(recipe, run, watch_part(name), wants_stop)
