"""What a person sees while it runs: a bar on a terminal, lines elsewhere, nothing when quiet."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios

from helpers.jobs import cli, environment, replay
from helpers.places import ROOT


def on_a_terminal(*words, cwd):
    """Run with standard error on a pseudo-terminal; everything that it showed."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 160))
    with subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), *words],
        cwd=cwd, env=environment(TERM="xterm"), stdin=theirs, stderr=theirs,
        stdout=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # Linux: the other end is closed
                break
            if not piece:
                break
            shown += piece
    os.close(ours)
    return process.returncode, shown.decode()


def test_a_terminal_shows_a_bar_with_the_schedulers_state(scene, tmp_path):
    code, shown = on_a_terminal(*replay(scene, "--no-video"), cwd=tmp_path)
    assert code == 0
    assert "30/30" in shown
    assert "frame/s" in shown
    assert "trk 2 emb 0 budget - backlog 0" in shown
    assert "30 frames in" in shown


def test_a_quiet_terminal_stays_empty(scene, tmp_path):
    assert on_a_terminal(*replay(scene, "--no-video", "-q"), cwd=tmp_path) == (0, "")


def test_a_pipe_gets_no_bar(scene, tmp_path):
    code, out, err = cli(*replay(scene, "--no-video"), cwd=tmp_path)
    assert (code, out) == (0, "")
    assert "\r" not in err
    assert "%|" not in err
    assert err.startswith("30 frames in")
