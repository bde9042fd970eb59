"""A system of a few lines, one file and one line of the table, runs whole jobs of every kind."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers.added import system
from helpers.added.system import Walker
from helpers.clips import read_back
from helpers.jobs import cli, make_scene, mot_rows, records
from helpers.places import ROOT, SOURCE
from mot_dinov3.commands import main
from mot_dinov3.errors import EXIT_INPUT, EXIT_MODEL, EXIT_OK, EXIT_USAGE
from mot_dinov3.systems.base import UNKNOWN
from mot_dinov3.systems.factory import SYSTEMS

FRAMES = 20
OUTPUTS = ("--output", "o.mp4", "--save-mot", "o.txt", "--save-jsonl", "o.jsonl", "--save-csv",
           "o.csv", "--save-embeddings", "o.npz", "--save-trace", "o.trace", "--save-crops",
           "crops", "--stats-json", "s.json", "--report", "r.html")  # fmt: skip
ADDED = """
from helpers.added import system
from mot_dinov3.systems.factory import SYSTEMS
SYSTEMS.table["walker"] = system.LINE
"""


@pytest.fixture(autouse=True)
def added(monkeypatch, tmp_path):
    """The one line of the table, and a clip to track."""
    monkeypatch.setitem(SYSTEMS.table, "walker", system.LINE)
    monkeypatch.chdir(tmp_path)
    return make_scene(tmp_path, FRAMES)


def words(*more, source="clip.mp4"):
    return ["--source", source, "--system", "walker", "--cpu", *more]


def test_it_fills_every_output(added):
    assert main(words(*OUTPUTS)) == EXIT_OK
    assert mot_rows("o.txt")[:, 1].tolist() == [1] * FRAMES
    assert [line["tracks"][0]["class"] for line in records("o.jsonl")] == ["walker"] * FRAMES
    assert len((added / "o.csv").read_text().splitlines()) == FRAMES + 1
    with np.load(added / "o.npz") as arrays:
        assert arrays["vectors"].tolist() == [[1.0]] * FRAMES
    assert len(read_back(added / "o.mp4")) == FRAMES
    assert list((added / "crops" / "1").glob("*.jpg"))
    stats = json.loads((added / "s.json").read_text())
    assert stats["walker"] == "by heart"
    assert stats["tracks"] == {"born": 1, "confirmed": 1}
    assert "by heart" in (added / "r.html").read_text()


def test_what_it_tracked_can_be_drawn_later(added):
    assert main(words("--output", "o.mp4", "--save-jsonl", "o.jsonl", "--no-journal")) == EXIT_OK
    drawn = ["render", "--source", "clip.mp4", "--jsonl", "o.jsonl", "--output", "later.mp4"]
    assert main(drawn) == EXIT_OK
    for (_, first), (_, later) in zip(read_back("o.mp4"), read_back("later.mp4"), strict=True):
        np.testing.assert_array_equal(first, later)


def test_its_tracks_are_relinked(added):
    assert main(words("--save-mot", "o.txt", "--no-video", "--relink")) == EXIT_OK
    assert mot_rows("o.txt")[:, 1].tolist() == [1] * FRAMES


@pytest.fixture
def stopped(added, monkeypatch):
    """A run that ends after eleven frames, to be resumed."""
    with monkeypatch.context() as patch:
        patch.setattr(Walker, "stops_at", 11)
        assert main(words("--no-video", "--save-mot", "o.txt")) == EXIT_MODEL
    return added


def resume():
    return main(words("--no-video", "--save-mot", "o.txt", "--stats-json", "s.json", "--resume"))


def test_it_is_stepped_again_and_proven_by_the_journal(stopped, capsys):
    assert resume() == EXIT_OK
    assert "Goes on after 11 frames" in capsys.readouterr().err
    assert json.loads((stopped / "s.json").read_text())["resumed_frames"] == 11
    text = (stopped / "o.txt").read_bytes()
    assert main(words("--no-video", "--save-mot", "whole.txt")) == EXIT_OK
    assert text == (stopped / "whole.txt").read_bytes()


def test_other_tracks_than_those_of_the_journal_are_refused(stopped, monkeypatch, capsys):
    step = Walker.step

    def lose_it(self, frame):
        result = step(self, frame)
        result.tracks.fresh[:] = frame.index < 5
        return result

    monkeypatch.setattr(Walker, "step", lose_it)
    assert resume() == EXIT_INPUT
    assert "leads to other tracks at frame 5" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fingerprint", "said"),
    [("right foot first", "other walker"), (UNKNOWN, "the walker could not be read")],
)
def test_another_fingerprint_is_refused(stopped, monkeypatch, capsys, fingerprint, said):
    monkeypatch.setattr(Walker, "fingerprint", {"walker": fingerprint})
    assert resume() == EXIT_USAGE
    assert said in capsys.readouterr().err


def test_a_fingerprint_that_was_never_known_is_refused(added, monkeypatch, capsys):
    """Two runs of which nothing is known are not the same."""
    monkeypatch.setattr(Walker, "fingerprint", {"walker": UNKNOWN})
    with monkeypatch.context() as patch:
        patch.setattr(Walker, "stops_at", 11)
        assert main(words("--no-video", "--save-mot", "o.txt")) == EXIT_MODEL
    assert resume() == EXIT_USAGE
    assert "the walker could not be read and may be others" in capsys.readouterr().err


def test_workers_find_it_too(added):
    """Workers are processes of their own, so the line of the table is added in each of them."""
    (added / "sitecustomize.py").write_text(ADDED)
    (added / "second.mp4").write_bytes((added / "clip.mp4").read_bytes())
    more = ("--source", "second.mp4", "--no-video", "--save-mot", "out/{name}.txt",
            "--workers", "2")  # fmt: skip
    path = f"{added}:{SOURCE}:{ROOT / 'tests'}"
    code, _, err = cli(*words(*more), cwd=added, PYTHONPATH=path)
    assert code == EXIT_OK, err
    for name in ("clip", "second"):
        assert mot_rows(added / "out" / f"{name}.txt")[:, 1].tolist() == [1] * FRAMES


def test_a_source_without_images_is_refused(added, capsys):
    (added / "blind").mkdir()
    (added / "blind" / "seqinfo.ini").write_text(
        "[Sequence]\nname=blind\nimDir=img1\nframeRate=30\nseqLength=3\nimWidth=64\n"
        "imHeight=48\nimExt=.jpg\n"
    )
    assert main(words("--no-video", "--save-mot", "o.txt", source="mot:blind")) == EXIT_USAGE
    assert "'blind' has no images for --system walker to look at" in capsys.readouterr().err


def test_an_unknown_system_is_refused(capsys):
    assert main(["--source", "clip.mp4", "--system", "walkre", "--cpu"]) == EXIT_USAGE
    assert "modular, samba-motr, single, walker" in capsys.readouterr().err
