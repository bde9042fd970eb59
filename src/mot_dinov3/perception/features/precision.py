"""Whether a network can be trusted in short numbers: compared once with float32 on a photograph.

Some vision transformers have activations that fp16 cannot hold; others lose what tells crops apart
when their weights are int8. Either way nothing but the vectors shows it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from mot_dinov3.perception.backends.base import Network
from mot_dinov3.perception.backends.cache import entry_name, export_place, open_entry
from mot_dinov3.perception.backends.choice import PACKAGES, Choice
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.crops import InputSpec, cpu_batch, crop_windows
from mot_dinov3.runtime.cpu import has_bf16
from mot_dinov3.values import FloatArray, Image

logger = logging.getLogger("mot_dinov3")

EXACT = "fp32"
LEAST_COSINE = 0.99
"""Between the vectors of a crop in the precision chosen and in float32."""
PHOTOGRAPH = Path("assets") / "bus.jpg"
"""Of Ultralytics, which brings it along."""
PEOPLE = ((48.0, 398.0, 246.0, 903.0), (669.0, 391.0, 809.0, 880.0), (221.0, 405.0, 345.0, 858.0))
"""The people in it, xyxy in pixels."""
VERDICT = "verdict.json"
PAD = 0.12

Load: TypeAlias = Callable[[Choice], tuple[Network, InputSpec]]
"""Loads the network with a backend and a precision, and says what it wants to see."""


@dataclass(frozen=True, slots=True)
class CheckedModel:
    """What a verdict belongs to.

    Attributes:
        name: the model as the user knows it.
        weights: the file, or the directory of the model.
        kind: what is read off it; "" where the file settles that.
    """

    name: str
    weights: Path
    kind: str = ""


def settle_precision(choice: Choice, load: Load, model: CheckedModel, place: Placement) -> Choice:
    """The choice, or its backend in fp32 where the network's vectors differ too much from those.

    The comparison is made once for a model and a device, and its outcome is kept with the exports.

    Args:
        choice: backend and precision.
        load: makes the network.
        model: what the verdict is about.
        place: the device, and where exports are kept.

    Raises:
        MotError: as `load` does.
    """
    if choice.precision == EXACT:
        return choice
    exact = Choice(choice.file_format, EXACT)

    def judge(folder: Path) -> None:
        why = describe_difference(load(choice), load(exact))
        (folder / VERDICT).write_text(json.dumps({"why": why}), encoding="utf-8")

    about = {"weights": weights_digest(model.weights), "kind": model.kind}
    facts = about | asdict(choice) | {"device": _name_device(place.device)}
    start = f"{Path(model.name).name}-{choice.backend}-{choice.precision}-verdict"
    entry = entry_name(start, facts, PACKAGES[choice.backend])
    with open_entry(entry, judge, export_place(place.config)) as folder:
        why = json.loads((folder / VERDICT).read_text(encoding="utf-8"))["why"]
    if not why:
        return choice
    logger.warning("'%s' runs in fp32: with %s %s.", model.name, choice.title, why)
    return replace(choice, precision=EXACT)


def describe_difference(short: tuple[Network, InputSpec], exact: tuple[Network, InputSpec]) -> str:
    """Say why a network in short numbers is of no use; "" where its vectors are as good.

    Args:
        short: the network in the precision chosen, and what it wants to see.
        exact: the same in float32.
    """
    image = read_photograph()
    ours, theirs = (_describe_people(image, *network) for network in (short, exact))
    if not np.isfinite(theirs).all():
        return ""  # it is no better in float32
    if not np.isfinite(ours).all():
        return "its vectors are not finite"
    length = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    cosine = float(((ours * theirs).sum(axis=1) / np.maximum(length, 1e-30)).min())
    return "" if cosine >= LEAST_COSINE else f"its vectors are off (cosine {cosine:.3f})"


def read_photograph() -> Image:
    """(H, W, 3) uint8 BGR a picture with `PEOPLE` in it; noise where it is not installed."""
    try:
        found = find_spec("ultralytics")
    except ValueError:  # something stands in for it
        found = None
    origin = found.origin if found is not None else None
    image = cv2.imread(str(Path(origin).parent / PHOTOGRAPH)) if origin else None
    if image is None:
        image = np.random.default_rng(0).integers(0, 256, (1080, 810, 3), np.uint8)
    return np.asarray(image, np.uint8)


def _describe_people(image: Image, network: Network, spec: InputSpec) -> FloatArray:
    """(people, D) float64 what a network answers to the people of the photograph, one by one."""
    boxes, size = np.array(PEOPLE, np.float32), (image.shape[1], image.shape[0])
    pixels = cpu_batch(image, crop_windows(boxes, size, spec, PAD, spec.square), spec)
    rows = [network(pixels[row : row + 1])[0].reshape(-1) for row in range(len(pixels))]
    return np.asarray(np.stack(rows), np.float64)


def _name_device(device: str) -> str:
    """A device by what decides its arithmetic."""
    if device.startswith("cuda"):
        import torch

        return str(torch.cuda.get_device_name(device))
    return f"{device}{', bf16' if has_bf16() else ''}"
