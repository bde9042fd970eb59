"""One loader of frozen backbones: no other file asks transformers for a model."""

from __future__ import annotations

import ast

from helpers.floors import PACKAGE

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
