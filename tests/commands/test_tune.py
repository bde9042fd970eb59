"""`tune` as a user runs it: it writes a file that works, and says what is wrong with words."""

from __future__ import annotations

import os
import re
import signal
import sys

import pytest

from helpers.recordings import recording
from mot_dinov3.commands import main
from mot_dinov3.commands.flags import resolve
from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import (
    EXIT_INPUT,
    EXIT_MODEL,
    EXIT_OK,
    EXIT_OUTPUT,
    EXIT_SIGINT,
    EXIT_USAGE,
)
from mot_dinov3.lab.recordings.store import write_recording

pytest.importorskip("optuna", reason="the extra [tune] is not installed")
pytest.importorskip("trackeval", reason="the extra [eval] is not installed")

BAD = ("--min-hits", "6", "--match-iou", "0.5", "--strong-share", "0.95")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in os.environ:
        if name.startswith("MOT_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    place = tmp_path_factory.mktemp("kept")
    for number, name in enumerate(("one", "two", "three")):
        write_recording(
            recording(content=str(number) * 64, name=f"{name}.mp4"), place / f"{name}.npz"
        )
    return place


def tuned(kept, out, *words):
    return main(["tune", "--cache", str(kept), "--out", str(out / "t.toml"), *map(str, words)])


def figures(text, name):
    """The objective of a line of the last table."""
    return float(re.search(rf"^{name} +([\d.]+)", text, re.M)[1])


def test_a_bad_start_is_left_behind_and_the_defaults_are_reached(kept, tmp_path, capsys):
    assert tuned(kept, tmp_path, "--trials", 5, *BAD) == EXIT_OK
    out = capsys.readouterr()
    start, usual, best = (figures(out.out, f"{name}, training")
                          for name in ("start", "defaults", "best"))  # fmt: skip
    assert best >= usual > start
    held = [figures(out.out, f"{name}, held out") for name in ("start", "best")]
    assert held[1] > held[0]
    assert out.err.count("trial ") == 5 * 2
    text = (tmp_path / "t.toml").read_text()
    assert "# on one, three: HOTA" in text
    assert "# held out, on two: HOTA" in text
    config = resolve(TrackConfig, {}, tmp_path / "t.toml", {})
    assert config.tracker.min_hits < 6


def test_the_same_words_give_the_same_file(kept, tmp_path, capsys):
    texts = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert tuned(kept, tmp_path / name, "--trials", 4, "-q", "--tune", "min_hits") == EXIT_OK
        texts.append((tmp_path / name / "t.toml").read_text() + capsys.readouterr().out)
    assert texts[0] == texts[1]


def test_a_study_goes_on_where_it_ended(kept, tmp_path, capsys):
    words = ("--study", tmp_path / "s" / "s.db", "--tune", "min_hits", "match_iou", "--no-held-out")
    assert tuned(kept, tmp_path, "--trials", 3, *words) == EXIT_OK
    assert tuned(kept, tmp_path, "--trials", 5, *words) == EXIT_OK
    out, err = capsys.readouterr()
    assert err.count("trial 2,") == err.count("trial 3,") == 1
    assert err.count("no recording is held out") == 2
    assert "held out," not in out
    assert tuned(kept, tmp_path, "--trials", 5, *words, "--objective", "idf1") == EXIT_USAGE
    assert "another search: not the same objective." in capsys.readouterr().err


def test_an_interruption_keeps_the_best_so_far(kept, tmp_path, capsys, monkeypatch):
    from mot_dinov3.lab.tuning.judge import Judge

    judge, calls = Judge.judge, []

    def judge_then_press(self, config, check=None):
        calls.append(config)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return judge(self, config, check)

    monkeypatch.setattr(Judge, "judge", judge_then_press)
    assert tuned(kept, tmp_path, "--trials", 9, *BAD) == EXIT_SIGINT
    out, err = capsys.readouterr()
    assert "interrupted after 2 of 9 trials" in err
    assert "best, training" in out
    assert "held out" not in out
    assert "not checked on other recordings" in (tmp_path / "t.toml").read_text()


def test_an_interruption_before_anything_was_found_writes_nothing(kept, tmp_path, monkeypatch):
    from mot_dinov3.lab.tuning.judge import Judge

    def press(self, config, check=None):
        os.kill(os.getpid(), signal.SIGINT)
        check()

    monkeypatch.setattr(Judge, "judge", press)
    assert tuned(kept, tmp_path) == EXIT_SIGINT
    assert not (tmp_path / "t.toml").exists()


def test_a_start_that_nothing_beats_is_told(kept, tmp_path, capsys):
    assert tuned(kept, tmp_path, "--trials", 1) == EXIT_OK
    assert "nothing was found that is better than the start" in capsys.readouterr().err


def test_a_limit_that_nobody_keeps_is_told(kept, tmp_path, capsys):
    assert tuned(kept, tmp_path, "--trials", 2, "--max-share", 0) == EXIT_OK
    out, err = capsys.readouterr()
    assert "no trial kept --max-share 0" in err
    assert "too many crops:" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--objective", "hoat"], "Did you mean hota?", id="an unknown objective"),
        pytest.param(["--tune", "min_hit"], "Did you mean min_hits", id="an unknown setting"),
        pytest.param(["--trials", "0"], "--trials must be at least 1", id="no trials"),
        pytest.param(["--timeout", "nan"], "--timeout", id="no number"),
        pytest.param(["--seed", "-1"], "--seed must be from 0", id="a negative seed"),
        pytest.param(["--crop-price", "-1"], "--crop-price", id="a negative price"),
        pytest.param(["--embed-policy", "nevr"], "Did you mean never?", id="an unknown policy"),
        pytest.param(["--target-fps", "25"], "does not take --target-fps", id="real time"),
        pytest.param(["--cmc", "flow"], "no pictures for --cmc flow", id="camera motion"),
        pytest.param(["--held-out", "x.npz", "--no-held-out"], "contradict", id="both"),
        pytest.param(["--embed-all", "--tune", "scheduler"], "leaves nothing", id="nothing to do"),
    ],
)
def test_wrong_words_are_told_before_anything_is_played(words, said, kept, tmp_path, capsys):
    assert tuned(kept, tmp_path, *words) == EXIT_USAGE
    out = capsys.readouterr()
    assert said in out.err
    assert out.out == ""
    assert list(tmp_path.iterdir()) == []


def test_recordings_that_cannot_serve_are_told(kept, tmp_path, capsys):
    write_recording(recording(known=False, content="d" * 64), tmp_path / "dark.npz")
    assert main(["tune", "--cache", str(tmp_path / "dark.npz")]) == EXIT_INPUT
    assert "who is who in dark" in capsys.readouterr().err
    write_recording(recording(weights="w2", content="e" * 64), tmp_path / "other.npz")
    for words in (
        ["--held-out", tmp_path / "other.npz"],
        ["--cache", kept, tmp_path / "other.npz"],
    ):
        assert tuned(kept, tmp_path, *words) == EXIT_USAGE
        assert "cannot be compared" in capsys.readouterr().err
    assert tuned(kept, tmp_path, "--held-out", kept / "one.npz") == EXIT_USAGE
    assert "holds the same frames" in capsys.readouterr().err
    assert tuned(tmp_path / "none", tmp_path) == EXIT_INPUT


def test_files_that_cannot_be_written_are_told(kept, tmp_path, capsys):
    assert tuned(kept, tmp_path, "--out", tmp_path) == EXIT_OUTPUT
    assert tuned(kept, tmp_path, "--study", tmp_path / "t.toml") == EXIT_USAGE
    (tmp_path / "s.db").write_text("no database")
    assert tuned(kept, tmp_path, "--study", tmp_path / "s.db") == EXIT_INPUT
    assert "is not a study of tune" in capsys.readouterr().err


def test_without_optuna_the_extra_is_named(kept, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert tuned(kept, tmp_path) == EXIT_MODEL
    assert "[tune]'" in capsys.readouterr().err
