"""A backbone that has learned to tell identities apart, and that a checkpoint brings it along."""

from __future__ import annotations

import pytest
import torch

from helpers.places import ASSETS
from helpers.reid_runs import write_run
from helpers.sot_runs import store_network
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.nets.maps.convolutions import ConvMaps, OsnetMaps
from mot_dinov3.perception.searchers.sot_networks import load_network
from mot_dinov3.training.map_backbones import start_backbone

REAL = ASSETS / "weights" / "osnet_x0_25_msmt17.onnx"


def test_a_run_of_train_reid_is_a_start(tmp_path):
    trunk = write_run(tmp_path / "reid", "osnet_x0_25").backbone.eval()
    backbone = start_backbone(f"reid:{tmp_path / 'reid'}").eval()
    pixels = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(trunk.conv5(backbone(pixels)[1]), trunk(pixels), atol=1e-4)
    store_network(tmp_path / "sot", backbone=f"reid:{tmp_path / 'reid'}")
    (tmp_path / "reid").rename(tmp_path / "gone")
    network, _ = load_network(tmp_path / "sot")
    assert isinstance(network.backbone, OsnetMaps)
    with torch.no_grad():
        assert torch.equal(network.backbone(pixels)[0], backbone(pixels)[0])


def test_a_run_of_train_sot_is_a_start(tmp_path):
    store_network(tmp_path)
    network, _ = load_network(tmp_path)
    backbone = start_backbone(f"sot:{tmp_path}").eval()
    assert isinstance(backbone, ConvMaps)
    pixels = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(backbone(pixels)[1], network.backbone(pixels)[1])


def test_another_network_has_no_such_maps(tmp_path):
    write_run(tmp_path, "resnet18")
    with pytest.raises(UsageError, match="'resnet18' network"):
        start_backbone(f"reid:{tmp_path}")


@pytest.mark.skipif(not REAL.is_file(), reason="the shared OSNet weights are not here")
def test_real_weights_are_a_start():
    maps = start_backbone(f"reid:{REAL}").eval()(torch.randn(1, 3, 64, 64))
    assert [tuple(one.shape) for one in maps] == [(1, 64, 8, 8), (1, 128, 4, 4)]


def test_what_cannot_be_had_names_the_flag_of_a_backbone(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError) as raised:
        start_backbone(str(tmp_path / "nothing"))
    assert "--embed-model" not in raised.value.fix
    assert "demo" not in raised.value.fix
