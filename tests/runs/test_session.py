from __future__ import annotations

from mot_dinov3.runs import session
from mot_dinov3.runs.session import device_title, versions


def test_versions_are_those_installed(monkeypatch):
    import numpy

    found = versions()
    assert found["numpy"] == numpy.__version__
    monkeypatch.setattr(session, "PACKAGES", ("numpy", "no-such-package"))
    assert list(versions()) == ["numpy"]


def test_the_cpu_is_called_by_its_name():
    assert device_title("cpu") == "cpu"
