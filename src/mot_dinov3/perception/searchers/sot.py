"""Our own single-object network as a searcher, `--searcher sot:CKPT`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mot_dinov3.config import DeviceConfig
from mot_dinov3.errors import ModelError
from mot_dinov3.io.checkpoint import ModelCheckpoint, find_checkpoint
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.searchers.base import Finds, Searcher, SearcherKind
from mot_dinov3.perception.searchers.sot_networks import (
    SEARCH_FACTOR,
    TEMPLATE_FACTOR,
    as_pixels,
    fold_norms,
    load_network,
)
from mot_dinov3.perception.searchers.windows import Window, cut_window, plan_window
from mot_dinov3.values import DoubleArray, FloatArray, Frame, IntArray

if TYPE_CHECKING:
    import torch

    from mot_dinov3.nets.sot.network import SotNetwork

HANN_WEIGHT = 0.3
"""Share of a place's rank that its nearness to the middle of the window is."""
SIZE_PACE = 0.3
"""Share of a box's change of size that is believed at once."""
LEAST_SCORE = 0.02
"""Below it an object counts as not found."""
RENEW_FRAMES = 10
"""Least distance in time of the templates that are taken from finds."""
RENEW_SHARE = 0.5
"""A find is taken as a template when its score is so far from `sure` to 1."""


@dataclass(slots=True)
class Target:
    """What is known of an object that is followed.

    Attributes:
        templates: (K, M, dim) their tokens. Those of the picture that it was shown in come first
            and stay, the others follow each other.
        wh: (2,) width and height in pixels, smoothed.
        renewed: index of the frame that the newest template is from.
        newest: place of it in `templates`.
    """

    templates: torch.Tensor
    wh: FloatArray
    renewed: int
    newest: int = 0


@dataclass(frozen=True, slots=True)
class Model:
    """A network with what it was stored with.

    Attributes:
        network: in evaluation mode, on the device.
        found: the checkpoint.
        path: where it lies.
        device: torch device string.
        precision: "bf16" or "fp16" for short numbers; anything else means float32, which is
            faster for a few targets on a CPU.
    """

    network: SotNetwork
    found: ModelCheckpoint
    path: Path
    device: str
    precision: str = ""

    def size(self, name: str) -> int:
        """A size from the checkpoint."""
        return int(self.found.config.sizes[name])

    def casting(self) -> AbstractContextManager[Any]:
        """A context in which the network computes in its precision."""
        import torch

        kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(self.precision)
        context: AbstractContextManager[Any] = torch.autocast(
            self.device.partition(":")[0], dtype=kind, enabled=kind is not None
        )
        return context


class SotSearcher(Searcher):
    """Finds all targets of a frame in one batch.

    A window round the place where a target is expected goes through the network with the target's
    templates. Of the places that may be its centre, the one wins whose score, mixed with a Hann
    window as in SiamFC (Bertinetto et al. 2016), is highest.
    """

    def __init__(self, model: Model) -> None:
        """Follow nothing yet."""
        self._model = model
        self._targets: dict[int, Target] = {}
        self._hann = create_hann(model.size("search_px") // 8)

    @property
    def title(self) -> str:
        """The checkpoint, its size and device."""
        return f"sot {self._model.path.name} {self._model.size('search_px')} px, " + (
            self._model.device
        )

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the weights."""
        return weights_digest(find_checkpoint(self._model.path))

    @property
    def sure(self) -> float:
        """What best parted finds from mistakes on held-out pictures."""
        return float(self._model.found.config.thresholds["sure"])

    def show(self, frame: Frame, ids: IntArray, xyxy: FloatArray) -> None:
        """Take the templates of targets; all of a target's are the same at first."""
        usable = list_usable(xyxy)
        if not len(usable):
            return
        boxes = np.asarray(xyxy, np.float32)[usable]
        count = self._model.size("templates")
        for n, box, tokens in zip(
            ids[usable].tolist(), boxes, self._describe(frame, boxes), strict=True
        ):
            bank = tokens[None].repeat(count, 1, 1)
            self._targets[n] = Target(bank, box[2:] - box[:2], frame.index)

    def search(self, frame: Frame, ids: IntArray, expected: FloatArray) -> Finds:
        """Search all targets at once, each where it is expected."""
        finds = Finds.nothing(np.array(expected, np.float32))
        usable = list_usable(finds.xyxy)
        rows = [row for row in usable.tolist() if int(ids[row]) in self._targets]
        if not rows:
            return finds
        targets = [self._targets[int(ids[row])] for row in rows]
        windows = [
            plan_window(resize(finds.xyxy[row], target.wh), SEARCH_FACTOR)
            for row, target in zip(rows, targets, strict=True)
        ]
        boxes, scores = self._find(frame, windows, targets)
        for row, target, box, score in zip(rows, targets, boxes, scores.tolist(), strict=True):
            if score < LEAST_SCORE:
                continue
            target.wh = (1 - SIZE_PACE) * target.wh + SIZE_PACE * (box[2:] - box[:2])
            finds.xyxy[row] = resize(box, target.wh)
            finds.score[row] = score
        self._renew_templates(frame, targets, finds.xyxy[rows], finds.score[rows])
        return finds

    def forget(self, ids: IntArray) -> None:
        """Drop templates."""
        for n in ids.tolist():
            self._targets.pop(n, None)

    def renew(self) -> Self:
        """One with the same network that follows nothing yet."""
        return type(self)(self._model)

    def _describe(self, frame: Frame, boxes: FloatArray) -> torch.Tensor:
        """(T, M, dim) the tokens of boxes (T, 4) as templates."""
        import torch

        windows = [plan_window(box, TEMPLATE_FACTOR) for box in boxes]
        size_px = self._model.size("template_px")
        marks = [window.enter(box) for window, box in zip(windows, boxes, strict=True)]
        with torch.inference_mode(), self._model.casting():
            shares = torch.from_numpy(np.stack(marks)).to(self._model.device)
            tokens = self._model.network.describe(self._cut(frame, windows, size_px), shares)
            return tokens.float()

    def _find(
        self, frame: Frame, windows: list[Window], targets: list[Target]
    ) -> tuple[FloatArray, FloatArray]:
        """(T, 4) boxes in pixels, and (T,) their scores."""
        import torch

        size_px = self._model.size("search_px")
        with torch.inference_mode(), self._model.casting():
            templates = torch.stack([target.templates for target in targets])
            answer = self._model.network.find(self._cut(frame, windows, size_px), templates)
            chance = answer.logits.float().sigmoid().flatten(1).cpu().numpy()
            shares = answer.boxes.flatten(2).float().cpu().numpy()
        place = ((1 - HANN_WEIGHT) * chance + HANN_WEIGHT * self._hann).argmax(axis=1)
        each = np.arange(len(place))
        boxes = [
            window.leave(share)
            for window, share in zip(windows, shares[each, :, place], strict=True)
        ]
        return np.stack(boxes), chance[each, place]

    def _cut(self, frame: Frame, windows: list[Window], size_px: int) -> torch.Tensor:
        import torch

        crops = np.stack([cut_window(frame.image, window, size_px) for window in windows])
        return as_pixels(torch.from_numpy(crops).to(self._model.device))

    def _renew_templates(
        self, frame: Frame, targets: list[Target], xyxy: FloatArray, score: FloatArray
    ) -> None:
        """Put good finds into the banks of templates, in the place of the oldest but the first."""
        least = self.sure + RENEW_SHARE * (1 - self.sure)
        count = self._model.size("templates")
        if count < 2:
            return
        due = [
            row
            for row, target in enumerate(targets)
            if score[row] >= least and frame.index - target.renewed >= RENEW_FRAMES
        ]
        if not due:
            return
        for row, tokens in zip(due, self._describe(frame, xyxy[due]), strict=True):
            target = targets[row]
            target.newest = target.newest % (count - 1) + 1
            target.templates = target.templates.clone()
            target.templates[target.newest] = tokens
            target.renewed = frame.index


def create_hann(side: int) -> DoubleArray:
    """(side * side,) a Hann window, 1 in the middle."""
    line = np.hanning(side + 2)[1:-1]
    return np.asarray(np.outer(line, line).ravel() / line.max() ** 2, np.float64)


def list_usable(xyxy: FloatArray) -> IntArray:
    """Rows of the boxes (T, 4) that are finite."""
    return np.flatnonzero(np.isfinite(xyxy).all(axis=1))


def resize(box: FloatArray, wh: FloatArray) -> FloatArray:
    """A box (4,) of another width and height, around the same centre."""
    centre = (box[:2] + box[2:]) / 2
    return np.concatenate([centre - wh / 2, centre + wh / 2]).astype(np.float32)


def load_sot(argument: str, device: str, settings: DeviceConfig) -> Searcher:
    """The searcher of `--searcher sot:CKPT`.

    Raises:
        ModelError: there is no such checkpoint, it is of another kind, or it is damaged.
    """
    path = Path(argument).expanduser()
    network, found = load_network(path)
    if "sure" not in found.config.thresholds:
        raise ModelError(
            f"The checkpoint '{path}' does not say from which score on a find is sure.",
            fix="Give the folder of a run of 'train sot' that was measured.",
        )
    fold_norms(network)
    return SotSearcher(Model(network.to(device), found, path, device, settings.precision))


SOT = SearcherKind(load_sot, argument="CKPT")
