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
    read, asked = [], (model, model / "config.json")
    before = [weights_digest(path) for path in asked]
    assert before[1] == file_digest(model / "config.json")
    monkeypatch.setattr(digest, "file_digest", read.append)
    assert [weights_digest(path) for path in asked] == before
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


@pytest.fixture
def export(tmp_path):
    """An export by another program: a graph, its weights and notes in formats of their own."""
    directory = tmp_path / "x_openvino_model"
    directory.mkdir()
    for name in ("x.xml", "x.bin", "metadata.yaml"):
        (directory / name).write_text(name)
    return directory


@pytest.mark.parametrize("name", ["x.xml", "x.bin", "metadata.yaml"])
def test_every_file_of_an_export_tells_it_from_others(export, name):
    before = weights_digest(export)
    (export / name).write_text("other")
    assert weights_digest(export) != before


def test_the_graph_of_an_export_is_known_by_its_weights_too(export):
    before = weights_digest(export / "x.xml")
    (export / "x.bin").write_text("other")
    assert weights_digest(export / "x.xml") != before


def test_what_lies_beside_safetensors_changes_nothing(model):
    before = weights_digest(model)
    (model / "README.md").write_text("a model card")
    assert weights_digest(model) == before
