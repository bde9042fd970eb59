from __future__ import annotations

import logging
import os

import pytest

from mot_dinov3.runtime import env_file
from mot_dinov3.runtime.env_file import find_token
from mot_dinov3.runtime.limits import ENV_FILE
from mot_dinov3.runtime.notices import NOTICE


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    (tmp_path / "cwd").mkdir()
    (tmp_path / "program").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setattr(env_file, "program_directory", lambda: tmp_path / "program")
    env_file._say_once.cache_clear()


@pytest.fixture
def said(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("mot_dinov3"), "propagate", True)
    caplog.set_level(logging.DEBUG, "mot_dinov3")
    return caplog


@pytest.mark.parametrize("name", env_file.TOKENS)
def test_every_documented_name_of_the_token_is_read(tmp_path, name):
    (tmp_path / "cwd" / ".env").write_text(f"\ufeffexport {name}='hf_abc'\n", encoding="utf-8")
    assert find_token() == "hf_abc"


def test_the_file_beside_the_program_comes_second(tmp_path):
    (tmp_path / "program" / ".env").write_text("HF_TOKEN=hf_program\n")
    assert find_token() == "hf_program"
    (tmp_path / "cwd" / ".env").write_text("HF_TOKEN=hf_cwd\n")
    assert find_token() == "hf_cwd"


def test_the_program_is_where_cli_py_is(monkeypatch):
    monkeypatch.undo()
    place = env_file.program_directory()
    assert place is None or (place / "cli.py").is_file()


@pytest.mark.parametrize("name", ["PYTHONPATH", "HF_ENDPOINT", "LD_PRELOAD", "HF_HOME"])
def test_no_other_variable_is_set(tmp_path, name, monkeypatch):
    monkeypatch.delenv(name, raising=False)
    (tmp_path / "cwd" / ".env").write_text(f"{name}=/evil\n")
    assert find_token() == ""
    assert name not in os.environ


def test_no_other_variable_is_woven_into_the_token(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_PASSWORD", "geheim")
    (tmp_path / "cwd" / ".env").write_text("HF_TOKEN=hf_${MY_PASSWORD}\n")
    assert "geheim" not in find_token()


@pytest.mark.parametrize(
    ("names", "level"),
    [
        pytest.param(["MOT_CONF", "PYTHONPATH"], NOTICE, id="meant for us"),
        pytest.param(["DATABASE_URL"], logging.INFO, id="another program's"),
    ],
)
def test_a_line_names_what_was_ignored_once(tmp_path, said, names, level):
    (tmp_path / "cwd" / ".env").write_text("".join(f"{name}=secret-value\n" for name in names))
    find_token()
    find_token()
    (record,) = said.records
    assert record.levelno == level
    assert all(name in record.getMessage() for name in names)
    assert "secret-value" not in record.getMessage()


def test_of_many_names_a_few_are_shown(tmp_path, said):
    (tmp_path / "cwd" / ".env").write_text("".join(f"A{n}=1\n" for n in range(20)))
    find_token()
    assert "A7 and 12 more" in said.text


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: os.mkfifo(path), id="pipe"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), id="endless"),
        pytest.param(lambda path: path.write_bytes(b"#" * (ENV_FILE.most_bytes + 1)), id="large"),
        pytest.param(lambda path: path.mkdir(), id="directory"),
    ],
)
def test_what_is_not_a_small_file_is_ignored_in_words(tmp_path, said, make):
    make(tmp_path / "cwd" / ".env")
    assert find_token() == ""
    assert ".env is ignored: " in said.text


@pytest.mark.parametrize(
    "text", [b'HF_TOKEN="hf_a\\nb: c"\n', b"HF_TOKEN=hf\0x\n", b"HF_TOKEN=hf_\xff\n", b"=\n\xfe"]
)
def test_a_token_that_no_header_takes_is_none(tmp_path, text):
    (tmp_path / "cwd" / ".env").write_bytes(text)
    assert find_token() == ""


def test_a_file_in_utf_16_is_read(tmp_path):
    """`echo HF_TOKEN=... > .env` in PowerShell."""
    (tmp_path / "cwd" / ".env").write_bytes("\ufeffHF_TOKEN=hf_abc\r\n".encode("utf-16-le"))
    assert find_token() == "hf_abc"
