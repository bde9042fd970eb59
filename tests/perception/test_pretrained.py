"""One loader of frozen backbones: no other file asks transformers for a model."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from safetensors.numpy import save_file

from helpers.floors import PACKAGE
from mot_dinov3.errors import ModelError
from mot_dinov3.perception.pretrained import check_weights

LOADER = PACKAGE / "perception" / "pretrained.py"


def loading_calls(path):
    """Keyword arguments of every `from_pretrained(...)` of a file, as name -> source text."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "from_pretrained":
            yield {word.arg: ast.unparse(word.value) for word in node.keywords}


def test_transformers_models_are_loaded_in_one_place():
    found = [path for path in PACKAGE.rglob("*.py") if any(loading_calls(path))]
    assert found == [LOADER]


def test_nothing_is_fetched_or_run_from_a_model():
    calls = list(loading_calls(LOADER))
    assert len(calls) == 2
    for words in calls:
        assert (words["local_files_only"], words["trust_remote_code"]) == ("True", "False")
    assert [words.get("use_safetensors") for words in calls].count("True") == 1


def test_weights_are_as_long_as_their_head_says(tmp_path):
    """A file may say to have a terabyte and hold nothing: a digest of it would take an hour."""
    path = tmp_path / "model.safetensors"
    save_file({"a": np.ones(4, np.float32)}, path)
    check_weights(tmp_path, "mine")
    for size in (path.stat().st_size - 1, 1 << 40):
        with path.open("rb+") as file:
            file.truncate(size)
        with pytest.raises(ModelError, match="safetensors file of 'mine'"):
            check_weights(tmp_path, "mine")
    path.write_bytes(bytes(100))
    with pytest.raises(ModelError, match="safetensors file of 'mine'"):
        check_weights(tmp_path, "mine")
