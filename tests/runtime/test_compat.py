from __future__ import annotations

import math
import multiprocessing

import pytest

from mot_dinov3.runtime import env_file
from mot_dinov3.runtime.compat import load_environment
from mot_dinov3.runtime.env_file import TOKENS

LEGACY_TOKENS = TOKENS[1:]

VARIABLES = ("HF_TOKEN", *LEGACY_TOKENS, "OMP_WAIT_POLICY", "MOT_TEST_WORD", "PYTHONSAFEPATH")


@pytest.fixture(autouse=True)
def untouched_environment(monkeypatch, tmp_path):
    for name in VARIABLES:
        monkeypatch.setenv(name, "to be restored")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(env_file, "program_directory", lambda: None)


def environment():
    import os

    return {name: os.environ[name] for name in VARIABLES if name in os.environ}


def test_the_env_file_of_the_working_directory_gives_a_token_and_nothing_else(tmp_path):
    (tmp_path / ".env").write_text("HF_TOKEN=hf_fromfile\nMOT_TEST_WORD='two words'\n")
    load_environment()
    assert environment()["HF_TOKEN"] == "hf_fromfile"
    assert "MOT_TEST_WORD" not in environment()


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_under_any_name_beats_the_one_of_the_file(tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, "hf_mine")
    (tmp_path / ".env").write_text("HF_TOKEN=hf_fromfile\n")
    load_environment()
    assert environment()["HF_TOKEN"] == "hf_mine"


def test_an_empty_token_stays_empty(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "")
    (tmp_path / ".env").write_text("HF_TOKEN=hf_fromfile\n")
    load_environment()
    assert environment()["HF_TOKEN"] == ""


def test_another_directory_can_be_named(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / ".env").write_text("HF_TOKEN=hf_inner\n")
    load_environment(tmp_path / "inner")
    assert environment()["HF_TOKEN"] == "hf_inner"


def test_a_variable_already_set_is_never_overridden(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    (tmp_path / ".env").write_text("HF_TOKEN=hf_fromfile\n")
    load_environment()
    assert environment()["HF_TOKEN"] == "hf_mine"
    assert environment()["OMP_WAIT_POLICY"] == "ACTIVE"


@pytest.mark.parametrize("name", LEGACY_TOKENS)
def test_an_old_token_name_still_works(monkeypatch, name):
    monkeypatch.setenv(name, "hf_legacy")
    load_environment()
    assert environment()["HF_TOKEN"] == "hf_legacy"


@pytest.mark.parametrize("name", LEGACY_TOKENS)
def test_an_old_token_name_in_the_env_file_works(tmp_path, name):
    (tmp_path / ".env").write_text(f"{name}=hf_legacy\n")
    load_environment()
    assert environment()["HF_TOKEN"] == "hf_legacy"


def test_the_present_name_beats_the_old_ones(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_now")
    monkeypatch.setenv(LEGACY_TOKENS[0], "hf_legacy")
    load_environment()
    assert environment()["HF_TOKEN"] == "hf_now"


def test_without_a_token_none_is_invented():
    load_environment()
    assert "HF_TOKEN" not in environment()


def test_idle_threads_sleep_by_default():
    load_environment()
    assert environment()["OMP_WAIT_POLICY"] == "PASSIVE"


def test_processes_started_from_here_import_nothing_of_the_working_directory(tmp_path):
    (tmp_path / "multiprocessing.py").write_text("raise SystemExit('ran foreign code')")
    load_environment()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=math.sqrt, args=(4,))
    process.start()
    process.join(60)
    assert process.exitcode == 0


def test_a_wish_for_unsafe_paths_stays(monkeypatch):
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    load_environment()
    assert environment()["PYTHONSAFEPATH"] == ""
