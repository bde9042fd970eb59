"""Completion: the script is run by the shell that it is for, and offers what there is."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time

import pytest

from mot_dinov3.commands import main
from mot_dinov3.commands.completion import build_script
from mot_dinov3.commands.factory import COMMANDS
from mot_dinov3.errors import UsageError

shtab = pytest.importorskip("shtab", reason="shtab is not installed")
bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")

ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
spec=$(complete -p "$1"); [[ $spec =~ -F\\ ([^ ]+) ]]
"${BASH_REMATCH[1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def in_bash(tmp_path_factory):
    """What bash offers for the last of some words, in a directory with a file and a folder."""
    place = tmp_path_factory.mktemp("shell")
    (place / "walk.mp4").touch()
    (place / "worlds").mkdir()
    (place / "script.bash").write_text(build_script("bash", "mot-dinov3"))

    def ask(*words):
        command = ["bash", "--norc", "-c", ASK, "bash", "script.bash", "mot-dinov3", *words]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout.split()

    return ask


@bash
def test_all_commands_are_offered(in_bash):
    assert set(in_bash("")) == set(COMMANDS)
    assert in_bash("rend") == ["render"]


@bash
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["--embedd"], ["--embedder"]),
        (["--save-c"], ["--save-csv", "--save-coco", "--save-cvat", "--save-crops"]),
        (["--no-crop"], ["--no-crop-square"]),
        (["--hud", "--draw-l"], ["--draw-lost"]),
        (["render", "--json"], ["--jsonl"]),
        (["train", "d"], ["demo", "detector"]),
        (["train", "demo", "--streets", "2", "--ou"], ["--out"]),
        (["--crops-of", ""], ["embedded", "seen"]),
        (["--tracker", "byte"], ["bytetrack"]),
        (["--embed-policy", "int"], ["interval"]),
        (["eval", "--metrics", "hota", "id"], ["identity"]),
        (["completion", ""], ["bash", "zsh", "tcsh"]),
        (["--source", "w"], ["walk.mp4", "worlds"]),
        (["--det", "mot"], ["mot", "motion"]),
        (["--det", "wa"], ["walk.mp4"]),
        (["--output", "wa"], ["walk.mp4"]),
        (["--save-mot", "wa"], ["walk.mp4"]),
        (["render", "--jsonl", "wa"], ["walk.mp4"]),
        (["--save-crops", "w"], ["worlds"]),
        (["--export-cache", "w"], ["worlds"]),
        (["replay", "--cache", "w"], ["walk.mp4", "worlds"]),
        (["synth", "--preset", "flock", "st"], ["street"]),
        (["eval", "--gt", "w"], ["walk.mp4", "worlds"]),
        (["eval", "tracks", "--gt", "w"], ["walk.mp4", "worlds"]),
        (["cache", "w"], ["walk.mp4", "worlds"]),
        (["report", "wa"], ["walk.mp4"]),
        (["--imgsz", "w"], []),
    ],
)
def test_what_bash_offers(in_bash, words, offered):
    assert sorted(in_bash(*words)) == sorted(offered)


@bash
def test_every_flag_of_every_command_is_offered(in_bash):
    for name in COMMANDS:
        parser = COMMANDS.load(name).parser()
        flags = {word for action in parser._actions for word in action.option_strings}
        assert flags <= set(in_bash(name, "-")), name


@bash
def test_a_name_of_ones_own_is_completed(tmp_path):
    (tmp_path / "s").write_text(build_script("bash", "my.mot"))
    command = ["bash", "--norc", "-c", ASK, "bash", "s", "my.mot", "dem"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["demo"]


def read_until(terminal, wanted, timeout_s=10):
    seen, until = "", time.monotonic() + timeout_s
    while wanted not in seen and time.monotonic() < until:
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 4096).decode(errors="replace")
    return seen


@bash
def test_the_tab_key_completes_in_a_terminal(tmp_path):
    (tmp_path / "s").write_text(build_script("bash", "mot-dinov3"))
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"],
                   {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "dumb",
                    "PS1": "ready> "})  # fmt: skip
    try:
        read_until(terminal, "ready> ")
        os.write(terminal, b"source ./s\n")
        read_until(terminal, "ready> ")
        os.write(terminal, b"mot-dinov3 dem\t--embed-b\tc\t")
        shown = read_until(terminal, "crops ").replace("\a", "")
        assert "mot-dinov3 demo --embed-budget-crops" in shown
    finally:
        os.write(terminal, b"\x03\nexit\n")
        os.waitpid(pid, 0)
        os.close(terminal)


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_have_a_script(shell, tmp_path):
    text = build_script(shell, "mot-dinov3")
    assert "mot-dinov3" in text
    assert "train" in text
    if shell == "zsh" and shutil.which("zsh"):
        (tmp_path / "s").write_text(text)
        subprocess.run(["zsh", "-n", tmp_path / "s"], check=True)


def test_the_command_prints_the_script(capsys):
    assert main(["completion", "bash", "--name", "mot"]) == 0
    out = capsys.readouterr().out
    assert out.rstrip().endswith(" mot")
    assert main(["completion", "fish"]) == 2
    assert "'fish'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "a b", "a;reboot", "$(reboot)", "-x", "x" * 99, "ä", "a\n"])
def test_a_name_is_a_word(name, capsys):
    assert main(["completion", "bash", f"--name={name}"]) == UsageError.exit_code
    assert "--name must be a word" in capsys.readouterr().err


def test_a_missing_package_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 6
    err = capsys.readouterr().err
    assert "needs the package 'shtab'" in err
    assert "install -e '.[completion]'" in err
