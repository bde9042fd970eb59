from __future__ import annotations

import logging

import numpy as np
import pytest

from mot_dinov3.errors import DeviceFullError, ModelError
from mot_dinov3.perception.backends.choice import Choice
from mot_dinov3.perception.backends.torch import TorchNetwork, TorchSettings

torch = pytest.importorskip("torch")


class Colours(torch.nn.Module):
    """Averages each colour; notes the numbers that it was given and that it computed in."""

    def __init__(self):
        super().__init__()
        self.mix = torch.nn.Conv2d(3, 5, 1)
        self.seen = []

    def forward(self, pixels):
        mixed = self.mix(pixels)
        self.seen.append((pixels.dtype, mixed.dtype, torch.is_inference_mode_enabled()))
        return mixed.mean(dim=(2, 3)), mixed.amax(dim=(2, 3))


def pictures(n=3):
    return np.random.default_rng(0).normal(size=(n, 3, 8, 8)).astype(np.float32)


def network(module, precision="fp32", device="cpu", short=True, **more):
    choice = Choice("torch", precision)
    return TorchNetwork(module, choice, device, "a test", TorchSettings(short=short, **more))


@pytest.mark.parametrize(
    ("precision", "kind"),
    [("fp32", torch.float32), ("fp16", torch.float16), ("bf16", torch.bfloat16)],
)
def test_weights_and_pictures_have_the_precision_chosen(precision, kind):
    torch.manual_seed(0)
    module = Colours()
    expected = [output.detach().numpy() for output in module(torch.from_numpy(pictures()))]
    module.seen.clear()
    ours = network(module, precision)
    outputs = ours(pictures())
    assert module.mix.weight.dtype == kind
    assert module.seen == [(kind, kind, True)]
    assert [output.dtype for output in outputs] == [np.float32] * 2
    for output, exact in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(output, exact, atol=1e-6 if precision == "fp32" else 0.03)
    assert (ours.title, ours.precision, ours.device) == (f"torch {precision}", precision, "cpu")


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_what_needs_exact_numbers_keeps_its_weights(precision):
    module = Colours()
    network(module, precision, short=False)(pictures())
    given, computed, _ = module.seen[0]
    assert (given, module.mix.weight.dtype) == (torch.float32, torch.float32)
    assert computed == {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]


def test_what_is_no_tensor_is_left_out():
    class Chatty(torch.nn.Module):
        def forward(self, pixels):
            return [pixels.mean(dim=(2, 3)), {"raw": pixels}, None]

    assert [output.shape for output in network(Chatty())(pictures())] == [(3, 3)]


def test_the_first_tensors_of_a_nested_answer_count():
    """So a segmentation network answers: ((boxes, masks), raw parts)."""

    class Nested(torch.nn.Module):
        def forward(self, pixels):
            boxes, masks = pixels.mean(dim=(2, 3)), pixels.amax(dim=(1, 2, 3))
            return (([boxes, masks], None), {"raw": pixels}, pixels)

    assert [output.shape for output in network(Nested())(pictures())] == [(3, 3), (3,)]


def test_an_answer_without_tensors_is_empty():
    class Silent(torch.nn.Module):
        def forward(self, pixels):
            return ([], {"raw": pixels})

    assert network(Silent())(pictures()) == ()


def test_pictures_may_be_tensors_already():
    ours = network(Colours())
    np.testing.assert_array_equal(ours(torch.from_numpy(pictures()))[0], ours(pictures())[0])


def test_a_full_device_is_told_from_other_failures():
    class Failing(torch.nn.Module):
        def forward(self, pixels):
            if len(pixels) > 1:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
            raise RuntimeError("mat1 and mat2 do not fit")

    ours = network(Failing())
    with pytest.raises(DeviceFullError, match="cpu has no memory left for 'a test'"):
        ours(pictures(2))
    with pytest.raises(ModelError, match=r"'a test' failed with torch fp32 \(mat1 and mat2"):
        ours(pictures(1))


def test_weights_that_do_not_fit_are_a_full_device(monkeypatch):
    module = Colours()

    def full(*where, **how):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(module, "to", full)
    with pytest.raises(DeviceFullError):
        network(module)


def test_what_cannot_be_recorded_runs_as_it_is(caplog):
    ours = network(Colours())
    calls = []

    def unrecordable(pixels):
        calls.append(len(pixels))
        raise RuntimeError("operation not permitted when stream is capturing")

    ours._recorded = unrecordable
    with caplog.at_level(logging.WARNING):
        first = ours(pictures())[0]
    np.testing.assert_array_equal(first, ours(pictures())[0])
    assert calls == [3]
    assert "'a test' runs without CUDA graphs, so small batches take longer: oper" in caplog.text
    assert len(caplog.records) == 1
    assert ours.buckets == ()


@pytest.mark.parametrize("said", ["CUDA out of memory", "CUBLAS_STATUS_ALLOC_FAILED"])
def test_a_full_device_does_not_cost_the_recorded_batches(said):
    ours = network(Colours())

    def full(pixels):
        raise RuntimeError(said)

    ours._recorded = full
    with pytest.raises(DeviceFullError):
        ours(pictures())
    assert ours._recorded is full


@pytest.mark.gpu
@pytest.mark.parametrize("n", [1, 3, 8, 33, 70])
def test_recorded_batches_give_the_same_answers(n):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    torch.manual_seed(0)
    module = Colours()
    recorded = network(module, device="cuda:0")
    plain = network(module, device="cuda:0", graphs=False)
    for batch in (pictures(n), pictures(n + 1), pictures(n)):
        for ours, theirs in zip(recorded(batch), plain(batch), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert recorded._recorded is not None
