from __future__ import annotations

import io
import warnings

import onnxruntime
import pytest
import torch
import torchvision
from torch import nn

from mot_dinov3.errors import ModelError
from mot_dinov3.nets.reid.layers import GeM
from mot_dinov3.nets.reid.renorm import renormalise
from mot_dinov3.nets.reid.resnet import cares18, load_classifier, resnet18, resnet50


@pytest.mark.parametrize(("build", "channels"), [(cares18, 512), (resnet18, 512), (resnet50, 2048)])
def test_the_last_map_is_fine(build, channels):
    with torch.device("meta"):
        net = build()
        maps = net(torch.randn(2, 3, 256, 128))
    assert net.channels == channels
    assert maps.shape == (2, channels, 16, 8)


def test_all_parameters_learn_in_half_precision():
    net = renormalise(cares18())
    with torch.autocast("cpu", torch.bfloat16):
        maps = net(torch.randn(2, 3, 64, 32))
    assert maps.dtype is torch.bfloat16
    assert maps.isfinite().all()
    maps.float().square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_the_network_is_torchvisions_but_for_its_end():
    known = torchvision.models.resnet18(weights=None).eval()
    own = resnet18().eval()
    load_classifier(own, known.state_dict())
    pixels = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        known.layer4[0].conv1.stride = known.layer4[0].downsample[0].stride = (1, 1)
        pooled = known.fc(own(pixels).mean(dim=(2, 3)))
        assert torch.allclose(known(pixels), pooled, atol=1e-5)


def test_weights_of_another_network_are_refused():
    with torch.device("meta"):
        plain, attentive = resnet18(), cares18()
    state = plain.state_dict()
    with pytest.raises(ModelError, match=r"bn1\.BN\.bias"):
        load_classifier(attentive, state)
    with pytest.raises(ModelError, match="2 of them"):
        load_classifier(plain, {**state, "more": state["bn1.bias"], "conv1.weight": torch.ones(1)})


def test_ibn_weights_fit_all_but_the_attention():
    net, other = cares18(), cares18()
    state = {n: value for n, value in other.state_dict().items() if ".attention." not in n}
    load_classifier(net, {**state, "fc.weight": torch.ones(1)})
    assert torch.equal(net.layer1[0].conv1.weight, other.layer1[0].conv1.weight)


def test_an_export_answers_alike_at_any_batch():
    net, file = nn.Sequential(cares18(), GeM()).eval(), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net, (torch.randn(2, 3, 64, 32),), file, dynamo=False, opset_version=17,
            input_names=["pixels"], dynamic_axes={"pixels": {0: "batch"}},
        )  # fmt: skip
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    for n in (1, 3):
        pixels = torch.randn(n, 3, 64, 32)
        with torch.no_grad():
            expected = net(pixels)
        (found,) = session.run(None, {"pixels": pixels.numpy()})
        assert abs(torch.from_numpy(found) - expected).max() < 1e-4
