"""Point huggingface_hub, which reads its settings at import, at a fake hub and an empty cache."""

from __future__ import annotations

import pytest

from mot_dinov3.lab.selftest.fake_hub import run_hub

TOKEN = "hf_" + "Secret" * 5


@pytest.fixture
def hub(monkeypatch, tmp_path):
    from huggingface_hub import constants, hf_api

    with run_hub() as server:
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setattr(hf_api.api, "endpoint", server.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield server


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return TOKEN


@pytest.fixture
def offline(monkeypatch):
    """Call it to forbid the network, as HF_HUB_OFFLINE=1 does before a start."""
    from huggingface_hub import constants

    def forbid():
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    return forbid
