from __future__ import annotations

import json

import pytest

from helpers.hub_fixtures import hub, offline, token

__all__ = ["hub", "offline", "token"]


@pytest.fixture
def repo(tmp_path):
    """A repository of three files; nobody reads more than their names here."""
    directory = tmp_path / "repo"
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps({"model_type": "dinov2"}))
    (directory / "preprocessor_config.json").write_text("{}")
    (directory / "model.safetensors").write_bytes(b"weights" * 100)
    return directory
