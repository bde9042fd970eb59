"""The command `follow`: all outputs of one object, and every wrong word refused in a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers.clips import read_back
from helpers.jobs import mot_rows, records
from helpers.moving import box_words, overlap, place, write_pictures
from helpers.places import ASSETS
from mot_dinov3.commands import follow, main
from mot_dinov3.errors import EXIT_INPUT, EXIT_OK, EXIT_USAGE
from mot_dinov3.systems.follower import Follower

FRAMES, HIDDEN = 18, (8, 9, 10)
BOX = box_words(2)
CLIP = ASSETS / "videos" / "one-by-one-person-detection.mp4"


@pytest.fixture(autouse=True)
def source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_pictures(tmp_path / "clip", FRAMES, HIDDEN)
    return tmp_path


def words(*more, box=BOX, number="2", source="clip"):
    return ["follow", "--source", source, "--box", box, "--frame", number, "--cpu", *more]


QUIET = ("--no-video", "--save-mot", "o.txt", "-q")


def test_every_output_has_the_object(source, capsys):
    more = ("--output", "o.mp4", "--save-mot", "o.txt", "--save-jsonl", "o.jsonl", "--report",
            "r.html", "--stats-json", "s.json")  # fmt: skip
    assert main(words(*more)) == EXIT_OK
    rows, seen = mot_rows("o.txt"), [i for i in range(2, FRAMES) if i not in HIDDEN]
    assert rows[:, 0].tolist() == [index + 1 for index in seen]
    assert set(rows[:, 1]) == {1}
    for row in rows:
        box = np.array([*row[2:4], *(row[2:4] + row[4:6])])
        assert overlap(box, place(int(row[0]) - 1)) > 0.8
    assert [len(line["tracks"]) for line in records("o.jsonl")] == [0, 0, *[1] * (FRAMES - 2)]
    assert len(read_back(source / "o.mp4")) == FRAMES
    stats = json.loads((source / "s.json").read_text())
    assert stats["searcher"] == "flow"
    assert stats["tracks"] == {"born": 1, "confirmed": 1}
    said = capsys.readouterr().err
    assert "object       met in frame 2, found in 13 frames, lost in 3 (1 time); " in said
    assert "ms a search" in said
    assert "identities   object 1" in said


def test_quiet_says_nothing(capsys):
    assert main(words(*QUIET)) == EXIT_OK
    assert capsys.readouterr() == ("", "")


def test_it_is_the_system_single_of_the_main_job(source):
    assert main(words(*QUIET)) == EXIT_OK
    same = ["--source", "clip", "--system", "single", "--box", BOX, "--frame", "2"]
    assert main([*same, "--cpu", "--no-video", "--save-mot", "same.txt", "-q"]) == EXIT_OK
    assert (source / "same.txt").read_bytes() == (source / "o.txt").read_bytes()


def test_a_run_that_was_stopped_goes_on(source, monkeypatch, capsys):
    assert main(words(*QUIET)) == EXIT_OK
    whole = (source / "o.txt").read_bytes()
    step = Follower.step

    def fail(self, frame):
        if frame.index == 12:
            raise MemoryError
        return step(self, frame)

    with monkeypatch.context() as patch:
        patch.setattr(Follower, "step", fail)
        assert main(words(*QUIET)) != EXIT_OK
    assert main(words(*QUIET, "--resume", box=box_words(3))) == EXIT_USAGE
    assert "--box was" in capsys.readouterr().err
    assert main(words(*QUIET, "--resume")) == EXIT_OK
    assert (source / "o.txt").read_bytes() == whole


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--box", "900,1,10,10"), "--box 900,1,10,10 is outside of the picture, which has"),
        (("--box", "-90,1,100,10"), "--box -90,1,100,10 is outside of the picture"),
        (("--box", "1,1,0,10"), "--box 1,1,0,10 is empty"),
        (("--box", "1,1,10"), "--box must be four numbers"),
        (("--frame", "18"), "--frame 18 is beyond the end: 'clip' has 18 frames"),
        (("--frame", "5", "--end-frame", "4"), "--frame 5 is not tracked with --end-frame 4"),
        (("--pick", "car"), "--box and --pick both say"),
        (("--searcher", "flaw"), "Unknown searcher 'flaw'"),
        (("--searcher", "flow:3"), "--searcher flow takes nothing after its name"),
        (("--source", "list.txt"), "follow takes one video, and 'list.txt' is a list"),
        (("--save-embeddings", "e.npz"), "--save-embeddings has nothing to write"),
        (("--embedder", "none"), "--embedder"),
    ],
)
def test_wrong_words_are_refused_in_a_sentence(source, capsys, more, said):
    (source / "list.txt").write_text("clip\n")
    assert main(words(*QUIET, *more)) == EXIT_USAGE
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
    assert len(error.splitlines()) >= 2  # a sentence and a remedy
    assert not (source / "o.txt").exists()


def test_a_source_and_an_object_are_needed(capsys):
    assert main(["follow", "--box", "1,1,9,9"]) == EXIT_USAGE
    assert "--source is missing" in capsys.readouterr().err
    assert main(["follow", "--source", "clip"]) == EXIT_USAGE
    assert "--box and --pick are missing" in capsys.readouterr().err
    assert main(["follow", "--source", "nothing.mp4", "--pick", "car"]) == EXIT_INPUT


def pick(*more):
    return main(["follow", "--source", "clip", "--cpu", "--det", "mot:det.txt", *QUIET, *more])


def detect(source, *rows):
    (source / "det.txt").write_text("".join(f"{row}\n" for row in rows))


def test_the_detector_finds_the_object(source):
    left, top, right, bottom = place(4).tolist()
    box = f"{left},{top},{right - left},{bottom - top}"
    detect(source, "3,-1,70,10,9,9,0.2", f"5,-1,{box},0.9", "5,-1,100,90,20,20,0.6")
    assert pick("--pick", "0") == EXIT_OK
    rows = mot_rows("o.txt")
    assert rows[0, [0, 6]].tolist() == [5, 0.9]
    last = np.array([*rows[-1, 2:4], *(rows[-1, 2:4] + rows[-1, 4:6])])
    assert overlap(last, place(FRAMES - 1)) > 0.8


def test_a_class_that_is_not_seen_until_the_end_is_said(source, capsys):
    detect(source, "3,-1,70,10,9,9,0.2")
    assert pick("--pick", "0", "--frame", "6") == EXIT_USAGE
    assert "No 0 was seen in 'clip' from frame 6 to frame 17." in capsys.readouterr().err
    assert pick("--pick", "0", "--start-frame", "4", "--end-frame", "12") == EXIT_USAGE
    assert "No 0 was seen in 'clip' from frame 4 to frame 12." in capsys.readouterr().err


def test_a_class_that_is_not_one_is_refused(source, capsys):
    detect(source, "3,-1,70,10,9,9,0.2")
    assert pick("--pick", "zebra") == EXIT_USAGE
    assert "--pick: the detector has no class 'zebra'" in capsys.readouterr().err


def test_flags_of_the_main_job_do_nothing_there(capsys):
    assert main(["--source", "clip", "--box", "1,1,9,9"]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "--box does nothing with --system modular" in said
    assert "Use the command follow" in said


def test_help_shows_what_is_its_own():
    text = follow.parser().format_help()
    for flag in ("--box", "--pick", "--frame", "--searcher", "--save-mot"):
        assert flag in text
    assert "--embedder" not in follow.parser().format_whole_help()


@pytest.mark.skipif(not CLIP.is_file(), reason="the shared test assets are not here")
def test_a_real_person_is_followed_to_a_table():
    """Seen by hand: she stands in front of it from frame 90 to 180, within these borders."""
    more = ("--max-frames", "165", "--searcher", "flow")
    given = words(*QUIET, *more, box="371,33,172,356", number="75", source=str(CLIP))
    assert main(given) == EXIT_OK
    rows = mot_rows("o.txt")
    stands = rows[rows[:, 0] > 95]
    assert len(stands) > 55
    standing = np.array([345, 5, 530, 385])
    for row in stands:
        assert overlap(np.array([*row[2:4], *(row[2:4] + row[4:6])]), standing) > 0.7
