"""The cut on a device runs on the CPU too, so it is tested there; on a GPU where there is one."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.errors import DeviceFullError
from mot_dinov3.perception.features.crops import InputSpec, cpu_batch, crop_windows
from mot_dinov3.perception.features.device_crops import (
    MOST_WASTE,
    DeviceCrops,
    cutting_cost,
    group_windows,
    padded_sizes,
)
from mot_dinov3.runtime.upload import FrameUpload

torch = pytest.importorskip("torch")

FRAME = (320, 240)
BOXES = np.array(
    [
        [-20, 30, 60, 150],
        [100, 50, 180, 230],
        [10, 10, 30, 22],
        [300, 200, 330, 260],
        [-500, -500, 900, 900],
        [40, 40, 41, 41],
    ],
    np.float32,
)
DEVICES = ["cpu", pytest.param("cuda:0", marks=pytest.mark.gpu)]
SPECS = {
    "square": (InputSpec(64, 64), True),
    "upright": (InputSpec(64, 32), False),
    "cubic": (InputSpec(56, 56, bicubic=True), True),
    "plain": (InputSpec(48, 48, mean=(0.1, 0.2, 0.3), std=(1.0, 0.5, 2.0), rescale=1.0), True),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", SPECS)
def test_all_windows_at_once_equal_those_cut_one_by_one(picture, kind, device):
    if device != "cpu" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    spec, square = SPECS[kind]
    windows = crop_windows(BOXES, FRAME, spec, 0.12, square)
    assert len(windows) == 6
    ours = DeviceCrops(spec, FrameUpload(device))(picture, windows)
    assert ours.device.type == device.partition(":")[0]
    expected = cpu_batch(picture, windows, spec)
    grey_level = spec.rescale / min(spec.std)
    np.testing.assert_allclose(ours.cpu().numpy(), expected, atol=0.01 * grey_level)


VIT = InputSpec(224, 224)
CROWD = np.array([[20.0 * i, 10, 20 * i + 90, 250] for i in range(20)], np.float32)
CLOSE = np.array([[40, 20, 640, 1040]], np.float32)


def plan(boxes):
    return crop_windows(np.vstack(boxes).astype(np.float32), (1920, 1080), VIT, 0.0, False)


@pytest.mark.parametrize(("spread", "most"), [(0.1, 1), (1.0, 5), (3.0, 16)])
def test_a_group_costs_little_more_than_its_windows_one_by_one(spread, most):
    rng = np.random.default_rng(0)
    size = (40 * np.exp(rng.uniform(0, spread, (60, 2)))).astype(np.float32)
    sizes = padded_sizes(plan([np.hstack([np.zeros_like(size), size])]))
    groups = group_windows(sizes, VIT)
    assert sorted(np.concatenate(groups).tolist()) == list(range(60))
    for rows in groups:
        together = cutting_cost(*sizes[rows].max(axis=0), VIT) * len(rows)
        assert together <= MOST_WASTE * sum(cutting_cost(*sizes[row], VIT) for row in rows)
    assert len(groups) <= most


def test_windows_of_one_size_stay_together_in_their_order():
    groups = group_windows(padded_sizes(plan([CROWD])), VIT)
    assert [rows.tolist() for rows in groups] == [list(range(20))]


def test_one_large_window_does_not_pad_the_small_ones(monkeypatch):
    """The bytes that are gathered: 342 MB if all 21 were as large as the close person."""
    gathered, real = [], torch.Tensor.float

    def count(self):
        gathered.append(self.numel() * 4)
        return real(self)

    frame = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)
    cut = DeviceCrops(VIT, FrameUpload("cpu"))
    windows = plan([CROWD[:10], CLOSE, CROWD[10:]])
    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "float", count)
        ours = cut(frame, windows).numpy()
    small, large = 20 * 96 * 256 * 12, 608 * 1024 * 12
    assert sum(gathered) <= 1.1 * (small + large)
    assert max(gathered) <= 1.1 * large
    expected = cpu_batch(frame, windows, VIT)
    np.testing.assert_allclose(ours, expected, atol=0.01 / 255 / min(VIT.std))


def test_a_cubic_kernel_does_not_leave_the_range_of_pixels():
    checks = np.zeros((240, 320, 3), np.uint8)
    checks[:, ::8] = checks[::8] = 255
    spec = InputSpec(64, 64, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), rescale=1.0, bicubic=True)
    windows = crop_windows(np.array([[20, 20, 50, 50]], np.float32), FRAME, spec, 0.0, True)
    ours = DeviceCrops(spec, FrameUpload("cpu"))(checks, windows).numpy()
    assert 0 <= ours.min() < 1
    assert 250 < ours.max() <= 255
    np.testing.assert_allclose(ours, cpu_batch(checks, windows, spec), atol=0.02)


def test_a_window_alone_is_cut_as_among_others(picture):
    spec, square = SPECS["square"]
    windows = crop_windows(BOXES, FRAME, spec, 0.12, square)
    cut = DeviceCrops(spec, FrameUpload("cpu"))
    together = cut(picture, windows)
    for row in range(len(windows)):
        alone = cut(picture, windows[row : row + 1])
        torch.testing.assert_close(alone[0], together[row], atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), DeviceFullError),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"), DeviceFullError),
        (RuntimeError("CUDA error: device-side assert triggered"), RuntimeError),
    ],
)
def test_a_full_device_is_told_from_other_failures(picture, error, expected):
    def fail(image):
        raise error

    spec, square = SPECS["square"]
    fail.device = "cpu"
    with pytest.raises(expected) as caught:
        DeviceCrops(spec, fail)(picture, crop_windows(BOXES, FRAME, spec, 0.12, square))
    assert isinstance(caught.value, DeviceFullError) == (expected is DeviceFullError)
