"""Fingerprints of weights."""

from __future__ import annotations

import pytest

from mot_dinov3.errors import InputError
from mot_dinov3.perception.backends import digest
from mot_dinov3.perception.backends.digest import file_digest, weights_digest


@pytest.fixture
def model(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    return tmp_path


def test_weights_are_read_once_while_they_stay(model, monkeypatch):
    read, asked = [], (model, model, model / "config.json", model / "config.json")
    assert [weights_digest(path) for path in asked] == [file_digest(path) for path in asked]
    monkeypatch.setattr(digest, "file_digest", read.append)
    assert all(map(weights_digest, asked))
    assert not read
    weights_digest(model / "model.safetensors")
    assert read == [model / "model.safetensors"]


def test_weights_that_change_are_read_again(model):
    before = weights_digest(model)
    (model / "model.safetensors").write_bytes(b"other weights")
    changed = weights_digest(model)
    (model / "model.safetensors").rename(model / "moved.safetensors")
    assert len({before, changed, weights_digest(model)}) == 3


def test_weights_that_are_gone_are_no_old_fingerprint(model):
    weights_digest(model / "config.json")
    (model / "config.json").unlink()
    with pytest.raises(InputError):
        weights_digest(model / "config.json")
