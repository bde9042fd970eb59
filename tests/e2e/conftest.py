from __future__ import annotations

import pytest

from helpers.jobs import make_scene, tiny_onnx
from mot_dinov3.commands import main


@pytest.fixture(scope="session")
def scene(tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="session")
def mean_colour(tmp_path_factory):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    return tiny_onnx(tmp_path_factory.mktemp("onnx") / "mean.onnx")


@pytest.fixture
def track(monkeypatch, tmp_path, capsys):
    """Run the command line in this process, in an empty directory: (exit code, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")

    def run(*words):
        code = main([str(word) for word in words])
        return code, capsys.readouterr().err

    return run
