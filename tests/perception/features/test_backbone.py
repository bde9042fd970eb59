from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.errors import DeviceError, DeviceFullError, ModelError
from mot_dinov3.perception.backends.choice import Choice
from mot_dinov3.perception.backends.torch import TorchNetwork
from mot_dinov3.perception.features.backbone import NetworkEmbedder, NetworkOrigin, unit_rows
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.crops import CropShape, InputSpec
from mot_dinov3.perception.features.device_crops import DeviceCrops
from mot_dinov3.perception.features.exports import build_embedder
from mot_dinov3.runtime.notices import ALERT
from mot_dinov3.runtime.upload import FrameUpload

BOXES = np.array(
    [[10, 10, 60, 110], [100, 40, 160, 160], [200, 20, 260, 140], [5, 150, 45, 230]], np.float32
)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def network(torch, forward):
    """A torch module whose answer is `forward(pixels)` and that counts the batches it saw."""

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.batches = []

        def forward(self, pixel_values):
            self.batches.append(len(pixel_values))
            return forward(pixel_values)

    return Network()


def embedder(model, pad=0.12, cut=None):
    network = TorchNetwork(model, Choice("torch", "fp32"), "cpu", "a test")
    shape = CropShape(InputSpec(16, 16), pad, square=True)
    return NetworkEmbedder(
        network, shape, device="cpu", origin=NetworkOrigin("a test", Path("a-test")), cut=cut
    )


def colours(pixels):
    return pixels.mean(dim=(2, 3)) + 1.0


def test_all_boxes_go_in_one_batch(torch, picture):
    model = network(torch, colours)
    vectors = embedder(model).embed(picture, BOXES)
    assert model.batches == [1, 1, 4]
    assert vectors.shape == (4, 3)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_vector_belongs_to_its_box(torch, picture):
    embed = embedder(network(torch, colours)).embed
    together = embed(picture, BOXES)
    alone = np.concatenate([embed(picture, BOXES[i : i + 1]) for i in range(4)])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert np.abs(np.diff(together, axis=0)).max() > 0.01


def test_no_boxes_cost_no_forward(torch, picture):
    model = network(torch, colours)
    vectors = embedder(model).embed(picture, np.empty((0, 4), np.float32))
    assert vectors.shape == (0, 3)
    assert model.batches == [1, 1]


def test_a_box_that_shows_nothing_gets_nan_and_costs_nothing(torch, picture):
    model = network(torch, colours)
    boxes = BOXES.copy()
    boxes[1] = [400, 10, 450, 80]
    boxes[2] = np.nan
    vectors = embedder(model).embed(picture, boxes)
    assert np.isnan(vectors).all(axis=1).tolist() == [False, True, True, False]
    assert np.isfinite(vectors[[0, 3]]).all()
    assert model.batches == [1, 1, 2]


def test_only_unusable_boxes_cost_no_forward(torch, picture):
    model = network(torch, colours)
    assert np.isnan(embedder(model).embed(picture, np.full((2, 4), np.nan, np.float32))).all()
    assert model.batches == [1, 1]


def test_an_answer_that_is_not_finite_becomes_a_row_of_nan(torch, picture):
    def poisoned(pixels):
        vectors = colours(pixels)
        vectors[1:2] = float("inf")
        return vectors

    vectors = embedder(network(torch, poisoned)).embed(picture, BOXES)
    assert np.isnan(vectors).all(axis=1).tolist() == [False, True, False, False]
    assert np.isfinite(vectors[[0, 2, 3]]).all()


FULL = (
    "CUDA out of memory",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "Unable to find an engine to execute this computation",
)


@pytest.mark.parametrize("said", FULL)
def test_a_batch_too_large_for_the_memory_is_halved_and_remembered(torch, picture, said):
    def small(pixels):
        if len(pixels) > 1:
            raise RuntimeError(said)
        return colours(pixels)

    model = network(torch, small)
    ours = embedder(model)
    vectors = ours.embed(picture, BOXES)
    assert model.batches == [1, 1, 4, 2, 1, 1, 1, 1]
    plain = embedder(network(torch, colours)).embed(picture, BOXES)
    np.testing.assert_allclose(vectors, plain, atol=1e-6)
    model.batches.clear()
    ours.embed(picture, BOXES)
    assert model.batches == [1, 1, 1, 1]


def test_the_summary_says_how_memory_ran_out(torch, picture):
    def at_most(most):
        def small(pixels):
            if len(pixels) > most:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return colours(pixels)

        return embedder(network(torch, small))

    roomy, narrow, narrower = (at_most(most) for most in (4, 2, 1))
    for ours in (roomy, narrow, narrower):
        ours.embed(picture, BOXES)
    assert roomy.title == "a test 16 px, cpu, torch fp32"
    assert narrow.title == "a test 16 px, cpu, torch fp32, out of memory once: batches of 2"
    assert narrower.title.endswith("out of memory 2 times: batches of 1")


def test_crops_that_do_not_fit_are_cut_in_smaller_batches(torch, picture):
    cut = DeviceCrops(InputSpec(16, 16), FrameUpload("cpu"))
    asked = []

    def narrow(image, windows):
        asked.append(len(windows))
        if len(windows) > 2:
            raise DeviceFullError("cuda:0 has no memory left for crops.")
        return cut(image, windows)

    vectors = embedder(network(torch, colours), cut=narrow).embed(picture, BOXES)
    assert asked == [1, 1, 4, 2, 2]
    plain = embedder(network(torch, colours)).embed(picture, BOXES)
    np.testing.assert_allclose(vectors, plain, atol=1e-5)


def test_one_crop_too_large_is_a_device_error(torch):
    def never(pixels):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(DeviceError, match="Not even one crop of 'a test'") as caught:
        embedder(network(torch, never))
    assert caught.value.exit_code == 7
    assert "--device cpu" in caught.value.fix


def test_an_answer_of_another_shape_is_a_model_error(torch):
    with pytest.raises(ModelError, match=r"1 picture with shape \(3,\), not with one vector"):
        embedder(network(torch, lambda pixels: pixels.mean(dim=(0, 2, 3))))


def test_an_upright_input_is_named_width_first(torch):
    fp32 = TorchNetwork(network(torch, colours), Choice("torch", "fp32"), "cpu", "it")
    shape = CropShape(InputSpec(32, 16), 0.12, square=False)
    ours = NetworkEmbedder(fp32, shape, device="cpu", origin=NetworkOrigin("it", Path("it")))
    assert ours.title == "it 16x32 px, cpu, torch fp32"


def test_padding_reaches_the_crop(torch, picture):
    model = network(torch, colours)
    tight = embedder(model, pad=0.0).embed(picture, BOXES)
    wide = embedder(model, pad=0.5).embed(picture, BOXES)
    assert np.abs(tight - wide).max() > 0.01


def test_unit_rows_have_length_one_or_no_direction():
    rows = np.array([[3, 4], [0, 0], [np.nan, 1], [1e-30, 0], [6e4, 6e4]], np.float32)
    ours = unit_rows(rows)
    assert ours[0].tolist() == pytest.approx([0.6, 0.8])
    assert np.isnan(ours).all(axis=1).tolist() == [False, True, True, False, False]
    np.testing.assert_allclose(np.linalg.norm(ours[[3, 4]], axis=1), 1, atol=1e-6)


USELESS = {
    "is finite": lambda pixels: pixels.mean(dim=(2, 3)) * float("nan"),
    "are zero": lambda pixels: pixels.mean(dim=(2, 3)) * 0,
    "are the same": lambda pixels: pixels.mean(dim=(2, 3)) * 0 + 0.3,
}


@pytest.mark.parametrize("says", USELESS)
def test_a_network_that_never_works_is_refused_when_it_is_tried(torch, says):
    with pytest.raises(ModelError, match=f"cannot tell pictures apart: .* {says}") as caught:
        embedder(network(torch, USELESS[says]))
    assert caught.value.exit_code == 6
    assert caught.value.fix


def test_a_network_that_fails_on_a_blank_picture_alone_is_taken(torch):
    def forward(pixels):
        return colours(pixels) if pixels.std() > 0.1 else colours(pixels) * float("nan")

    assert embedder(network(torch, forward)).dim == 3


def test_a_network_that_fails_later_is_told_once_even_in_quiet(torch, picture, caplog, monkeypatch):
    fails = []

    def forward(pixels):
        vectors = colours(pixels)
        vectors[:1] = float("nan") if fails else vectors[:1]
        return vectors

    ours = embedder(network(torch, forward))
    fails.append(True)
    log = logging.getLogger("mot_dinov3")
    monkeypatch.setattr(log, "propagate", True)
    caplog.set_level(logging.ERROR, "mot_dinov3")
    for _ in range(3):
        assert np.isnan(ours.embed(picture, BOXES)[0]).all()
    assert [record.levelno for record in caplog.records] == [ALERT]
    assert "'a test' gave no usable vector for 1 of 4 crops" in caplog.text


def test_boxes_that_show_nothing_are_not_told_of(torch, picture, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("mot_dinov3"), "propagate", True)
    outside = BOXES.copy()
    outside[0] += 10_000
    assert np.isnan(embedder(network(torch, colours)).embed(picture, outside)[0]).all()
    assert not caplog.records


def test_vectors_of_another_length_are_an_error(torch, picture):
    def forward(pixels):
        return colours(pixels) if len(pixels) == 1 else colours(pixels)[:, :2]

    with pytest.raises(ModelError, match="answers with 2 numbers, with 3 before"):
        embedder(network(torch, forward)).embed(picture, BOXES)


@pytest.mark.parametrize("takes_tensors", [True, False])
def test_crops_are_cut_on_a_gpu_only_for_networks_that_take_them_there(torch, takes_tensors):
    """onnxruntime on CUDA takes arrays alone."""
    place, origin = Placement("cuda:0", upload=FrameUpload("cpu")), NetworkOrigin("it", Path("it"))
    seen = []

    class OnCuda:
        title, precision, device = "onnxruntime fp32", "fp32", "cuda:0"

        def __call__(self, pixels):
            seen.append(type(pixels))
            return (np.asarray(pixels).mean(axis=(2, 3)),)

    OnCuda.takes_tensors = takes_tensors
    build_embedder(OnCuda(), InputSpec(16, 16), EmbedderConfig(), place, origin)
    assert set(seen) == {torch.Tensor if takes_tensors else np.ndarray}
