"""What an index, a wheel and a source archive hold."""

from __future__ import annotations

import re
import tarfile
import tomllib

import pytest

from helpers.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OF_DEVELOPERS = {"dev", "peers"}


def extras_of(names):
    """The extras that requirements such as `mot-dinov3[onnx,eval]` name."""
    own = (re.fullmatch(r"mot-dinov3\[(.*)\]", name) for name in names)
    return {extra for match in own if match for extra in match[1].split(",")}


def test_one_extra_names_all_that_users_need():
    extras = PROJECT["optional-dependencies"]
    assert extras_of(extras["all"]) == {*extras} - OF_DEVELOPERS - {"all"}


def test_nothing_is_uploaded_by_mistake_before_there_is_a_licence():
    guarded = "Private :: Do Not Upload" in PROJECT["classifiers"]
    assert guarded == ("license" not in PROJECT)
    assert not any(name.startswith("License ::") for name in PROJECT["classifiers"])


def test_an_index_is_told_what_this_is():
    assert PROJECT["keywords"] == sorted(PROJECT["keywords"])
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert f"Programming Language :: Python :: {lowest}" in PROJECT["classifiers"]
    assert PROJECT["scripts"] == {"mot-dinov3": "mot_dinov3.__main__:start"}


def test_the_source_archive_has_every_test_and_page(tmp_path, monkeypatch):
    backend = pytest.importorskip("hatchling.build", reason="hatchling is not installed")
    monkeypatch.chdir(ROOT)
    with tarfile.open(tmp_path / backend.build_sdist(str(tmp_path))) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    for pattern in ("tests/**/*.py", "docs/**/*.md", "src/mot_dinov3/**/*.py", "*.md", "*.sh"):
        there = {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)}
        assert there
        assert there <= packed
    assert not any(name.startswith((".venv", "data/", "outputs/")) and not name.endswith(".gitkeep")
                   for name in packed)  # fmt: skip
