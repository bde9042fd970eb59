"""`eval` as a user runs it: the table, the JSON, and what it says of wrong input."""

from __future__ import annotations

import json
import sys

import pytest

from helpers.hand_made import write_all
from mot_dinov3.commands import main
from mot_dinov3.commands.eval_tracks import FAMILIES, RULES
from mot_dinov3.errors import EXIT_INPUT, EXIT_MODEL, EXIT_OK, EXIT_OUTPUT, EXIT_USAGE


@pytest.fixture
def place(tmp_path):
    return write_all(tmp_path / "hand")


def evaluated(place, *words, truth="truth", result="result"):
    return main(["eval", "--gt", str(place / truth), "--pred", str(place / result), *words])


def needs_trackeval():
    pytest.importorskip("trackeval", reason="the extra [eval] is not installed")


def test_words_of_the_command_are_those_of_the_room():
    from mot_dinov3.evaluation.cases import AUTO
    from mot_dinov3.evaluation.figures import FAMILIES as KNOWN
    from mot_dinov3.evaluation.preprocessing import RULES as FOLLOWED

    assert tuple(KNOWN) == FAMILIES
    assert (AUTO, *FOLLOWED) == RULES


def test_the_table_has_a_line_a_sequence_and_the_combination_last(place, capsys):
    needs_trackeval()
    assert evaluated(place) == EXIT_OK
    out = capsys.readouterr()
    head, crowd, dance, combined, note = out.out.splitlines()
    assert " ".join(head.split()) == "HOTA DETA ASSA MOTA MOTP IDF1 IDSW FRAG MT PT ML"
    assert " ".join(crowd.split()) == "crowd 46.43 63.58 33.96 66.67 87.24 51.61 2 1 2 1 0"
    assert dance.startswith("dance ")
    assert combined.split()[:2] == ["COMBINED", "49.88"]
    assert len({len(line) for line in (head, crowd, dance, combined)}) == 1
    assert note == "2 sequences, 70 frames; preprocessing: mot17, none"
    assert out.err == ""


def test_the_json_holds_all_and_says_what_was_compared(place, tmp_path, capsys):
    needs_trackeval()
    (place / "result" / "dance.txt").rename(place / "result" / "extra.txt")
    words = ("--allow-missing", "--metrics", "clear", "--json", str(tmp_path / "deep/out.json"))
    assert evaluated(place, *words) == EXIT_OK
    document = json.loads((tmp_path / "deep/out.json").read_text())
    assert (document["left_out"], document["not_scored"]) == (["dance"], ["extra"])
    assert document["combined"]["mota"] == 66.667
    assert document["sequences"]["crowd"] == {
        "frames": 40, "first_frame": 1, "preprocess": "mot17", "result_frames": [1, 40],
        "mota": 66.667, "motp": 87.238, "idsw": 2, "frag": 1, "mt": 2, "pt": 1, "ml": 0,
    }  # fmt: skip
    assert document["trackeval"]
    err = capsys.readouterr().err
    assert "left out, no result: dance." in err
    assert "not scored, no ground truth: extra." in err


def test_a_part_is_scored_in_the_numbers_of_the_sequence(place, tmp_path):
    needs_trackeval()
    out = str(tmp_path / "out.json")
    words = ("--frames", "1:20", "--metrics", "clear", "--json", out)
    assert evaluated(place, *words, truth="truth/crowd", result="result/crowd.txt") == EXIT_OK
    (crowd,) = json.loads((tmp_path / "out.json").read_text())["sequences"].values()
    assert (crowd["frames"], crowd["idsw"], crowd["result_frames"]) == (20, 0, [1, 20])


def test_a_result_that_ends_early_is_scored_and_reported(place, capsys):
    needs_trackeval()
    file = place / "result" / "crowd.txt"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:8]))
    assert evaluated(place, "--metrics", "identity") == EXIT_OK
    err = capsys.readouterr().err
    assert "warning: the result of crowd covers only frames 1 to 3 of 1 to 40" in err


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("1,5,0,0,9,9,1,-1,-1,-1", "line 153: identity 5 is in frame 1 already (line 1)."),
        ("41,5,0,0,9,9,1,-1,-1,-1", "line 153: frame 41 lies beyond the last one, 40"),
        ("0,5,0,0,9,9,1,-1,-1,-1", "line 153: frame 0 must be"),
        ("hello", "line 153: 1 column,"),
    ],
)
def test_a_wrong_row_is_one_sentence_with_file_and_line(place, capsys, row, says):
    file = place / "result" / "crowd.txt"
    file.write_text(f"{file.read_text()}{row}\n")
    assert evaluated(place) == EXIT_INPUT
    out = capsys.readouterr()
    assert out.out == ""
    assert out.err.startswith(f"error: '{file}' {says}")
    assert len(out.err.splitlines()) == 2


def test_missing_things_have_their_exit_codes(place, capsys, tmp_path):
    assert evaluated(place, result="gone") == EXIT_INPUT
    assert evaluated(place, "--json", str(tmp_path)) == EXIT_OUTPUT
    truth = str(place / "truth/crowd/gt/gt.txt")
    assert evaluated(place, "--json", truth, truth="truth/crowd/gt/gt.txt",
                     result="result/crowd.txt") == EXIT_OUTPUT  # fmt: skip
    assert main(["eval", "--gt", truth]) == EXIT_USAGE
    assert evaluated(place, "--metrics", "hotta") == EXIT_USAGE
    assert evaluated(place, "--frames", "1-2") == EXIT_USAGE
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("result", ["result", "result/crowd.txt"])
def test_figures_never_replace_a_result(place, result):
    before = (place / "result/crowd.txt").read_text()
    words = ("--json", str(place / "result/crowd.txt"))
    truth = "truth" if result == "result" else "truth/crowd/gt/gt.txt"
    assert evaluated(place, *words, truth=truth, result=result) == EXIT_OUTPUT
    assert (place / "result/crowd.txt").read_text() == before


def test_without_trackeval_it_says_how_to_get_it(place, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "trackeval"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "trackeval", None)
    assert evaluated(place) == EXIT_MODEL
    assert "[eval]'" in capsys.readouterr().err
