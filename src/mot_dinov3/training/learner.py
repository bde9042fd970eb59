"""A model that takes steps: all that changes while a recipe is learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from math import isfinite
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from mot_dinov3.errors import ModelError
from mot_dinov3.io.checkpoint import ModelCheckpoint, save_checkpoint
from mot_dinov3.training.averaging import AveragedModel
from mot_dinov3.training.precision import choose_dtype
from mot_dinov3.training.processes import Processes
from mot_dinov3.training.random_state import (
    capture_random_state,
    preserve_random_state,
    restore_random_state,
    seed_everything,
)
from mot_dinov3.training.recipes.base import Assessment, Recipe
from mot_dinov3.training.schedule import learning_rate, list_parameters, require_all_learn

Data = TypeVar("Data")
Batch = TypeVar("Batch")

ANY_LENGTH = float("inf")


class Learner(Generic[Data, Batch]):
    """Takes the steps of a recipe, measures the model, and can go on from a stored state.

    Attributes:
        recipe: what is learned.
        processes: who learns together.
        steps: steps that there will be.
        evaluate_every: steps between evaluations, 0 for one at the end.
        step: steps taken.
        best: the assessment of the kept weights, None before the first and without any.
        best_step: the step of the kept weights.
    """

    def __init__(self, recipe: Recipe[Data, Batch], data: Data, processes: Processes) -> None:
        self.recipe = recipe
        self.processes = processes
        self.steps = recipe.count_steps(data)
        self.evaluate_every = recipe.count_evaluation_steps(data)
        self.step = self.best_step = 0
        self.best: Assessment | None = None
        self._data = data
        self._without_better = 0
        device = processes.device
        seed_everything(recipe.seed)
        self.model = recipe.build(data).to(device).train()
        self._average: AveragedModel | None = None
        if recipe.ema:
            horizon = max(1, min(recipe.ema, self.steps // 4))
            self._average = AveragedModel(self.model, horizon)
        self._optimizers = dict(recipe.optimizers(self.model))
        self._batches = recipe.batches(data, processes.rank)
        if processes.rank:  # equal weights, but other dropout
            seed_everything(recipe.seed + processes.rank)
        self._dtype = choose_dtype(recipe.amp, device)
        scales = self._dtype == torch.float16
        self._scaler = torch.amp.GradScaler(device.partition(":")[0], enabled=scales)
        self._meter = _Meter()
        self._rate = 0.0
        for optimizer in self._optimizers.values():
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", group["lr"])

    @property
    def over(self) -> bool:
        """Whether there is nothing left to learn."""
        patience = self.recipe.patience
        return self.step >= self.steps or 0 < patience <= self._without_better

    @property
    def kept_model(self) -> nn.Module:
        """The model that is measured and stored: the average where there is one."""
        return self._average.model if self._average else self.model

    def take_step(self) -> None:
        """One step of every optimizer, over `accumulate` batches in each process.

        Raises:
            RuntimeError: something has a gradient, and the recipe gave it to no optimizer.
        """
        each, processes = self.recipe.accumulate, self.processes
        first = self.step * each
        numbers = [n * processes.count + processes.rank for n in range(first, first + each)]
        batches = [self._batches.batch(number) for number in numbers]
        for turn, optimizer in self._optimizers.items():
            self._set_rate(optimizer)
            self.model.zero_grad(set_to_none=True)
            for batch in batches:
                self._learn_from(batch, turn)
            self._apply(optimizer)
        require_all_learn(self.model, self._optimizers.values())
        self._scaler.update()
        if self._average:
            self._average.update(self.model)
        self.step += 1
        self._meter.count += 1

    def _set_rate(self, optimizer: torch.optim.Optimizer) -> None:
        recipe = self.recipe
        for group in optimizer.param_groups:
            group["lr"] = self._rate = learning_rate(
                self.step, self.steps, group["initial_lr"], recipe.warm_up, recipe.schedule
            )

    def _learn_from(self, batch: Batch, turn: str) -> None:
        device, dtype, each = self.processes.device, self._dtype, self.recipe.accumulate
        moved = move_to(batch, device)
        with torch.autocast(device.partition(":")[0], dtype=dtype, enabled=dtype is not None):
            terms = self.recipe.loss(self.model, moved, turn)
        total = sum(terms.values(), torch.zeros((), device=device)) / each
        self._scaler.scale(total).backward()
        self._meter.add({name: term.detach().float() / each for name, term in terms.items()})

    def _apply(self, optimizer: torch.optim.Optimizer) -> None:
        own = list_parameters(optimizer, self.model)
        self.processes.average(own)
        self._scaler.unscale_(optimizer)
        length = nn.utils.clip_grad_norm_(own, self.recipe.clip or ANY_LENGTH)
        self._meter.gradient = self._meter.gradient + length.detach()
        self._scaler.step(optimizer)

    def summarise(self) -> dict[str, Any]:
        """Means over the steps since the last summary: loss, its terms, length of the gradient.

        Raises:
            ModelError: the loss is not a number any more.
        """
        self.require_numbers()
        terms, gradient = self._meter.means()
        self._meter = _Meter()
        loss = sum(terms.values())
        return {"rate": self._rate, "loss": loss, "terms": terms, "gradient": gradient}

    def require_numbers(self) -> None:
        """Refuse to go on after a loss that is not a number, which every weight follows.

        Raises:
            ModelError: there was one since the last summary.
        """
        terms, _ = self._meter.means()
        if not all(map(isfinite, terms.values())):
            raise ModelError(
                f"The loss is not a number any more at step {self.step}: the training diverged.",
                fix="Begin again in another --out with a lower --rate or a smaller --clip.",
            )

    def assess(self) -> Assessment | None:
        """Measure the model; the first process measures for all, and nothing random moves on."""
        found: Assessment | None = None
        if self.processes.rank == 0:
            model = self.kept_model.eval()
            with preserve_random_state(self.processes.device), torch.no_grad():
                found = self.recipe.evaluate(model, self._data)
            self.model.train()
        found = self.processes.gather(found)[0]
        better = found is None or self.best is None or found.merit > self.best.merit
        self._without_better = 0 if better else self._without_better + 1
        if better:
            self.best, self.best_step = found, self.step
        return found

    def save_checkpoint(self, path: Path, assessment: Assessment | None) -> None:
        """Store the kept model as other programs read it.

        Raises:
            OutputError: the folder cannot be written.
        """
        thresholds = assessment.thresholds if assessment else {}
        config = self.recipe.describe(self._data)
        config = replace(
            config,
            thresholds={**config.thresholds, **thresholds},
            recipe={"name": self.recipe.kind, **asdict(self.recipe)},
        )
        weights = self.recipe.weights_of(self.kept_model)
        metrics = {"step": self.step, **(assessment.values if assessment else {})}
        arrays = {name: as_array(value) for name, value in weights.items()}
        save_checkpoint(path, ModelCheckpoint(config, arrays, metrics))

    def state_dict(self) -> dict[str, Any]:
        """All that decides the following steps, of all processes."""
        own = {
            "random": capture_random_state(self.processes.device),
            "batches": self._batches.state_dict(),
        }
        return {
            "step": self.step,
            "best": asdict(self.best) if self.best else None,
            "best_step": self.best_step,
            "without_better": self._without_better,
            "model": self.model.state_dict(),
            "average": self._average.state_dict() if self._average else None,
            "optimizers": {name: it.state_dict() for name, it in self._optimizers.items()},
            "scaler": self._scaler.state_dict(),
            "meter": self._meter.state_dict(),
            "rate": self._rate,
            "processes": self.processes.gather(own),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises:
            ModelError: it was stored by another number of processes.
        """
        processes = state["processes"]
        if len(processes) != self.processes.count:
            raise ModelError(
                f"The run was begun in {len(processes)} processes, not {self.processes.count}.",
                fix=f"Resume it with --processes {len(processes)}.",
            )
        self.model.load_state_dict(state["model"])
        if self._average:
            self._average.load_state_dict(state["average"])
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self._scaler.load_state_dict(state["scaler"])
        self._meter.load_state_dict(state["meter"])
        self.step, self.best_step = state["step"], state["best_step"]
        self.best = Assessment(**state["best"]) if state["best"] else None
        self._without_better, self._rate = state["without_better"], state["rate"]
        own = processes[self.processes.rank]
        self._batches.load_state_dict(own["batches"])
        restore_random_state(own["random"], self.processes.device)


class _Meter:
    """Sums of the loss terms and of the gradient's length; read only when something is logged.

    Attributes:
        gradient: sum of the lengths.
        count: steps so far.
    """

    def __init__(self) -> None:
        self._terms: dict[str, Tensor] = {}
        self.gradient = torch.zeros(())
        self.count = 0

    def add(self, terms: Mapping[str, Tensor]) -> None:
        """Add the terms of one batch."""
        for name, value in terms.items():
            self._terms[name] = self._terms[name] + value if name in self._terms else value

    def means(self) -> tuple[dict[str, float], float]:
        """Means over the steps: of every term, and of the gradient's length."""
        steps = max(1, self.count)
        terms = {name: float(value) / steps for name, value in self._terms.items()}
        return terms, float(self.gradient) / steps

    def state_dict(self) -> dict[str, Any]:
        """The sums."""
        return {"terms": self._terms, "gradient": self.gradient, "count": self.count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from sums."""
        self._terms, self.gradient = dict(state["terms"]), state["gradient"]
        self.count = state["count"]


def move_to(batch: Batch, device: str) -> Batch:
    """A batch with all its tensors on a device; other values stay as they are."""
    moved: Any = batch
    if isinstance(batch, Tensor):
        moved = batch.to(device, non_blocking=True)
    elif isinstance(batch, dict):
        moved = {name: move_to(value, device) for name, value in batch.items()}
    elif isinstance(batch, tuple | list):
        moved = type(batch)(move_to(value, device) for value in batch)
    return cast("Batch", moved)


def as_array(value: Tensor) -> np.ndarray[Any, Any]:
    """A tensor as numpy knows it; bf16, which numpy does not know, as float32."""
    value = value.detach().cpu()
    known = value.float() if value.dtype == torch.bfloat16 else value
    return np.asarray(known.numpy())
