"""TensorRT by onnxruntime's provider: stand-ins run, since it needs a GPU."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends import tensorrt
from mot_dinov3.perception.backends.choice import TENSORRT_PROVIDER, Choice
from mot_dinov3.perception.backends.load import load_network
from mot_dinov3.perception.backends.tensorrt import MOST, describe_profile


class Sessions:
    """Opens sessions that write an engine when they first run, as the provider does."""

    def __init__(self, shape, able=True):
        self.shape, self.able = shape, able
        self.settings, self.built, self.batches = [], [], []

    def __call__(self, path, providers):
        session = SimpleNamespace(get_inputs=lambda: [port])
        port = SimpleNamespace(name="pixels", shape=self.shape, type="tensor(float)")
        if providers == ["CPUExecutionProvider"]:
            return session
        (name, settings), *others = providers
        assert [name, others[0][0], others[1]] == [
            TENSORRT_PROVIDER,
            "CUDAExecutionProvider",
            "CPUExecutionProvider",
        ]
        self.settings.append(settings)
        folder = Path(settings["trt_engine_cache_path"])

        def run(outputs, fed, options=None):
            (pixels,) = fed.values()
            if not any(folder.glob("*.engine")):
                (folder / "net_sm75.engine").write_bytes(b"engine")
                self.built.append(settings["trt_fp16_enable"])
            self.batches.append(len(pixels))
            return [pixels.sum(axis=(1, 2, 3))]

        session.run = run
        known = [name] * self.able + ["CUDAExecutionProvider", "CPUExecutionProvider"]
        session.get_providers = lambda: known
        session.get_modelmeta = lambda: SimpleNamespace(custom_metadata_map={})
        return session


@pytest.fixture
def load(monkeypatch, tmp_path):
    pytest.importorskip("onnxruntime")
    path = tmp_path / "net.onnx"
    path.write_bytes(b"a network")

    def run(sessions, precision="fp16", device="cuda:1"):
        monkeypatch.setattr(tensorrt, "open_session", sessions)
        monkeypatch.setattr(tensorrt, "name_card", lambda device: "Tesla T4")
        choice = Choice("tensorrt", precision)
        return load_network(path, choice, device, place=tmp_path / "exports")

    run.path = path
    return run


def test_an_engine_is_built_once_and_kept_with_the_exports(load, tmp_path):
    sessions = Sessions(["batch", 3, 4, 6])
    for _ in range(2):
        network = load(sessions)
    assert sessions.built == ["True"]
    assert (network.title, network.device) == ("TensorRT fp16", "cuda:1")
    (entry,) = (tmp_path / "exports").iterdir()
    assert (entry / "net_sm75.engine").is_file()
    assert sessions.settings[-1] == {
        "device_id": "1",
        "trt_fp16_enable": "True",
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(entry),
        "trt_profile_min_shapes": "pixels:1x3x4x6",
        "trt_profile_opt_shapes": "pixels:8x3x4x6",
        "trt_profile_max_shapes": "pixels:32x3x4x6",
    }
    load(sessions, "fp32")
    assert sessions.built == ["True", "False"]
    load.path.write_bytes(b"another network")
    load(sessions)
    assert len(sessions.built) == 3


def test_a_file_of_one_batch_size_needs_no_profile(load):
    sessions = Sessions([1, 3, 4, 6])
    load(sessions)
    assert not [name for name in sessions.settings[0] if "profile" in name]


@pytest.mark.parametrize(("n", "batches"), [(1, [1]), (MOST, [MOST]), (70, [32, 32, 6])])
def test_no_batch_is_larger_than_the_engine_takes(load, n, batches):
    sessions = Sessions(["batch", 3, 4, 6])
    network = load(sessions)
    sessions.batches.clear()
    pixels = np.random.default_rng(0).random((n, 3, 4, 6), np.float32)
    (total,) = network(pixels)
    np.testing.assert_array_equal(total, pixels.sum(axis=(1, 2, 3)))
    assert sessions.batches == batches


def test_libraries_that_are_missing_are_said_and_nothing_is_kept(load, tmp_path):
    with pytest.raises(ModelError, match=r"TensorRT cannot run 'net\.onnx': its libraries"):
        load(Sessions([1, 3, 4, 6], able=False))
    assert list((tmp_path / "exports").iterdir()) == []


def test_pictures_of_an_open_size_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(tensorrt, "open_session", Sessions(["n", 3, "h", "w"]))
    with pytest.raises(ModelError, match="leaves the size of its pictures open") as caught:
        describe_profile(tmp_path / "open.onnx")
    assert "--backend onnx" in caught.value.fix
