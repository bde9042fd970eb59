"""Numbers and nouns agree, and the program is called as it was started."""

from __future__ import annotations

import sys

import pytest

from helpers.places import ROOT
from mot_dinov3 import wording
from mot_dinov3.wording import counted, form_of, install_command, program, usage_name


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 frames"), (1, "1 frame"), (2, "2 frames"), (1000, "1000 frames")]
)
def test_one_alone_is_singular(number, said):
    assert counted(number, "frame") == said


def test_other_words_than_one_with_an_s():
    assert counted(1, "identity", "identities") == "1 identity"
    assert counted(0, "identity", "identities") == "0 identities"
    assert counted(3, "box lies", "boxes lie") == "3 boxes lie"


def test_the_words_alone():
    assert (form_of(1, "frame"), form_of(2, "frame")) == ("frame", "frames")
    assert (form_of(1, "is", "are"), form_of(2, "is", "are")) == ("is", "are")


@pytest.mark.parametrize(
    ("started", "typed", "usage"),
    [
        ("cli.py", "python cli.py", "cli.py"),
        ("../a b/cli.py", "python '../a b/cli.py'", "cli.py"),
        ("/venv/bin/mot-dinov3", "mot-dinov3", "mot-dinov3"),
        (str(ROOT / "src/mot_dinov3/__main__.py"), "python -m mot_dinov3", "python -m mot_dinov3"),
        ("/venv/bin/pytest", "python cli.py", "cli.py"),
        ("", "python cli.py", "cli.py"),
    ],
)
def test_the_program_is_called_as_it_was_started(monkeypatch, started, typed, usage):
    monkeypatch.setattr(sys, "argv", [started])
    assert program() == typed
    assert usage_name() == usage
    assert usage_name("eval") == f"{usage} eval"


def test_an_installed_package_is_told_of_its_own_program(monkeypatch, tmp_path):
    monkeypatch.setattr(wording, "CHECKOUT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["/usr/lib/ipykernel_launcher.py"])
    assert program() == "mot-dinov3"
    assert install_command("ray") == "pip install 'mot-dinov3[ray]'"


def test_in_a_checkout_an_extra_is_installed_from_it(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    assert install_command("ray") == "pip install -e '.[ray]'"
    monkeypatch.chdir(tmp_path)
    assert install_command("ray") == f"pip install -e '{ROOT}[ray]'"
