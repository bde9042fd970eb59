"""Where a detector's network comes from: weights that are exported first, or an export."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mot_dinov3.config import BACKEND_TITLES
from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends.base import FileNetwork, Network
from mot_dinov3.perception.backends.batch import fill_batches
from mot_dinov3.perception.backends.cache import ExportKey, entry_name, open_entry
from mot_dinov3.perception.backends.choice import INT8, OPENVINO, Choice
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.backends.load import load_network, open_export
from mot_dinov3.perception.detectors.about import About, about_from_notes, read_notes, require_boxes

if TYPE_CHECKING:
    from mot_dinov3.perception.detectors.checkpoint import Checkpoint

logger = logging.getLogger("mot_dinov3")

EXPORTERS = ("torch", "ultralytics")
"""Packages that take part in the export of weights."""
QUANTIZER = "nncf"
"""The package that an export to int8 needs beside them."""
ABOUT_FILE = "about.json"


class NetworkSource(Protocol):
    """Gives the network for pictures of a size.

    Attributes:
        name: the model as the user knows it.
        path: the weights file or the export.
        about: its notes.
        choice: what it runs with.
        device: where it runs.
        selects: networks answer with candidates, see `decode.decode_candidates`.
    """

    name: str
    path: Path
    about: About
    choice: Choice
    device: str
    selects: bool

    def get_fixed_size(self) -> tuple[int, int] | None:
        """Height and width of the only input there is, None where any will do."""

    def keep_neck(self) -> bool:
        """Let networks answer with the neck's maps last; False where they cannot."""

    def network(self, size: tuple[int, int]) -> Network:
        """The network for inputs of that height and width; may take seconds the first time."""


class TorchSource:
    """A weights file that torch runs as it is, whatever the size of the input.

    Args:
        checkpoint: the weights.
        choice: backend and precision.
        device: torch device string.
        floor: least confidence of a box; on CUDA, cells without it are not fetched.
    """

    def __init__(
        self, checkpoint: Checkpoint, choice: Choice, device: str, floor: float = 0.0
    ) -> None:
        self.name, self.path = checkpoint.path.name, checkpoint.path
        self.about = checkpoint.about
        self.choice, self.device = choice, device
        self._floor = floor
        self._module, self._levels = checkpoint.module()
        self.selects = self._levels and device.startswith("cuda")
        self._network = self._place(neck=False)

    def get_fixed_size(self) -> None:
        """Any size will do."""
        return

    def keep_neck(self) -> bool:
        """Let the head hand them on, where it is known."""
        if self._levels:
            from mot_dinov3.nets.yolo_levels import expose_levels

            expose_levels(self._module, neck=True)
            self._network = self._place(neck=True)
        return self._levels

    def network(self, size: tuple[int, int]) -> Network:
        """The one network."""
        return self._network

    def _place(self, *, neck: bool) -> Network:
        """Place the module on the device.

        Where decoding is done here, in float32, the network may compute in short numbers alone. A
        head that decodes keeps the centres of the cells of its last input.
        """
        from mot_dinov3.perception.backends.torch import TorchNetwork, TorchSettings
        from mot_dinov3.perception.detectors.candidates import DeviceCandidates

        select = DeviceCandidates(self._floor, neck=neck) if self.selects else None
        how = TorchSettings(short=self._levels, one_size=not self._levels, select=select)
        network = TorchNetwork(self._module, self.choice, self.device, self.name, how)
        on_cuda = self.device.startswith("cuda")
        if on_cuda and not self._levels and self.choice.precision != "fp32":
            from mot_dinov3.nets.yolo_levels import decode_in_float32

            decode_in_float32(network.module)
        return network


class ExportingSource:
    """A weights file that is exported once per input size, and found in the cache from then on.

    Where all is found there, neither torch nor Ultralytics is imported.

    Args:
        path: a file that `weights.check_weights` let pass.
        choice: backend and precision.
        device: torch device string.
        place: directory of the exports.

    Raises:
        ModelError: the file is damaged, unsafe, or of a task without boxes.
    """

    selects = False

    def __init__(self, path: Path, choice: Choice, device: str, place: Path) -> None:
        self.name, self.choice, self.device = path.name, choice, device
        self.path, self._place = path, place
        self._digest = weights_digest(path)
        self._checkpoint: Checkpoint | None = None
        self._neck = False
        entry = entry_name(f"{path.stem}-about", {"weights": self._digest}, EXPORTERS)
        with open_entry(entry, self._write_about, place) as folder:
            self.about = About.from_json((folder / ABOUT_FILE).read_text(encoding="utf-8"))
        require_boxes(self.name, self.about)

    def get_fixed_size(self) -> None:
        """Any size can be exported."""
        return

    def keep_neck(self) -> bool:
        """Cut the networks that are loaded from now on behind the neck too; OpenVINO only."""
        self._neck = self.choice.backend == OPENVINO
        return self._neck

    def network(self, size: tuple[int, int]) -> Network:
        """The export for that size, made now where it is not in the cache.

        Raises:
            ModelError: it cannot be exported or does not run.
        """
        exporters = EXPORTERS + ((QUANTIZER,) if self.choice.precision == INT8 else ())
        key = ExportKey(self.path.stem, self._digest, self.choice, size, exporters=exporters)
        try:
            with open_export(key, lambda target: self._export(size, target), self._place) as path:
                return load_network(path, self.choice, self.device, self._cut, self._place)
        finally:
            self._checkpoint = None

    def _cut(self, model: Any, path: Path) -> Any:  # noqa: ANN401 - openvino's
        from mot_dinov3.perception.detectors.taps import read_taps

        taps = read_taps(path)
        return taps.cut(model, neck=self._neck) if taps else model

    def _load(self) -> Checkpoint:
        if self._checkpoint is None:
            from mot_dinov3.perception.detectors.checkpoint import Checkpoint

            self._checkpoint = Checkpoint(self.path)
        return self._checkpoint

    def _write_about(self, folder: Path) -> None:
        (folder / ABOUT_FILE).write_text(self._load().about.to_json(), encoding="utf-8")

    def _export(self, size: tuple[int, int], target: Path) -> None:
        if self.choice.precision == INT8:
            logger.warning(
                "int8 rounds weights and pictures to 256 steps, with ranges learned on two "
                "photographs: compare the boxes with those of --precision fp32 on your own video."
            )
        title, pixels = BACKEND_TITLES[self.choice.backend], f"{size[1]}x{size[0]}"
        message = "Exporting '%s' to %s for %s px, to be kept for later runs."
        logger.warning(message, self.name, title, pixels)
        self._load().export(self.choice, size, target)


class ReadySource:
    """An export that the user made; its own notes tell names and task.

    Attributes:
        noted: whether the file has notes of Ultralytics; else nothing is known of it.
    """

    selects = False

    def __init__(self, path: Path, choice: Choice, device: str, place: Path) -> None:
        """Load it; `place` is the directory of the exports.

        Raises:
            ModelError: the backend cannot run it, or its task has no boxes.
        """
        model = _model_file(path)
        loaded = load_network(model, choice, device, place=place)
        self.name, self.path, self.choice = path.name, path, choice
        self.device = loaded.device
        batch, *self._sides = _read_input(loaded, path.name)
        self._network = fill_batches(loaded, batch)
        if batch > 1:
            logger.warning(
                "'%s' was exported for %d pictures at once: each frame is computed %d times. "
                "Export it with batch=1.",
                *(path.name, batch, batch),
            )
        notes = loaded.metadata or read_notes(model.parent)
        about = about_from_notes(notes)
        self.noted = about is not None
        self.about = about or About(names={}, task="", plain=False)
        if self.noted:
            require_boxes(self.name, self.about)

    def get_fixed_size(self) -> tuple[int, int] | None:
        """The size that it was exported for, None where it was left open."""
        height, width = self._sides
        return (height, width) if min(height, width) > 0 else None

    def keep_neck(self) -> bool:
        """What the user exported is run as it is."""
        return False

    def network(self, size: tuple[int, int]) -> Network:
        """The one network."""
        return self._network


def _read_input(network: FileNetwork, name: str) -> tuple[int, int, int]:
    """Pictures, height and width of a network's input; -1 where a size is open.

    Raises:
        ModelError: it takes something else than pictures.
    """
    shape = network.inputs[0] if network.inputs else []
    if len(shape) != 4:
        raise ModelError(
            f"'{name}' takes an input of shape {list(shape)}; a detector takes pictures, "
            "(batch, 3, height, width).",
            fix="Use a model that Ultralytics exported for detection.",
        )
    return shape[0], shape[2], shape[3]


def _model_file(path: Path) -> Path:
    """The .xml file of an OpenVINO directory, or the file itself."""
    return next(iter(sorted(path.glob("*.xml"))), path) if path.is_dir() else path
