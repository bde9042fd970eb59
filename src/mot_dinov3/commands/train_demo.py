"""`python cli.py train-demo`: train and measure the two small models that ship in the package."""

from __future__ import annotations

import argparse
import multiprocessing
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.errors import EXIT_BUG, EXIT_OK, OutputError, UsageError

if TYPE_CHECKING:
    from mot_dinov3.training.report import Run

DESCRIPTION = """Train the demo detector and the demo embedder on procedural streets, from random
weights and without any download, then measure both on streets kept apart. The two run side by
side, one core each."""


def parser() -> argparse.ArgumentParser:
    """The flags of the demo recipe."""
    out = CommandParser(prog="cli.py train-demo", description=DESCRIPTION)
    out.add_argument("--out", type=Path, default=Path("outputs/weights"), metavar="DIR",
                     help="where weights and figures go (default: outputs/weights)")  # fmt: skip
    out.add_argument("--seed", type=int, default=0, help="decides everything (default: 0)")
    out.add_argument("--detector-steps", type=int, default=None, metavar="N",
                     help="optimizer steps of the detector (default: the recipe's)")  # fmt: skip
    out.add_argument("--embedder-steps", type=int, default=None, metavar="N",
                     help="optimizer steps of the embedder (default: the recipe's)")  # fmt: skip
    out.add_argument("--streets", type=int, default=8, metavar="N",
                     help="held-out streets to measure on (default: 8)")  # fmt: skip
    return out


def run(args: argparse.Namespace) -> int:
    """Train both models, measure them, and say where they are."""
    _check(args)
    from mot_dinov3.training.report import measured, written

    started = perf_counter()
    jobs = {"detector": _train_detector, "embedder": _train_embedder}
    spawn = multiprocessing.get_context("spawn")
    workers = {name: spawn.Process(target=job, args=(args,)) for name, job in jobs.items()}
    for worker in workers.values():
        worker.start()
    for worker in workers.values():
        worker.join()
    if failed := [name for name, worker in workers.items() if worker.exitcode]:
        print(f"The training of the {' and the '.join(failed)} failed; see above.")
        return EXIT_BUG
    trained_min = (perf_counter() - started) / 60
    print(f"Trained in {trained_min:.1f} minutes; measuring ...")
    figures = measured(_described(args, trained_min))
    for path in written(args.out, figures):
        print(path)
    return EXIT_OK


def _check(args: argparse.Namespace) -> None:
    for flag in ("detector_steps", "embedder_steps", "streets"):
        value = getattr(args, flag)
        if value is not None and value < 1:
            name = f"--{flag.replace('_', '-')}"
            raise UsageError(f"{name} must be at least 1, got {value}.", fix="Leave it out.")
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"--out '{args.out}' cannot be a directory ({error.strerror}).", fix="Name another one."
        ) from error


def _described(args: argparse.Namespace, trained_min: float) -> Run:
    from mot_dinov3.training.detector import DetectorRecipe
    from mot_dinov3.training.embedder import EmbedderRecipe
    from mot_dinov3.training.report import Run

    return Run(
        out=args.out,
        seed=args.seed,
        detector_steps=args.detector_steps or DetectorRecipe().steps,
        embedder_steps=args.embedder_steps or EmbedderRecipe().steps,
        streets=args.streets,
        minutes=trained_min,
    )


def _say(line: str) -> None:
    print(line, flush=True)


def _use_one_core() -> None:
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _train_detector(args: argparse.Namespace) -> None:
    from mot_dinov3.perception.assets import DETECTOR_FILE
    from mot_dinov3.training.detector import DetectorRecipe, train_detector

    _use_one_core()
    recipe = DetectorRecipe(seed=args.seed)
    steps = args.detector_steps or recipe.steps
    train_detector(replace(recipe, steps=steps), args.out / DETECTOR_FILE, _say)


def _train_embedder(args: argparse.Namespace) -> None:
    from mot_dinov3.perception.assets import EMBEDDER_DIR
    from mot_dinov3.training.embedder import EmbedderRecipe, train_embedder

    _use_one_core()
    recipe = EmbedderRecipe(seed=args.seed)
    steps = args.embedder_steps or recipe.steps
    train_embedder(replace(recipe, steps=steps), args.out / EMBEDDER_DIR, _say)
