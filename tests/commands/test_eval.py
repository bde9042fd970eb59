"""`eval FAMILY`: without a word it measures tracks, as it always did."""

from __future__ import annotations

import pytest

from helpers.hand_made import write_all
from mot_dinov3.commands import eval as command
from mot_dinov3.commands import main
from mot_dinov3.commands.eval import DEFAULT, EVALUATIONS
from mot_dinov3.errors import EXIT_OK, EXIT_USAGE


def test_without_a_word_tracks_are_measured(tmp_path, capsys):
    pytest.importorskip("trackeval", reason="the extra [eval] is not installed")
    place = write_all(tmp_path / "hand")
    words = ["--gt", str(place / "truth"), "--pred", str(place / "result")]
    assert main(["eval", *words]) == EXIT_OK
    plain = capsys.readouterr().out
    assert main(["eval", "tracks", *words]) == EXIT_OK
    assert capsys.readouterr().out == plain
    assert "COMBINED" in plain


@pytest.mark.parametrize("words", [[], ["tracks"]], ids=["alone", "tracks"])
def test_what_is_missing_is_said_in_one_sentence(words, capsys):
    assert main(["eval", *words]) == EXIT_USAGE
    assert "--gt, --pred" in capsys.readouterr().err.splitlines()[0]


def test_an_unknown_family_lists_the_known(capsys):
    assert main(["eval", "trakcs"]) == EXIT_USAGE
    assert "Unknown family 'trakcs'" in (said := capsys.readouterr().err)
    assert "Did you mean tracks?" in said


def test_a_family_is_one_line_of_the_table(tmp_path, monkeypatch, capsys):
    (tmp_path / "fake_family.py").write_text(
        "def add_flags(parser):\n"
        "    parser.add_argument('--depth', type=int)\n"
        "def run(args):\n"
        "    print('depth', args.depth)\n"
        "    return 0\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    table = {**EVALUATIONS.table, "fake": ("fake_family", "how deep a thing is")}
    monkeypatch.setattr(EVALUATIONS, "table", table)
    assert main(["eval", "fake", "--depth", "3"]) == EXIT_OK
    assert capsys.readouterr().out == "depth 3\n"
    assert "how deep a thing is" in command.parser().format_help()
    assert DEFAULT in table
