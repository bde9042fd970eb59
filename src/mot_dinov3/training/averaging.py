"""A smoothed copy of the weights: what is measured and kept."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from torch import nn


class AveragedModel:
    """An exponential moving average of a model's weights.

    Attributes:
        model: the average, in evaluation mode.
    """

    def __init__(self, model: nn.Module, horizon: int) -> None:
        """Begin with the present weights.

        Args:
            model: what is averaged.
            horizon: steps that the average looks back on.
        """
        self.model = deepcopy(model).eval().requires_grad_(False)
        self._horizon = horizon
        self._steps = 0

    def update(self, model: nn.Module) -> None:
        """Move towards the present weights; early on faster, so that the start is forgotten."""
        self._steps += 1
        keep = 1 - 1 / min(self._horizon, 1 + self._steps / 5)
        live = model.state_dict()
        for name, value in self.model.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(live[name].detach(), 1 - keep)
            else:
                value.copy_(live[name])

    def state_dict(self) -> dict[str, Any]:
        """The average and how many steps it has seen."""
        return {"model": self.model.state_dict(), "steps": self._steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.model.load_state_dict(state["model"])
        self._steps = state["steps"]
