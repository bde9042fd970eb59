"""`demo` as a first-time user runs it."""

from __future__ import annotations

import pytest

from mot_dinov3.commands import main
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


@pytest.mark.parametrize("frames", ["0", "-2"])
def test_a_clip_has_frames(tmp_path, capsys, frames):
    assert main(["demo", "--out", str(tmp_path), "--frames", frames]) == EXIT_USAGE
    assert "--frames must be at least 1" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
