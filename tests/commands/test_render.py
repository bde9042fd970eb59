"""The render command: its flags, its words, its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.clips import read_back
from helpers.jobs import make_scene, replay
from mot_dinov3.commands import main


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """A scene, its annotated video `o.mp4` and its journal `o.jsonl`."""
    directory = make_scene(tmp_path_factory.mktemp("scene"))
    files = ("--output", directory / "o.mp4", "--save-jsonl", directory / "o.jsonl", "--hud", "-q")
    assert main([str(word) for word in replay(directory, *files)]) == 0
    return directory


@pytest.fixture
def render(tracked, tmp_path, monkeypatch, capsys):
    """Render in an empty directory: (exit code, standard error)."""
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()

    def run(*words, jsonl=tracked / "o.jsonl"):
        words = ["render", "--jsonl", jsonl, "--source", tracked / "clip.mp4", *words]
        code = main([str(word) for word in words])
        return code, capsys.readouterr().err

    return run


def test_the_same_flags_give_the_same_video(render, tracked):
    code, err = render("--output", "a.mp4", "--hud")
    assert code == 0
    assert Path("a.mp4").read_bytes() == (tracked / "o.mp4").read_bytes()
    assert err.startswith("30 frames in ")
    assert err.endswith("\nwrote a.mp4\n")


def test_searched_tracks_are_drawn_again_as_they_were_and_reported(render, tracked, tmp_path):
    files = ("--output", tmp_path / "o.mp4", "--save-jsonl", tmp_path / "o.jsonl", "--save-mot",
             tmp_path / "o.txt", "--report", tmp_path / "r.html", "--hud", "--trails", "2",
             "--det-every", "3")  # fmt: skip
    assert main([str(word) for word in replay(tracked, *files, "-q")]) == 0
    states = [
        [row["state"] for row in json.loads(line)["tracks"]]
        for line in (tmp_path / "o.jsonl").read_text().splitlines()
    ]
    assert states[3:6] == [["confirmed"] * 2, ["searched"] * 2, ["searched"] * 2]
    written = {int(line.split(",")[0]) for line in (tmp_path / "o.txt").read_text().splitlines()}
    assert written == set(range(1, 31, 3))
    again = ("--output", "a.mp4", "--hud", "--trails", "2", "-q")
    assert render(*again, jsonl=tmp_path / "o.jsonl") == (0, "")
    assert Path("a.mp4").read_bytes() == (tmp_path / "o.mp4").read_bytes()
    assert main(["report", str(tmp_path / "o.jsonl"), "-o", str(tmp_path / "again.html")]) == 0
    assert (tmp_path / "again.html").stat().st_size > 10_000


def test_reading_and_writing_in_turn_gives_the_same_too(render, tracked):
    assert render("--output", "a.mp4", "--hud", "--no-overlap", "-q") == (0, "")
    assert Path("a.mp4").read_bytes() == (tracked / "o.mp4").read_bytes()


def test_variables_reach_only_what_the_command_has_flags_for(render, monkeypatch):
    monkeypatch.setenv("MOT_SAVE_JSONL", "x.jsonl")
    monkeypatch.setenv("MOT_STATS_JSON", "x.json")
    monkeypatch.setenv("MOT_MAX_FRAMES", "3")
    monkeypatch.setenv("MOT_OUTPUT", "b.mp4")
    assert render("-q") == (0, "")
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["b.mp4"]
    assert len(read_back("b.mp4")) == 30


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--save-trace", "t"), 2, "Unrecognized arguments: --save-trace t"),
        (("--embed-all",), 2, "Unrecognized arguments: --embed-all"),
        (("--line-thickness", "-1"), 2, "--line-thickness must be between 0 and 64"),
        (("--no-video",), 2, "--no-video leaves nothing to write"),
        (("--source", "nothing.mp4"), 3, "'nothing.mp4' does not exist"),
        (("--output", "a.xyz"), 5, "'*.xyz' cannot be written"),
    ],
)
def test_what_cannot_be_is_one_sentence(render, words, code, said):
    got, err = render(*words)
    assert got == code
    assert said in err.splitlines()[0]
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]\n", "null\n", "\0" * 500, "[" * 10_000, '{"frame":0}\n', "1e999\n"]
)
def test_what_is_no_journal_is_input_that_cannot_be_read(render, tmp_path, text):
    path = tmp_path / "bad" / "a.jsonl"
    path.parent.mkdir()
    path.write_text(text)
    code, err = render("--output", "a.mp4", jsonl=path)
    assert code == 3
    assert err.startswith("error: ")
    assert str(path) in err.splitlines()[0]
    assert "Traceback" not in err
    assert not Path("a.mp4").exists()


def test_a_journal_must_be_named(capsys):
    assert main(["render", "--source", "v.mp4"]) == 2
    assert "required: --jsonl" in capsys.readouterr().err
