"""An Ultralytics weights file: loaded without running code in it, exported, or run by torch."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends.choice import INT8, ONNX, OPENVINO, Choice
from mot_dinov3.perception.backends.openvino_setup import import_openvino
from mot_dinov3.perception.detectors.about import About, class_names, require_boxes
from mot_dinov3.perception.detectors.taps import levels_agree, write_taps
from mot_dinov3.perception.detectors.ultralytics_setup import import_ultralytics, preserve_threads
from mot_dinov3.perception.detectors.weights import device_problem, first_line, load_problem
from mot_dinov3.values import Image

ARGUMENTS: dict[str, dict[str, Any]] = {OPENVINO: {}, ONNX: {"simplify": False}}
"""Backend -> what its export is told beside size and device; simplifying needs one more package."""
WRITTEN = {OPENVINO: "*_openvino_model/*.xml", ONNX: "*.onnx"}
PICTURES = ("bus.jpg", "zidane.jpg")
"""What every installation of Ultralytics brings along: two photographs with people."""
CROPS = 16
"""Crops of each picture: other scales, mirrored, darker or brighter."""


class Checkpoint:
    """A weights file in memory.

    Attributes:
        path: the file.
        about: its notes.
        model: the `ultralytics.YOLO` object.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        """Load a file that `weights.check_weights` let pass; nothing in it is run.

        Raises:
            ModelError: it is damaged, unsafe, or of a task without boxes.
            DeviceError: the device is full.
        """
        self.path = path
        ultralytics = import_ultralytics()
        try:
            with preserve_threads():
                self.model = ultralytics.YOLO(str(path.resolve()))
                self.about = _about(self.model)
        except Exception as error:
            raise device_problem(error, device) or load_problem(path, error) from error
        require_boxes(path.name, self.about)

    def export(self, choice: Choice, size: tuple[int, int], target: Path) -> None:
        """Write the network for pictures of one size to `target`, by Ultralytics' exporter.

        Args:
            choice: `OPENVINO` (an .xml file, its .bin goes beside it) or `ONNX`.
            size: height and width of the input.
            target: path of the model file.

        Raises:
            ModelError: the model cannot be exported.
        """
        backend = choice.file_format
        if backend == OPENVINO:
            import_openvino()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
            self.model.model.pt_path = str(Path(temporary) / "model.pt")
            try:
                more = ARGUMENTS[backend]
                if choice.precision == INT8:
                    more = more | _int8_arguments(Path(temporary), self.about)
                with preserve_threads(), silence_output():
                    self.model.export(format=backend, imgsz=size, device="cpu", **more)
            except Exception as error:
                raise ModelError(
                    f"'{self.path.name}' cannot be exported for {backend}: {first_line(error)}.",
                    fix="Run it with --backend torch.",
                ) from error
            (written,) = Path(temporary).glob(WRITTEN[backend])
            shutil.move(written, target)
            if backend == OPENVINO:
                shutil.move(written.with_suffix(".bin"), target.with_suffix(".bin"))
                write_taps(target, len(self.about.names))

    def module(self) -> tuple[Any, bool]:
        """The bare torch module, layers fused, and whether it answers with raw maps.

        It does where it can be made to, see `models.yolo_levels`; else its first output is the
        decoded answer.
        """
        with preserve_threads():
            module = self.model.model.float().eval()
            if hasattr(module, "end2end"):
                module.end2end = self.about.final
            module = module.fuse(verbose=False)
        from mot_dinov3.nets.yolo_levels import hide_levels

        levels = _gives_levels(module, self.about)
        if not levels:
            hide_levels(module)
        return module, levels


def _int8_arguments(folder: Path, about: About) -> dict[str, Any]:
    from ultralytics.utils import DEFAULT_CFG_DICT

    data = {"data": str(write_calibration(folder, about.names)), "batch": 1}
    return data | ({"quantize": 8} if "quantize" in DEFAULT_CFG_DICT else {"int8": True})


def write_calibration(folder: Path, names: Mapping[int, str]) -> Path:
    """Make a data set of crops in Ultralytics' form; returns its description.

    Args:
        folder: an empty directory.
        names: the classes of the model.

    Raises:
        OSError: Ultralytics' pictures are missing.
    """
    from ultralytics.utils import ASSETS

    images = folder / "images"
    images.mkdir()
    rng = np.random.default_rng(0)
    for name in PICTURES:
        picture = cv2.imread(str(Path(ASSETS) / name))
        if picture is None:
            raise FileNotFoundError(f"Ultralytics' picture {name} is missing")
        for number in range(CROPS):
            cv2.imwrite(str(images / f"{number:02}-{name}"), _crop(picture, rng))
    description = folder / "data.yaml"
    facts = {"path": str(folder), "train": "images", "val": "images", "names": list(names.values())}
    description.write_text(json.dumps(facts), encoding="utf-8")
    return description


def _crop(picture: Image, rng: np.random.Generator) -> Image:
    height, width = picture.shape[:2]
    share = rng.uniform(0.4, 1.0)
    tall, wide = int(height * share), int(width * share)
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
    crop = picture[top : top + tall, left : left + wide]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    return np.asarray(np.clip(crop * rng.uniform(0.5, 1.3), 0, 255), np.uint8)


def _gives_levels(module: Any, about: About) -> bool:  # noqa: ANN401 - a torch module
    """Expose the head's raw maps, and tell whether they decode to what it answered before."""
    import torch

    from mot_dinov3.nets.yolo_levels import expose_levels
    from mot_dinov3.perception.backends.torch import select_tensors

    if about.final:
        return False
    shape = (1, 3, 2 * about.stride, 2 * about.stride)
    pixels = torch.from_numpy(np.random.default_rng(0).random(shape, np.float32))
    with torch.inference_mode():
        whole = select_tensors(module(pixels))[0]
        try:
            expose_levels(module)
            levels = [level.numpy() for level in module(pixels)]
        except (AttributeError, TypeError, ValueError, RuntimeError):
            return False
    return levels_agree(levels, whole[0].numpy(), len(about.names), pixels.shape[2])


def _about(model: Any) -> About:  # noqa: ANN401 - an ultralytics.YOLO
    module = getattr(model, "model", None)
    head = getattr(module, "model", [None])[-1]
    stride = getattr(module, "stride", None)
    plain = any(kind.__name__ == "Detect" for kind in type(head).__mro__)
    return About(
        names=class_names(dict(model.names)),
        task=model.task,
        stride=int(max(stride)) if stride is not None else 32,
        final=plain and getattr(head, "cv2", True) is None,
        plain=plain,
    )


@contextlib.contextmanager
def silence_output() -> Iterator[None]:
    """Suppress what other packages print, and their warnings of deprecation."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
