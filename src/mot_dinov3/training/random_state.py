"""The state of every global source of random numbers, so that a run can go on bit for bit."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Let every global generator begin at `seed`."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - libraries that recipes use draw from it
    torch.manual_seed(seed)


def capture_random_state(device: str) -> dict[str, Any]:
    """Where the global generators are, as plain values and tensors.

    Args:
        device: the torch device of the run; the generators of other devices are not used.
    """
    legacy = np.random.get_state(legacy=False)  # noqa: NPY002 - as above
    state: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": {**legacy, "state": {**legacy["state"], "key": legacy["state"]["key"].tolist()}},
        "torch": torch.get_rng_state(),
    }
    if device.startswith("cuda"):
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def restore_random_state(state: dict[str, Any], device: str) -> None:
    """Let the global generators go on where `state` was taken."""
    version, words, spare = state["python"]
    random.setstate((version, tuple(words), spare))
    inner = state["numpy"]["state"]
    legacy = {**state["numpy"], "state": {**inner, "key": np.array(inner["key"], np.uint32)}}
    np.random.set_state(legacy)  # noqa: NPY002 - as above
    torch.set_rng_state(state["torch"])
    if "cuda" in state and device.startswith("cuda"):
        torch.cuda.set_rng_state(state["cuda"], device)


@contextmanager
def preserve_random_state(device: str) -> Iterator[None]:
    """Leave the global generators as they were, whatever is drawn inside."""
    state = capture_random_state(device)
    try:
        yield
    finally:
        restore_random_state(state, device)
