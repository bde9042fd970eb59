from __future__ import annotations

from pathlib import Path

import pytest

from mot_dinov3 import errors
from mot_dinov3.errors import UnknownNameError, cannot_write, hide_secrets, nearest, not_installed


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


def test_system_errors_keep_the_reason():
    error = cannot_write(Path("o.mp4"), OSError(28, "No space left on device"))
    assert error.what == "Cannot write 'o.mp4': No space left on device."
    assert cannot_write(Path("o.mp4"), OSError()).what == "Cannot write 'o.mp4': OSError."


def test_a_missing_package_names_the_command():
    assert "pip install '.[onnx]'" in not_installed("onnxruntime", "onnx", "ONNX").fix


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
