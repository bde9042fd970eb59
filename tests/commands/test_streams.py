"""Standard streams that are closed, full, or that nobody reads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.places import ROOT

USUAL = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def shell(line, cwd):
    """What the user of a shell sees: (exit code of `cli`, what is left of both streams)."""
    script = f'cli() {{ "{sys.executable}" "{ROOT}/cli.py" "$@"; }}; {line}'
    done = subprocess.run(
        ["bash", "-c", script], cwd=cwd, env=USUAL, text=True, capture_output=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_reader_that_leaves_gets_no_complaint(tmp_path):
    code, said = shell("cli synth | true; exit ${PIPESTATUS[0]}", tmp_path)
    assert (code, said) == (5, "")


def test_an_error_that_nobody_reads_keeps_its_exit_code(tmp_path):
    code, said = shell("cli --source nothere.mp4 2>&1 | true; exit ${PIPESTATUS[0]}", tmp_path)
    assert (code, said) == (3, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("cli synth > /dev/full", 5, "error: Nothing more can be printed: No space left"),
        ("cli --source nothere.mp4 2> /dev/full", 3, ""),
    ],
)
def test_a_full_stream_ends_in_its_exit_code(tmp_path, line, code, says):
    ended, said = shell(line, tmp_path)
    assert ended == code
    assert said.startswith(says)
    assert "Traceback" not in said
    assert "Exception ignored" not in said


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-"])
def test_a_run_needs_no_standard_stream(tmp_path, closed):
    words = "--source synthetic:street --max-frames 2 --det motion --embedder none --no-video"
    code, said = shell(f"cli {words} --save-mot out.txt {closed}", tmp_path)
    assert (code, (tmp_path / "out.txt").exists()) == (0, True), said


def test_what_a_closed_standard_error_would_say_goes_nowhere_else(tmp_path):
    assert shell("cli --source nothere.mp4 2>&-", tmp_path) == (3, "")


def test_no_file_takes_the_number_of_a_stream_that_is_missing(tmp_path):
    probe = (
        "from mot_dinov3.commands.streams import fill_gaps; fill_gaps(); "
        "import os; n = open('f').fileno(); os._exit(n)"
    )
    (tmp_path / "f").touch()
    line = f'PYTHONPATH="{ROOT}/src" "{sys.executable}" -c "{probe}" <&- >&- 2>&-'
    code, _ = shell(line, tmp_path)
    assert code > 2
