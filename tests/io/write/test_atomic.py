"""Text outputs: whole under their name, or not there at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from helpers.places import SOURCE
from mot_dinov3.errors import EXIT_OUTPUT, EXIT_SIGTERM, OutputError
from mot_dinov3.io.write.atomic import AtomicTextFile, write_text
from mot_dinov3.runtime.interruption import CancelledError, watch_signals
from mot_dinov3.runtime.signals import StopRequest

FULL = Path("/dev/full")


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_the_name_appears_at_the_end(tmp_path):
    with AtomicTextFile(tmp_path / "a.txt") as file:
        file.write_line("one")
        assert names(tmp_path) == ["a.partial.txt"]
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "one\n"


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with AtomicTextFile(tmp_path / "a.txt") as file:
        file.write_line("new")
        assert (tmp_path / "a.txt").read_text() == "old"
    assert (tmp_path / "a.txt").read_text() == "new\n"


def write_then_fail(path):
    with AtomicTextFile(path) as file:
        file.write_line("one")
        raise RuntimeError("elsewhere")


def write_to_a_full_disk(path, lines):
    with AtomicTextFile(path) as file:
        file._file.close()
        file._file = FULL.open("w")
        for _ in range(lines):
            file.write_line("much")


def test_what_was_written_before_an_exception_elsewhere_is_kept(tmp_path):
    with pytest.raises(RuntimeError, match="elsewhere"):
        write_then_fail(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "one\n"


def test_what_could_not_be_written_does_not_take_the_name(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(OutputError, match=r"a\.txt.*No space"):
        write_to_a_full_disk(tmp_path / "a.txt", 10_000)
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_full_disk_at_the_last_moment_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="No space") as caught:
        write_to_a_full_disk(tmp_path / "a.txt", 1)
    assert caught.value.exit_code == EXIT_OUTPUT
    assert not (tmp_path / "a.txt").exists()


def test_flushed_lines_survive_a_kill(tmp_path):
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[2])\n"
        "from mot_dinov3.io.write.atomic import AtomicTextFile\n"
        "file = AtomicTextFile(sys.argv[1], flush_lines=True).__enter__()\n"
        "file.write_line('one'); file.write_line('two')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    source = SOURCE
    subprocess.run([sys.executable, "-c", code, tmp_path / "a.jsonl", source], check=False)
    assert (tmp_path / "a.partial.jsonl").read_text() == "one\ntwo\n"


def test_a_pipe_is_written_directly(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    write_text(pipe, "one\ntwo\n")
    reader.join(timeout=10)
    assert heard == ["one\ntwo\n"]


def test_a_place_that_cannot_be_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Cannot write"):
        write_text(tmp_path / "file" / "a.txt", "one")


def test_writing_outside_the_context_is_a_mistake_of_the_caller(tmp_path):
    with pytest.raises(ValueError, match="outside"):
        AtomicTextFile(tmp_path / "a.txt").write_line("one")


def test_a_signal_ends_the_wait_for_the_reader_of_a_pipe(tmp_path):
    pipe = tmp_path / "o.txt"
    os.mkfifo(pipe)
    with watch_signals(), StopRequest().handle_signals() as stop:
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
        with pytest.raises(CancelledError, match="did not answer") as caught:
            AtomicTextFile(pipe).__enter__()
    assert stop.signal == signal.SIGTERM
    assert caught.value.exit_code == EXIT_SIGTERM
