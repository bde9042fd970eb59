"""A member of every kind, each one file and one line of its table, goes through every command.

`tests/perception/test_adding.py` says more of detectors and embedders, and
`tests/systems/test_adding.py` of systems.
"""

from __future__ import annotations

import json

import pytest

from helpers.added import association
from helpers.added.camera import WatchedCamera
from helpers.added.detector import AreaDetector
from helpers.added.embedder import ColourEmbedder
from helpers.added.sink import IdsSink
from helpers.added.tables import MEMBERS, add_members
from helpers.added.walk import FRAMES, make_walk, words
from helpers.jobs import cli, mot_rows
from helpers.places import ROOT, SOURCE
from mot_dinov3.commands import main
from mot_dinov3.errors import EXIT_MODEL, EXIT_OK, EXIT_USAGE
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.outputs.sinks.renaming import create_renamer

ADDED_BY_A_PROCESS = "from helpers.added.tables import add_members\nadd_members()\n"


@pytest.fixture(autouse=True)
def added(monkeypatch, tmp_path):
    """The line of each member, a walk to track, and the files of weights."""
    add_members(MEMBERS, monkeypatch.setitem)
    monkeypatch.chdir(tmp_path)
    for model in (AreaDetector, ColourEmbedder):
        monkeypatch.setattr(model, "built", 0)
    monkeypatch.setattr(WatchedCamera, "seen", 0)
    (tmp_path / "drift.txt").write_text("0")
    return make_walk(tmp_path)


def track_words(directory, *more):
    """Arguments that track the walk with every added member of the modular tracker."""
    return words(
        directory, "--embed-policy", "left:100", "--association", "nearest",
        "--motion", f"drift:{directory / 'drift.txt'}", "--cmc", "watched", *more,
    )  # fmt: skip


def read_ids(path):
    return [line.split() for line in path.read_text().splitlines()]


OUTPUTS = ("--no-video", "--save-mot", "o.txt", "--save", "ids=o.ids", "--stats-json", "s.json")


def test_all_of_them_track_together(added):
    assert main(track_words(added, *OUTPUTS)) == EXIT_OK
    assert set(mot_rows("o.txt")[:, 1]) == {1, 2}
    assert len(read_ids(added / "o.ids")) == FRAMES
    assert WatchedCamera.seen == FRAMES
    stats = json.loads((added / "s.json").read_text())
    assert 0 < stats["embeddings"]["computed"] < 2 * FRAMES
    chosen = [stats["config"][key] for key in ("embed_policy", "association", "cmc")]
    assert chosen == ["left:100", "nearest", "watched"]


def run_and_count(directory, *more):
    """Tracks that there were, and embeddings that were computed."""
    assert main(track_words(directory, *OUTPUTS, *more)) == EXIT_OK
    stats = json.loads((directory / "s.json").read_text())
    return stats["tracks"]["born"], stats["embeddings"]["computed"]


def test_each_of_them_decides_what_it_is_for(added, monkeypatch):
    (added / "far.txt").write_text("50")
    tracks, embedded = run_and_count(added)
    assert run_and_count(added, "--embed-policy", "left:0") == (tracks, 0)
    assert run_and_count(added, "--motion", "drift:far.txt")[0] > 10 * tracks
    monkeypatch.setattr(association, "REACH_PX", 1e-9)
    assert run_and_count(added) == (2 * FRAMES, embedded)


@pytest.mark.parametrize(
    ("flag", "wrong", "named"),
    [
        ("--embed-policy", "lefd", "left"),
        ("--association", "nearset", "nearest"),
        ("--motion", "drfit", "drift"),
        ("--cmc", "wacthed", "watched"),
        ("--save", "idz=o.txt", "ids"),
        ("--system", "walkre", "walker"),
        ("--embedder", "colors", "colours"),
    ],
)
def test_a_wrong_name_is_refused_before_anything_is_loaded(added, capsys, flag, wrong, named):
    assert main(track_words(added, "--no-video", flag, wrong)) == EXIT_USAGE
    assert named in capsys.readouterr().err
    assert (AreaDetector.built, ColourEmbedder.built) == (0, 0)


def test_what_a_motion_model_reads_is_not_written_over(added, capsys):
    before = (added / "drift.txt").read_text()
    assert main(track_words(added, "--no-video", "--save-mot", "drift.txt")) != EXIT_OK
    assert "drift.txt" in capsys.readouterr().err
    assert (added / "drift.txt").read_text() == before


def test_a_sequence_without_images_has_nothing_for_a_camera_to_watch(added, capsys):
    (added / "blind").mkdir()
    (added / "blind" / "seqinfo.ini").write_text(
        "[Sequence]\nname=blind\nimDir=img1\nframeRate=30\nseqLength=3\nimWidth=64\n"
        "imHeight=48\nimExt=.jpg\n"
    )
    given = ["--source", "mot:blind", "--det", "mot:det.txt", "--embedder", "none"]
    assert main([*given, "--cmc", "watched", "--no-video", "--save-mot", "o.txt"]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "--cmc watched" in said
    assert "--cmc none (or file:FILE)" in said


LINES = {name: f"{name} {line}" for _, name, (_, line) in MEMBERS}


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        pytest.param(
            "--help-all",
            [LINES[name] for name in ("areas", "colours", "left", "nearest", "drift", "watched")]
            + [LINES[name] for name in ("ids", "walker", "echo")],
            id="track",
        ),
        pytest.param("cache --help-all", [LINES["areas"], LINES["colours"]], id="cache"),
        pytest.param("replay --help-all", [LINES["left"], LINES["nearest"]], id="replay"),
        pytest.param("render --help-all", [LINES["ids"]], id="render"),
        pytest.param("bench --help-all", [LINES["rounds"], LINES["drift"]], id="bench"),
        pytest.param("synth --help", ["pairs, alone or all"], id="synth"),
        pytest.param("train --help", [LINES["slope"]], id="train"),
        pytest.param("train slope --help", ["--size N points"], id="a recipe"),
        pytest.param("echo --help", ["--times COUNT how often the word is said"], id="a command"),
    ],
)
def test_help_lists_each_with_its_line(capsys, command, shown):
    with pytest.raises(SystemExit, match="0"):
        main(command.split())
    said = " ".join(capsys.readouterr().out.split())
    assert [text for text in shown if text not in said] == []


def test_the_shell_completes_every_name():
    pytest.importorskip("shtab", reason="the extra [completion] is not installed")
    from mot_dinov3.commands.completion import build_script

    said = build_script("bash", "mot-dinov3")
    missing = [name for _, name, _ in MEMBERS if name not in said]
    assert not missing
    assert "--times" in said


def test_a_recording_is_replayed_with_them(added):
    assert main(["cache", *words(added), "--out", "cache"]) == EXIT_OK
    play = ["replay", "--cache", "cache", "-q", "--motion", "drift:drift.txt"]
    assert main([*play, "--association", "nearest", "--out", "r"]) == EXIT_OK
    study = json.loads((added / "r" / "replay.json").read_text())
    assert "left:40" in json.dumps(study)
    assert "left:100" in (added / "r" / "table.txt").read_text()
    assert (added / "r" / "replay.html").stat().st_size > 0
    assert main([*play, "--association", "nearset", "--out", "r"]) == EXIT_USAGE


@pytest.fixture
def stopped(added, monkeypatch):
    """A run that ends after eleven frames, to be resumed."""
    with monkeypatch.context() as patch:
        patch.setattr(AreaDetector, "stops_at", 11)
        assert main(track_words(added, *OUTPUTS)) == EXIT_MODEL
    return added


def test_a_run_is_resumed_to_what_an_uninterrupted_one_writes(stopped, capsys):
    assert main(track_words(stopped, *OUTPUTS, "--resume")) == EXIT_OK
    assert "Goes on after 11 frames" in capsys.readouterr().err
    resumed = [(stopped / name).read_bytes() for name in ("o.txt", "o.ids")]
    whole = ("--no-video", "--save-mot", "whole.txt", "--save", "ids=whole.ids")
    assert main(track_words(stopped, *whole)) == EXIT_OK
    assert resumed == [(stopped / name).read_bytes() for name in ("whole.txt", "whole.ids")]


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("--association", "cascade", "--association was nearest"),
        ("--motion", "kalman", "--motion was drift:"),
        ("--embed-policy", "left:90", "--embed-policy was left:100"),
        ("--cmc", "none", "--cmc was watched"),
    ],
)
def test_another_member_does_not_go_on_with_a_run(stopped, capsys, flag, value, said):
    assert main(track_words(stopped, *OUTPUTS, "--resume", flag, value)) == EXIT_USAGE
    assert said in capsys.readouterr().err


def test_other_weights_of_a_motion_model_do_not_go_on_with_a_run(stopped, capsys):
    (stopped / "drift.txt").write_text("1")
    assert main(track_words(stopped, *OUTPUTS, "--resume")) == EXIT_USAGE
    assert "other weights of the motion model" in capsys.readouterr().err


def test_a_batch_shares_them(added):
    make_walk(added / "second", frames=12)
    more = ("--source", str(added / "second" / "walk"), "--no-video", "--save-mot",
            "out/{name}.txt", "--save", "ids=out/{name}.ids")  # fmt: skip
    assert main(track_words(added, *more)) == EXIT_OK
    assert (AreaDetector.built, ColourEmbedder.built) == (1, 1)
    for name, frames in (("walk", FRAMES), ("walk-2", 12)):
        assert set(mot_rows(f"out/{name}.txt")[:, 1]) == {1, 2}
        assert len(read_ids(added / "out" / f"{name}.ids")) == frames


def test_workers_of_a_batch_find_them(added):
    """Workers are processes of their own, so the lines are added in each of them."""
    (added / "sitecustomize.py").write_text(ADDED_BY_A_PROCESS)
    make_walk(added / "second", frames=12)
    more = ("--source", "second/walk", "--no-video", "--save", "ids=out/{name}.ids",
            "--workers", "2")  # fmt: skip
    path = f"{added}:{SOURCE}:{ROOT / 'tests'}"
    code, _, err = cli(*track_words(added, *more), cwd=added, PYTHONPATH=path)
    assert code == EXIT_OK, err
    assert [len(read_ids(added / "out" / f"{name}.ids")) for name in ("walk", "walk-2")] == [24, 12]


def test_a_report_names_them(added):
    pytest.importorskip("plotly", reason="the extra [report] is not installed")
    more = ("--no-video", "--save-jsonl", "o.jsonl", "--stats-json", "s.json")
    assert main(track_words(added, *more, "--report", "run.html")) == EXIT_OK
    assert main(["report", "o.jsonl", "s.json", "--out", "later.html"]) == EXIT_OK
    for page in ("run.html", "later.html"):
        text = (added / page).read_text()
        assert all(name in text for name in ("left:100", "nearest", "drift:", "watched"))


def test_a_sink_is_written_again_from_a_frame_log(added):
    more = ("--no-video", "--save-jsonl", "o.jsonl", "--save", "ids=o.ids")
    assert main(track_words(added, *more)) == EXIT_OK
    drawn = ["render", "--source", "walk", "--jsonl", "o.jsonl", "--output", "later.mp4"]
    assert main([*drawn, "--save", "ids=later.ids"]) == EXIT_OK
    assert (added / "later.ids").read_bytes() == (added / "o.ids").read_bytes()
    assert (added / "later.mp4").stat().st_size > 0


def test_a_file_of_a_sink_that_can_rename_is_relinked(added, monkeypatch, capsys):
    def rename_ids(lines, new_of):
        for line in lines:
            yield " ".join(str(new_of.get(int(word), int(word))) for word in line.split())

    monkeypatch.setattr(IdsSink, "rename", staticmethod(create_renamer(rename_ids)))
    more = ("--no-video", "--save-jsonl", "o.jsonl", "--save-embeddings", "o.npz",
            "--save", "ids=o.ids")  # fmt: skip
    assert main(track_words(added, *more)) == EXIT_OK
    files = ("--jsonl", "o.jsonl", "--embeddings", "o.npz", "--ids", "o.ids")
    assert main(["relink", *files, "--out", "new"]) == EXIT_OK
    assert len(read_ids(added / "new" / "o.ids")) == FRAMES
    with pytest.raises(SystemExit, match="0"):
        main(["relink", "--help"])
    assert "file of --save ids, to be renamed too" in " ".join(capsys.readouterr().out.split())


def test_a_system_that_embeds_by_itself_needs_no_embedder_for_its_embeddings(added):
    alone = ["--source", "walk", "--system", "walker", "--embedder", "none", "--cpu"]
    assert main([*alone, "--no-video", "--save-embeddings", "o.npz"]) == EXIT_OK


def test_a_command_runs(capsys):
    assert main(["echo", "--times", "3"]) == EXIT_OK
    assert capsys.readouterr().out == "echo echo echo\n"
    assert main(["echo", "--tmies", "3"]) == EXIT_USAGE
    assert "Did you mean --times?" in capsys.readouterr().err


def test_a_recipe_trains_and_goes_on(added):
    run = ["train", "slope", "--out", "run"]
    assert main([*run, "--steps", "4"]) == EXIT_OK
    assert load_checkpoint(added / "run" / "last", "slope").config.recipe["steps"] == 4
    assert main([*run, "--steps", "4", "--resume"]) == EXIT_OK
    assert main([*run, "--steps", "4", "--rate", "1", "--resume"]) == EXIT_USAGE


def test_a_world_is_drawn_and_tracked(added):
    assert main(["synth", "--preset", "alone", "--out", "drawn", "-q"]) == EXIT_OK
    assert len((added / "drawn/alone/gt/gt.txt").read_text().splitlines()) == 6
    given = ["--source", "synthetic:alone", "--det", "motion", "--embedder", "none", "--cpu"]
    assert main([*given, "--no-video", "--save", "ids=o.ids"]) == EXIT_OK
    assert len(read_ids(added / "o.ids")) == 6


def test_a_benchmark_measures(capsys, added):
    assert main(["bench", "rounds", "--rounds", "3", "--det", "motion"]) == EXIT_OK
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert '"rounds": 3' in json.dumps(said)
