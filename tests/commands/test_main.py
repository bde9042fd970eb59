from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from helpers.clips import make_clip, read_back
from helpers.places import ROOT
from mot_dinov3 import commands
from mot_dinov3.commands import main
from mot_dinov3.commands.factory import COMMANDS
from mot_dinov3.errors import InputError, OutputError

HEAVY = ("numpy", "torch", "transformers", "ultralytics", "cv2", "av", "scipy")


@pytest.fixture
def command(monkeypatch):
    """Put a command `probe` in the table that does what it is told: (its words, set it)."""
    seen = []

    def install(action):
        module = types.ModuleType("probe_command")
        module.parser = lambda: types.SimpleNamespace(parse_args=lambda words: words)
        module.run = lambda words: (seen.append(words), action())[1]
        monkeypatch.setitem(sys.modules, "probe_command", module)
        for word in ("probe", "track"):
            monkeypatch.setitem(COMMANDS.table, word, ("probe_command", "a probe"))
        return seen

    return install


def fail(error):
    def action():
        raise error

    return action


def test_no_word_means_track(command):
    seen = command(lambda: 0)
    assert main(["--source", "x"]) == 0
    assert main(["track", "--source", "x"]) == 0
    assert main([]) == 0
    assert seen == [["--source", "x"], ["--source", "x"], []]


def test_the_command_decides_the_exit_code(command):
    command(lambda: 4)
    assert main(["probe"]) == 4


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (InputError("Broken.", fix="Mend it.\nOr no."), 3, "error: Broken.\n  Mend it.\n  Or no."),
        (OutputError("No room."), 5, "error: No room.\n"),
        (KeyboardInterrupt(), 130, "error: Interrupted.\n"),
        (BrokenPipeError(), 5, ""),
        (MemoryError("Unable to allocate"), 7, "error: There is no memory left for this.\n  Try"),
        (ValueError("by hf_abcdefghij"), 1, "error: The program failed at commands/__init__.py:"),
    ],
)  # fmt: skip
def test_errors_become_sentences_and_codes(command, capsys, error, code, says):
    command(fail(error))
    assert main(["probe"]) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(says)
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_a_bug_is_told_without_its_kind_or_a_secret(command, capsys):
    command(fail(ValueError("by hf_abcdefghij")))
    main(["probe"])
    said = capsys.readouterr().err
    assert said.endswith(": by ***.\n  This is a bug. Run again with --debug.\n")
    assert "ValueError" not in said


def test_interruptions_are_heard_only_while_a_command_runs(command):
    """`cli.py` leaves them to the system before and after: nobody could catch the exception."""
    usual = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        command(lambda: os.kill(os.getpid(), signal.SIGINT) or 0)
        assert main(["probe"]) == 130
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert main(["probe"]) == 0
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, usual)


def test_an_interruption_of_the_imports_ends_the_process_without_a_traceback(tmp_path):
    (tmp_path / "logging.py").write_text("import os; os.kill(os.getpid(), 2)")
    done = subprocess.run(
        [sys.executable, ROOT / "cli.py", "--help"], env={"PYTHONPATH": str(tmp_path)},
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


@pytest.mark.parametrize("error", [InputError("It broke."), ZeroDivisionError("rtsp://a:b@host")])
def test_debug_adds_the_traceback_without_secrets(command, capsys, error):
    command(fail(error))
    main(["probe", "--debug"])
    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last)")
    assert "a:b@" not in err


def test_an_unknown_command_lists_the_known(capsys):
    assert main(["trak"]) == 2
    err = capsys.readouterr().err
    assert "Unknown command 'trak'" in err
    assert "Did you mean track or train?" in err
    assert all(name in err for name in COMMANDS)


def test_a_command_that_was_renamed_is_named_with_its_new_words(capsys):
    assert main(["train-demo", "--seed", "1"]) == 2
    assert "python cli.py train demo" in capsys.readouterr().err


def test_log_levels_follow_what_was_asked(capsys):
    import logging

    log = logging.getLogger("mot_dinov3")

    def heard(**asked):
        commands.set_up_log(**{"verbose": False, **asked})
        for say in (log.debug, log.info, log.warning, log.error):
            say("%s", say.__name__)
        return capsys.readouterr().err.split("\n")[:-1]

    assert heard() == ["warning: warning", "error: error"]
    assert heard(verbose=True) == ["info", "warning: warning", "error: error"]
    assert heard(quiet=True) == ["error: error"]
    assert heard(quiet=True, debug=True)[0] == "debug"


def test_every_listed_command_is_there():
    folder = ROOT / "src"
    for word in COMMANDS:
        module = COMMANDS.load(word)
        assert Path(module.__file__).is_relative_to(folder), word
        assert module.parser().description, word
        assert callable(module.run), word


@pytest.mark.parametrize("columns", ["60", "72", "200"])
def test_help_fits_the_terminal(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(SystemExit):
        main(["eval", "--help"])
    widest = max(map(len, capsys.readouterr().out.splitlines()))
    assert widest in range(min(int(columns), 98) - 9, min(int(columns), 98))


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, "mot_dinov3 0.1.0\n")


def test_the_package_is_a_program_of_its_own(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mot_dinov3", "render", "--xyz"],
        env={"PYTHONPATH": str(ROOT / "src")}, cwd=tmp_path,
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.endswith("See: python -m mot_dinov3 render --help-all\n")


def test_help_is_quick_and_loads_nothing_heavy():
    probe = (
        "import sys; sys.argv = ['cli.py', '--help']\n"
        "try:\n    from mot_dinov3.commands import main; main()\n"
        f"finally:\n    print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", probe], env={"PYTHONPATH": str(ROOT / "src")},
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.stderr.strip() == "[]"
    assert done.stdout.startswith("usage: cli.py")
    assert time.perf_counter() - started < 3


def test_an_alert_is_a_warning_that_quiet_does_not_silence(capsys):
    from mot_dinov3.runtime.notices import log_alert, log_notice

    commands.set_up_log(verbose=False, quiet=True)
    log_notice("nothing")
    log_alert("%d vectors are lost.", 3)
    assert capsys.readouterr().err == "warning: 3 vectors are lost.\n"


@pytest.fixture
def gone(tmp_path, monkeypatch):
    """Work in a directory that is removed."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    place.rmdir()
    if commands.has_directory():
        pytest.skip("this system keeps a working directory")


def test_a_removed_working_directory_is_a_sentence(gone, tmp_path, capsys):
    clip = make_clip(tmp_path / "a.mp4")
    words = ["--source", str(clip), "--det", "motion", "--embedder", "none"]
    assert main(words) == 2
    err = capsys.readouterr().err
    assert "error: The working directory is gone" in err
    assert "Traceback" not in err
    assert "bug" not in err


def test_absolute_paths_work_without_a_working_directory(gone, tmp_path, capsys):
    clip = make_clip(tmp_path / "a.mp4")
    words = ["--source", str(clip), "--det", "motion", "--embedder", "none", "-q"]
    assert main([*words, "--output", str(tmp_path / "out.mp4")]) == 0
    assert capsys.readouterr().err.startswith("warning: The working directory is gone")
    assert len(read_back(tmp_path / "out.mp4")) == 12
