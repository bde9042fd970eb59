"""Cuts all crops of a frame on the device that holds it, in a few operations for like sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.errors import DeviceFullError
from mot_dinov3.perception.backends.problems import lacks_memory
from mot_dinov3.perception.features.crops import CropWindows, InputSpec
from mot_dinov3.perception.features.resampling import kernel
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.values import Image, IntArray

if TYPE_CHECKING:
    import torch

LINES = 32
"""Windows are padded to a multiple of so many lines: fewer shapes for the device's allocator."""

MOST_WASTE = 1.5
"""Windows are cut together while that costs at most so many times what they cost one by one."""


class DeviceCrops:
    """`crops.cpu_batch` on a device: windows of like sizes at once.

    The windows of a group are gathered into blocks as large as the largest of them, and two
    batched products with their antialiasing weights resize them; lines beyond a window have
    weight 0.

    Args:
        spec: what the model wants to see.
        upload: brings the frame to the device.
    """

    def __init__(self, spec: InputSpec, upload: FrameUpload) -> None:
        import torch

        self._spec = spec
        self._upload = upload
        pair = (torch.from_numpy(c).view(3, 1, 1) for c in spec.scale_and_shift)
        self._scale, self._shift = (constant.to(upload.device) for constant in pair)

    def __call__(self, image: Image, windows: CropWindows) -> torch.Tensor:
        """The network's input for some windows of a frame.

        Args:
            image: (H, W, 3) uint8 BGR, the whole frame.
            windows: K windows planned for this frame, at least one.

        Returns:
            (K, 3, spec.height, spec.width) float32 RGB on the device.

        Raises:
            DeviceFullError: the device has no memory left.
        """
        import torch

        try:
            with torch.inference_mode():
                return self._batch(self._upload(image), windows)
        except RuntimeError as error:
            if not lacks_memory(error):
                raise
            torch.cuda.empty_cache()
            raise DeviceFullError(f"{self._upload.device} has no memory left for crops.") from error

    def _batch(self, frame: torch.Tensor, windows: CropWindows) -> torch.Tensor:
        """Cut group by group; what a group needs in between is free again for the next one."""
        import torch

        sizes = padded_sizes(windows)
        groups = group_windows(sizes, self._spec)
        order = np.concatenate(groups)
        table = np.hstack([windows.source, windows.target])
        known = torch.from_numpy(np.column_stack([table, np.arange(len(table))])[order])
        known = known.to(frame.device)
        parts, start = [], 0
        for rows in groups:
            lines = known[start : start + len(rows), :-1]
            across, down = sizes[rows].max(axis=0).tolist()
            parts.append(self._group(frame, lines, across, down))
            start += len(rows)
        if len(parts) == 1:
            return parts[0]
        together = torch.cat(parts)
        return torch.empty_like(together).index_copy_(0, known[:, -1], together)

    def _group(
        self, frame: torch.Tensor, table: torch.Tensor, across: int, down: int
    ) -> torch.Tensor:
        """Cut (K, 8) windows, source and target, none wider than `across` or higher than `down`."""
        import torch

        spec, n = self._spec, len(table)
        x, columns, has_x = _axis(table[:, 0::2], (spec.width, across), spec.bicubic)
        y, rows, has_y = _axis(table[:, 1::2], (spec.height, down), spec.bicubic)
        pixels = frame[rows[:, :, None], columns[:, None, :]].float()
        lines = torch.bmm(y, pixels.view(n, down, across * 3)).view(n, spec.height, across, 3)
        planes = lines.permute(0, 3, 1, 2).reshape(n, 3 * spec.height, across)
        bgr = torch.bmm(planes, x.transpose(1, 2)).view(n, 3, spec.height, spec.width)
        if spec.bicubic:
            bgr.clamp_(0, 255)
        seen = has_y[:, None, :, None] & has_x[:, None, None, :]
        return (bgr.flip(1) * self._scale - self._shift) * seen


def padded_sizes(windows: CropWindows) -> IntArray:
    """(K, 2) int64 columns and lines of K windows, each filled up to a multiple of `LINES`."""
    size = windows.source[:, 2:] - windows.source[:, :2]
    return np.asarray(-(-size // LINES) * LINES, np.int64)


def cutting_cost(across: int, down: int, spec: InputSpec) -> int:
    """Operations of the two products that cut one window of that padded size."""
    return 6 * spec.height * across * (down + spec.width)


def group_windows(sizes: IntArray, spec: InputSpec) -> list[IntArray]:
    """Divide windows into groups that are worth cutting together.

    The dearest window begins a group, and the others join it in the order of their costs, as long
    as the group costs at most `MOST_WASTE` times what its windows cost one by one. So no large
    window pads the small ones.

    Args:
        sizes: (K, 2) padded columns and lines, see `padded_sizes`; at least one window.
        spec: the input picture to fill.

    Returns:
        The rows of each group in order, every row in one group.
    """
    shapes = [(across, down) for across, down in sizes.tolist()]
    alone = [cutting_cost(*shape, spec) for shape in shapes]
    left = sorted(range(len(shapes)), key=lambda row: -alone[row])
    groups = []
    while left:
        group, (across, down), parts = [left[0]], shapes[left[0]], alone[left[0]]
        for row in left[1:]:
            wider = max(across, shapes[row][0]), max(down, shapes[row][1])
            together = (len(group) + 1) * cutting_cost(*wider, spec)
            if together <= MOST_WASTE * (parts + alone[row]):
                group.append(row)
                (across, down), parts = wider, parts + alone[row]
        groups.append(np.array(sorted(group), np.int64))
        grouped = set(group)
        left = [row for row in left if row not in grouped]
    return groups


def _axis(
    lines: torch.Tensor, size: tuple[int, int], cubic: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """How K windows are resized along one axis; see `resampling` for the weights.

    Args:
        lines: (K, 4) int64, first line in the frame and the one after the last, and the same in
            the input picture.
        size: lines of the input picture, and of the largest window or more.
        cubic: the kernel.

    Returns:
        (K, size[0], size[1]) float32 weights, (K, size[1]) int64 lines of the frame, and
        (K, size[0]) bool, which lines of the input picture the window fills.
    """
    import torch

    start, end, first, last = lines.split(1, dim=1)
    n_in, n_out = end - start, last - first
    line = torch.arange(size[1], device=lines.device)
    own = torch.arange(size[0], device=lines.device) - first
    inside = (own >= 0) & (own < n_out)
    scale = n_in / n_out
    centre = (own + 0.5) * scale
    distance = (line + 0.5 - centre[:, :, None]).abs() / scale.clip(1)[:, :, None]
    weights = kernel(distance, cubic) * (line < n_in)[:, None] * inside[:, :, None]
    weights /= weights.sum(dim=2, keepdim=True) + ~inside[:, :, None]
    return weights, torch.minimum(start + line, end - 1), inside
