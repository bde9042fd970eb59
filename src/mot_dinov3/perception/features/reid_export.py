"""Writes a network that `train reid` made as an ONNX file, and proves that both answer alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.errors import ModelError, not_installed
from mot_dinov3.io.read.images import read_image
from mot_dinov3.perception.features.backbone import unit_rows
from mot_dinov3.perception.features.crops import InputSpec, whole_picture
from mot_dinov3.perception.features.exporting import quiet_root_log, write_onnx
from mot_dinov3.perception.features.gates import GATE
from mot_dinov3.perception.features.reid_networks import load_network, read_spec
from mot_dinov3.values import FloatArray

if TYPE_CHECKING:
    from mot_dinov3.nets.reid.network import ReidNetwork

BATCHES = (1, 3, 16)
"""Sizes at which both are compared."""
MOST_APART = 1e-3
LEAST_ALIKE = 0.95
"""Mean cosine of exact and int8 vectors of a picture, below which the file is refused."""
INPUT = "pixels"


@dataclass(frozen=True, slots=True)
class Parity:
    """How alike the vectors of both are, over all pictures that were tried.

    Attributes:
        largest: largest difference of a number of vectors of length 1.
        cosine: mean cosine.
    """

    largest: float
    cosine: float


def export_run(run: Path, out: Path, pictures: Sequence[Path], *, int8: bool) -> Parity:
    """Write the network of a run, with an open batch size and its gate in the notes.

    Args:
        run: the folder of a run or of a checkpoint.
        out: the file to write; the caller gives it its final name.
        pictures: crops that int8 numbers are scaled by, and both networks are compared on.
        int8: make weights and maps int8.

    Raises:
        ModelError: there is no checkpoint, a package is missing, or the answers differ.
    """
    network, found = load_network(run)
    spec = read_spec(found)
    shown = read_batch(pictures, spec) if pictures else draw_noise(spec)
    exact = out.with_suffix(".fp32.onnx") if int8 else out
    try:
        write_onnx(network, (spec.height, spec.width), exact)
        if int8:
            _quantize(exact, out, shown)
    finally:
        if int8:
            exact.unlink(missing_ok=True)
    notes: dict[str, object] = {"mean": list(spec.mean), "std": list(spec.std)}
    gate = found.config.thresholds.get(GATE)
    if gate is not None:
        notes[GATE] = gate
    _write_notes(out, notes)
    return _compare(network, out, shown, int8=int8)


def draw_noise(spec: InputSpec) -> FloatArray:
    """(16, 3, h, w) random pictures."""
    size = max(BATCHES), 3, spec.height, spec.width
    return np.random.default_rng(0).normal(size=size).astype(np.float32)


def read_batch(pictures: Sequence[Path], spec: InputSpec) -> FloatArray:
    """(N, 3, h, w) what the network sees of files; those that cannot be read are left out.

    Raises:
        ModelError: none can be read.
    """
    images = [image for path in pictures if (image := read_image(path)) is not None]
    if not images:
        raise ModelError("None of the pictures can be read.", fix="Give others with --data.")
    return np.stack([whole_picture(image, spec) for image in images])


def _write_notes(path: Path, notes: dict[str, object]) -> None:
    import onnx

    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {name: json.dumps(value) for name, value in notes.items()})
    onnx.save(model, str(path))


def _compare(network: ReidNetwork, path: Path, shown: FloatArray, *, int8: bool) -> Parity:
    import torch
    from onnxruntime import InferenceSession

    session = InferenceSession(str(path), providers=["CPUExecutionProvider"])
    largest, cosines = 0.0, []
    for size in BATCHES:
        part = shown[np.arange(size) % len(shown)]
        with torch.no_grad():
            ours = unit_rows(network(torch.from_numpy(part)).numpy())
        theirs = unit_rows(session.run(None, {INPUT: part})[0])
        largest = max(largest, float(np.abs(ours - theirs).max()))
        cosines.append(float((ours * theirs).sum(axis=1).mean()))
    parity = Parity(largest, float(np.mean(cosines)))
    if parity.cosine < LEAST_ALIKE if int8 else not largest < MOST_APART:
        raise ModelError(
            f"The exported network answers otherwise: vectors differ by up to {largest:.1e}, and "
            f"their mean cosine is {parity.cosine:.3f}.",
            fix="Leave out --int8, or give pictures like those of your video with --data."
            if int8
            else "Run it as it is: --embedder reid --embed-model RUN.",
        )
    return parity


def _quantize(exact: Path, out: Path, shown: FloatArray) -> None:
    """Make weights and maps int8, by the range that maps have on the pictures shown."""
    try:
        from onnxruntime.quantization import (
            CalibrationDataReader,
            CalibrationMethod,
            QuantType,
            quantize_static,
        )
    except ImportError as error:
        raise not_installed("onnxruntime", "onnx", "--int8") from error

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Hands out the pictures, one by one."""

        def __init__(self) -> None:
            self._left: Iterator[FloatArray] = iter(shown[:, None])

        def get_next(self) -> dict[str, FloatArray] | None:
            """The next picture, or None."""
            part = next(self._left, None)
            return None if part is None else {INPUT: part}

    with quiet_root_log():
        quantize_static(
            str(exact),
            str(out),
            Reader(),
            per_channel=True,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
