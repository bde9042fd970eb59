from __future__ import annotations

import os
import re
from errno import EACCES, EFBIG
from pathlib import Path

import pytest

from mot_dinov3 import errors
from mot_dinov3.errors import (
    UnknownNameError,
    cannot_read,
    cannot_write,
    describe_bug,
    find_path,
    hide_secrets,
    is_one_edit,
    nearest,
    not_installed,
    reason_of,
)
from mot_dinov3.wording import install_command


def test_each_kind_has_its_exit_code():
    kinds = {
        "MotError": 2, "UsageError": 2, "InputError": 3, "OutputError": 5, "ModelError": 6,
        "DeviceError": 7, "UnknownNameError": 2,
    }  # fmt: skip
    assert {name: getattr(errors, name).exit_code for name in kinds} == kinds
    signals = (errors.EXIT_OK, errors.EXIT_BUG, errors.EXIT_PARTIAL, errors.EXIT_SIGINT)
    assert (*signals, errors.EXIT_SIGTERM) == (0, 1, 4, 130, 143)


def test_the_remedy_follows_the_sentence():
    assert str(errors.MotError("It broke.", fix="Mend it.")) == "It broke.\nMend it."
    assert str(errors.MotError("It broke.")) == "It broke."


def test_an_unknown_name_comes_with_the_known_and_the_near():
    error = UnknownNameError("embedder", "dimo", ["resnet", "dino"])
    assert error.what == "Unknown embedder 'dimo'."
    assert error.fix == "Did you mean dino? Choose one of: dino, resnet"
    assert UnknownNameError("embedder", "zzz", ["dino"]).fix == "Choose one of: dino"


def test_nearest_knows_case_and_distance():
    assert nearest("CONF", ["conf", "config"])[0] == "conf"
    assert nearest("zebra", ["conf", "imgsz"]) == []


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("conf", False), ("cnf", True), ("connf", True), ("cony", True), ("cofn", True),
        ("ocfn", False), ("c", False), ("", False), ("root", False), ("confff", False),
    ],
)  # fmt: skip
def test_one_edit_is_a_letter_more_less_wrong_or_swapped(name, one):
    assert is_one_edit(name, "conf") is one
    assert is_one_edit("conf", name) is one


def test_system_errors_keep_the_reason():
    error = cannot_write(Path("o.mp4"), OSError(28, "No space left on device"))
    assert error.what == "Cannot write 'o.mp4': No space left on device."
    assert cannot_write(Path("o.mp4"), OSError()).what == (
        "Cannot write 'o.mp4': no reason was given."
    )


def test_a_file_that_cannot_be_read_is_named_with_the_reason_and_what_it_is():
    missing = FileNotFoundError(2, "No such file or directory")
    assert cannot_read(Path("a.txt"), missing).what == (
        "Cannot read 'a.txt': No such file or directory."
    )
    assert cannot_read(Path("a\0"), ValueError("embedded null byte"), "the list").what == (
        "Cannot read the list 'a?': no such name is possible."
    )


def test_a_missing_path_is_looked_for_where_it_should_be(tmp_path, monkeypatch):
    clips = tmp_path / "clips"
    clips.mkdir()
    (clips / "walk.mp4").touch()
    assert find_path(clips / "wlak.mp4") == f"Did you mean '{clips / 'walk.mp4'}'?"
    assert find_path(tmp_path / "clpis" / "walk.mp4") == f"Did you mean '{clips / 'walk.mp4'}'?"
    assert find_path(clips / "x" / "y.mp4") == f"'{clips}' has no directory 'x'."
    assert find_path(clips / "street-7.mp4") == (
        f"'{clips}' has other files ending in .mp4, such as 'walk.mp4'."
    )
    assert find_path(clips / "zzz.json") == f"'{clips}' has no file of such a name."
    monkeypatch.chdir(clips)
    assert find_path(Path("zzz.json")) == (
        f"The working directory '{clips}' has no file of such a name."
    )


def test_a_path_that_is_there_is_told_apart(tmp_path):
    assert "is a directory" in find_path(tmp_path)
    assert find_path(tmp_path / "none").endswith("is empty.")
    (tmp_path / "a").touch()
    assert "chmod +r" in find_path(tmp_path / "a")
    assert "chmod" in find_path(tmp_path / "a", PermissionError(EACCES, "Permission denied"))
    assert "another file" in find_path(tmp_path / "a", OSError(EFBIG, "it is too long"))
    assert find_path(Path("a\0b"))
    os.mkfifo(tmp_path / "pipe")
    assert "another file" in find_path(tmp_path / "pipe")


def test_an_exception_is_told_in_its_own_words():
    assert reason_of(OSError(28, "No space left on device")) == "No space left on device"
    assert reason_of(RuntimeError("\n first line.\nsecond line")) == "first line"
    assert reason_of(TimeoutError()) == "no reason was given"


def test_a_bug_says_where_it_was():
    try:
        Path("x").relative_to(errors.find_path(7))
    except AttributeError as error:
        found = describe_bug(error)
    assert re.fullmatch(r"The program failed at errors\.py:\d+: .*is_dir.*\.", found.what)
    assert describe_bug(ValueError("why")).what == "The program failed: why."


def test_a_missing_package_names_the_command():
    assert install_command("onnx") in not_installed("onnxruntime", "onnx", "ONNX").fix


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("token hf_abcDEF123456 used", "token *** used"),
        ("rtsp://user:pass@cam/live", "rtsp://***@cam/live"),
        ("rtsp://us%40er:p@ss@cam/x", "rtsp://***@cam/x"),
        ("http://token@host", "http://***@host"),
        ("rtsp://a:b@one http://c:d@two", "rtsp://***@one http://***@two"),
        ("mail me@host", "mail me@host"),
        ("https://host/a@b", "https://host/a@b"),
        ("'http://a:b@host/x?token=c&d=e' is", "'http://***@host/x?***' is"),
        ("why? http://host/x", "why? http://host/x"),
        ("hf_hub", "hf_hub"),
    ],
)
def test_secrets_are_blanked_out(text, hidden):
    assert hide_secrets(text) == hidden


def test_names_in_a_message_steer_no_terminal_and_make_no_line():
    error = errors.MotError("The file 'a\nerror: b\x1b[2J\u202e' is odd.", fix="Do this.")
    assert error.what == "The file 'a?error: b?[2J?' is odd."
    assert str(error).splitlines()[1:] == ["Do this."]
