"""`demo` as a first-time user runs it."""

from __future__ import annotations

import pytest

from mot_dinov3.commands import demo, main
from mot_dinov3.errors import EXIT_OK, EXIT_USAGE


def figures(line, places):
    """The numbers of a line of a table, by their place from the left."""
    numbers = [word for word in line.split() if word.replace(".", "").isdigit()]
    return [float(numbers[place]) for place in places]


def test_the_command_it_names_gives_the_score_it_shows(tmp_path, capsys):
    pytest.importorskip("trackeval", reason="the extra [eval] is not installed")
    assert main(["demo", "--out", str(tmp_path / "d"), "--frames", "12", "--cpu", "-q"]) == EXIT_OK
    shown = capsys.readouterr().out.splitlines()
    (scheduled,) = [line for line in shown if line.startswith("scheduled")]
    words = shown[-1].partition("python cli.py ")[2].split()
    assert main(words) == EXIT_OK
    combined = capsys.readouterr().out.splitlines()[2]
    hota, mota, idf1 = figures(combined, (0, 3, 5))
    assert figures(scheduled, (0, 1, 2)) == pytest.approx([hota, idf1, mota], abs=0.051)


def budget_of(*words):
    chosen = vars(demo.parser().parse_args(list(words)))
    for name in ("out", "frames", "seed"):
        chosen.pop(name)
    return demo.add_budget(chosen).get("embed_budget_ms")


def test_the_scheduled_run_has_a_budget_unless_another_is_given(monkeypatch):
    assert budget_of() == 10.0
    assert budget_of("--embed-budget-ms", "25") == 25.0
    assert budget_of("--embed-budget-ms", "0") == 0.0
    assert budget_of("--embed-budget-crops", "3") is None
    assert budget_of("--target-fps", "30") is None
    assert budget_of("--embed-all") is None
    monkeypatch.setenv("MOT_TARGET_FPS", "20")
    assert budget_of() is None


@pytest.mark.parametrize("frames", ["0", "-2"])
def test_a_clip_has_frames(tmp_path, capsys, frames):
    assert main(["demo", "--out", str(tmp_path), "--frames", frames]) == EXIT_USAGE
    assert "--frames must be at least 1" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_flags_that_do_nothing_are_refused_here_too(tmp_path, capsys):
    words = ["demo", "--out", str(tmp_path), "--embed-all", "--embed-budget-ms", "4"]
    assert main(words) == EXIT_USAGE
    assert "--embed-budget-ms does nothing with --embed-all" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
