"""`eval motion` as a user runs it, on drawn boxes that move together."""

from __future__ import annotations

import json

import pytest

from helpers.moving_together import draw_together, make_cell, store_cell, write_sequence
from mot_dinov3.commands import main
from mot_dinov3.errors import EXIT_INPUT, EXIT_MODEL, EXIT_OK, EXIT_USAGE


@pytest.fixture
def data(tmp_path):
    for number in range(6):
        write_sequence(tmp_path / "set" / str(number), draw_together(number, frames=90))
    return f"mot:{tmp_path / 'set'}"


def test_models_stand_beside_each_other(data, tmp_path, capsys):
    untrained = f"samba:{store_cell(tmp_path / 'run', make_cell())}"
    words = ("--motion", "kalman", untrained, "--data", data, "--json", str(tmp_path / "f.json"))
    assert main(["eval", "motion", *words]) == EXIT_OK
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split()[:3] == ["IoU", "ahead", "5"]
    assert printed[-1] == "6 sequences, 540 frames"
    ratios = next(line for line in printed[4:] if line.startswith("samba:")).split()[1:-1]
    assert set(ratios) == {"1.000"}
    document = json.loads((tmp_path / "f.json").read_text())
    ours, theirs = (document["models"][name] for name in ("kalman", untrained))
    assert ours["hidden"]["15"] == theirs["hidden"]["15"] > ours["hidden"]["5"] > 0
    assert document["steady"] is True


def test_only_what_was_held_out_is_measured(data, capsys):
    assert main(["eval", "motion", "--data", data, "--held-out", "--no-steady"]) == EXIT_OK
    printed = capsys.readouterr().out
    assert "1 sequence, 90 frames" in printed
    assert "as multiples" not in printed


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--data", "mot:nowhere"], EXIT_INPUT, "'nowhere' does not exist"),
        (["--data", "nowhere"], EXIT_USAGE, "does not say what kind of data"),
        (["--motion", "kalmann"], EXIT_USAGE, "Unknown motion model 'kalmann'"),
        (["--motion", "samba"], EXIT_USAGE, "--motion samba:DIR"),
        (["--motion", "samba:nowhere"], EXIT_MODEL, "'nowhere' is not a checkpoint"),
        (["--json", "."], 5, "'.'"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(data, capsys, words, code, said):
    given = words if "--data" in words else ["--data", data, *words]
    assert main(["eval", "motion", *given]) == code
    assert said in capsys.readouterr().err


def test_a_folder_of_few_sequences_holds_none_out(data, capsys):
    assert main(["eval", "motion", "--data", f"{data}/1", "--held-out"]) == EXIT_INPUT
    assert "Leave --held-out away" in capsys.readouterr().err
