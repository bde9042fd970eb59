"""Whose journal it is, where it lies, and what becomes of it."""

from __future__ import annotations

import json
import logging
import os

import pytest

from helpers.journaled import FINGERPRINT, FRAMES, Run, config, frames, place
from mot_dinov3.config import MotionConfig, TrackConfig
from mot_dinov3.errors import OutputError, UsageError
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.runs.resume.contents import (
    UNFINISHED_FILES,
    encode_json,
    read_contents,
    read_frames,
)
from mot_dinov3.runs.resume.identity import (
    RunIdentity,
    find_differences,
    hash_listing,
    hash_samples,
)
from mot_dinov3.runs.resume.place import select_files
from mot_dinov3.runs.resume.records import RecordWriter


@pytest.fixture
def said(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("mot_dinov3"), "propagate", True)
    caplog.set_level(logging.INFO, logger="mot_dinov3")
    return lambda: caplog.text


def killed(directory, count=10, settings=None, **more):
    """A run that was killed after `count` frames."""
    settings = settings or config()
    home = place(directory, settings, **more)
    with home.begin(FINGERPRINT) as journal:
        Run(settings, journal).go(frames(count))
    return home


def ended(directory, settings=None):
    """A run with `--resume` that ended well, with one output."""
    settings = settings or config()
    home = place(directory, settings)
    with home.resume(FINGERPRINT) as journal:
        Run(settings, journal).go(frames())
        (directory / "o.mp4").write_bytes(b"video")
        journal.finish({"frames": FRAMES}, mark=True)
    return home


def test_it_lies_hidden_beside_the_first_output(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    home = place(tmp_path / "link", outputs=("v.mp4", "v.txt"))
    assert home.path == tmp_path / "real" / ".v.mp4.journal"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert select_files([pipe, tmp_path / "v.txt"]) == [tmp_path / "v.txt"]


def test_a_run_without_frames_leaves_nothing(tmp_path):
    with place(tmp_path / "new").begin(FINGERPRINT):
        pass
    assert not list(tmp_path.iterdir())


def test_a_run_that_ends_well_leaves_nothing(tmp_path):
    home = place(tmp_path)
    with home.begin(FINGERPRINT) as journal:
        Run(config(), journal).go(frames())
        journal.finish({}, mark=False)
    assert not list(tmp_path.iterdir())
    assert place(tmp_path).read_final_stats() is None


def test_the_end_is_remembered_as_long_as_the_outputs_stay(tmp_path):
    home = ended(tmp_path)
    assert home.path.stat().st_size < 4000
    assert place(tmp_path).read_final_stats() == {"frames": FRAMES}
    assert place(tmp_path, config(budget_crops=3)).read_final_stats() is None
    assert place(tmp_path, outputs=("o.mp4", "o.txt")).read_final_stats() == {"frames": FRAMES}
    (tmp_path / "o.txt").write_text("new")
    assert place(tmp_path, outputs=("o.mp4", "o.txt")).read_final_stats() is None
    (tmp_path / "o.mp4").write_bytes(b"another")
    assert place(tmp_path).read_final_stats() is None


def test_after_an_end_a_run_begins_anew_without_a_word(tmp_path, said):
    ended(tmp_path)
    killed(tmp_path, 4)
    assert said().count("\n") == 1  # the first run: nothing to resume
    assert read_contents(tmp_path / ".o.mp4.journal").frames == 4


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"budget_crops": 3}, "--embed-budget-crops was 0"),
        ({"embed_policy": "always"}, "--embed-policy was value"),
        ({"embed_all": True}, "--embed-all was off"),
    ],
)
def test_other_flags_are_refused_by_name(tmp_path, settings, word):
    killed(tmp_path)
    other = place(tmp_path, config(**settings))
    with pytest.raises(UsageError, match=word):
        other.check_identity()
    with pytest.raises(UsageError, match=word):
        other.resume(FINGERPRINT)


def test_a_flag_that_is_newer_than_the_journal_had_the_effect_of_its_default():
    info = SourceInfo("clip.mp4", 640, 480, 30.0, FRAMES, False, None)
    older = RunIdentity.of(config(), info).as_dict()
    assert older["flags"].pop("motion") == "kalman"
    assert find_differences(older, RunIdentity.of(config(), info)) == []
    changed = TrackConfig(motion=MotionConfig(motion="other"))
    assert find_differences(older, RunIdentity.of(changed, info)) == ["--motion was kalman"]


def test_other_models_are_refused_once_they_are_known(tmp_path):
    killed(tmp_path)
    place(tmp_path).check_identity()
    with pytest.raises(UsageError, match=r"other embedder \(by colour\)"):
        place(tmp_path).resume({**FINGERPRINT, "embedder": "none"})


def test_another_source_is_refused(tmp_path):
    killed(tmp_path)
    with pytest.raises(UsageError, match="another source"):
        place(tmp_path, count=FRAMES + 1).check_identity()


def test_nothing_to_go_on_from_is_said(tmp_path, said):
    with place(tmp_path).resume(FINGERPRINT) as journal:
        assert journal.known_frames == 0
    assert "No unfinished run of 'o.mp4' is known here: it begins at the beginning." in said()


def test_a_run_without_resume_sets_an_unfinished_one_aside(tmp_path, said):
    killed(tmp_path, 20)
    killed(tmp_path, 5)
    assert "'o.mp4' was not finished (20 frames)" in said()
    with place(tmp_path).resume(FINGERPRINT) as journal:
        assert journal.known_frames == 20
        Run(config(), journal).go(frames())
        journal.finish({}, mark=False)
    assert not list(tmp_path.iterdir())


def test_the_longer_of_two_unfinished_runs_is_set_aside(tmp_path):
    for count in (2, 20, 5, 4):
        killed(tmp_path, count)
    assert read_contents(tmp_path / ".o.mp4.journal-old").frames == 20
    killed(tmp_path, 30)
    with place(tmp_path).resume(FINGERPRINT) as journal:
        assert journal.known_frames == 30


def test_of_two_unfinished_runs_the_fitting_one_goes_on(tmp_path):
    killed(tmp_path, 20)
    killed(tmp_path, 5, config(budget_crops=2))
    with place(tmp_path, config(budget_crops=2)).resume(FINGERPRINT) as journal:
        assert journal.known_frames == 5
    with place(tmp_path).resume(FINGERPRINT) as journal:
        assert journal.known_frames == 20


def test_a_journal_that_is_being_written_is_nobody_elses(tmp_path, said):
    home = place(tmp_path)
    with home.begin(FINGERPRINT) as journal:
        Run(config(), journal).go(frames(6))
        with pytest.raises(OutputError, match="Another run is writing"):
            place(tmp_path).resume(FINGERPRINT)
        with place(tmp_path).begin(FINGERPRINT) as second:
            Run(config(), second).go(frames(3))
            assert second.frames == 0
        assert "No journal is kept: another run" in said()
        journal.append(next(read_frames(home.path)))
    assert read_contents(home.path).frames == 7


def test_damage_costs_what_follows(tmp_path, said):
    home = killed(tmp_path, 20)
    data = bytearray(home.path.read_bytes())
    data[len(data) // 2] ^= 4
    home.path.write_bytes(data)
    with place(tmp_path).resume(FINGERPRINT) as journal:
        assert 5 < journal.known_frames < 15
        Run(config(), journal).go(frames())
    assert "the rest of its journal is damaged" in said()
    found = read_contents(home.path)
    assert (found.frames, found.size) == (FRAMES, found.end)


def test_a_damaged_beginning_is_no_journal(tmp_path, said):
    home = killed(tmp_path, 20)
    data = bytearray(home.path.read_bytes())
    for spot in (3, 40, 200):
        bad = data.copy()
        bad[spot] ^= 4
        home.path.write_bytes(bad)
        with place(tmp_path).resume(FINGERPRINT) as journal:
            assert journal.known_frames == 0
            Run(config(), journal).go(frames(3))
        assert read_contents(home.path).frames == 3
    assert said().count("begins at the beginning") == 3


def test_partial_files_of_killed_runs_go_with_the_journal(tmp_path):
    outputs = ("o.mp4", "o.txt")
    names = ("o.partial.mp4", "o.partial-2.mp4", "o.partial-4.mp4")
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(b"half")
        with place(tmp_path, outputs=outputs).resume(FINGERPRINT) as journal:
            assert journal.known_frames == 5 * number
            journal.list_partials = lambda name=name: [tmp_path / name, tmp_path / "o.partial.txt"]
            run = Run(config(), journal).go(frames(5 * number))
            assert sum((tmp_path / old).exists() for old in names) == min(number, 1) + 1
            run.go(list(frames(5 * number + 5))[5 * number :])
            assert [old for old in names if (tmp_path / old).exists()] == [name]
    with place(tmp_path, outputs=outputs).resume(FINGERPRINT) as journal:  # killed while it is read
        (tmp_path / "o.partial-5.mp4").write_bytes(b"half")
        journal.list_partials = lambda: [tmp_path / "o.partial-5.mp4"]
        Run(config(), journal).go(frames(3))
    (tmp_path / "o.partial-3.mp4").write_bytes(b"of another run")
    with place(tmp_path, outputs=outputs).resume(FINGERPRINT) as journal:
        Run(config(), journal).go(frames())
        journal.finish({}, mark=False)
    assert [path.name for path in tmp_path.iterdir()] == ["o.partial-3.mp4"]


def test_a_run_never_removes_its_own_files(tmp_path):
    own = tmp_path / "o.partial.mp4"
    own.write_bytes(b"of the killed run")
    with place(tmp_path).begin(FINGERPRINT) as journal:
        journal.list_partials = lambda: [own]
        Run(config(), journal).go(frames(5))
    os.utime(own, (1, 1))  # deleted, and made again with the same number: very much alike
    with place(tmp_path).resume(FINGERPRINT) as journal:
        journal.list_partials = lambda: [own]
        Run(config(), journal).go(frames())
        journal.finish({}, mark=False)
    assert own.exists()


def test_files_that_still_grow_are_somebody_elses(tmp_path):
    other = tmp_path / "o.partial.mp4"
    other.write_bytes(b"of the killed run")
    with place(tmp_path).begin(FINGERPRINT) as journal:
        journal.list_partials = lambda: [other]
        Run(config(), journal).go(frames(5))
    with place(tmp_path).resume(FINGERPRINT) as journal:
        os.utime(other, (2e9, 2e9))
        Run(config(), journal).go(frames())
        journal.finish({}, mark=False)
    assert other.exists()


def test_a_journal_cannot_name_other_files_to_remove(tmp_path):
    victims = [tmp_path / "thesis.partial.mp4", tmp_path / "sub" / "o.partial.mp4",
               tmp_path / "o.partial-x.mp4", tmp_path / "o.mp4"]  # fmt: skip
    (tmp_path / "sub").mkdir()
    home = killed(tmp_path, 5)
    for victim in victims:
        victim.write_bytes(b"dear")
    found = read_contents(home.path)
    with home.path.open("r+b", buffering=0) as file:
        named = [(str(path), path.stat().st_ino) for path in victims]
        RecordWriter(file, found.end, found.checksum).append(UNFINISHED_FILES, encode_json(named))
    with place(tmp_path).resume(FINGERPRINT) as journal:
        Run(config(), journal).go(frames())
        journal.finish({}, mark=False)
    assert all(victim.exists() for victim in victims)


def test_a_journal_that_cannot_be_written_stops_nobody(tmp_path, said):
    (tmp_path / ".o.mp4.journal").symlink_to(tmp_path / "elsewhere")
    with place(tmp_path).begin(FINGERPRINT) as journal:
        Run(config(), journal).go(frames(3))
    assert "ends here" in said()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("data", [{}, [], {"outputs": 3}, None, {"stats": []}])
def test_a_mark_that_makes_no_sense_ends_nothing(tmp_path, data):
    home = killed(tmp_path, 5)
    found = read_contents(home.path)
    with home.path.open("r+b", buffering=0) as file:
        RecordWriter(file, found.end, found.checksum).append(b"E", json.dumps(data).encode())
    assert not place(tmp_path).read_final_stats()


def test_files_are_known_by_size_and_samples(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(bytes(3_000_000))
    zeros = hash_samples(path)
    assert hash_samples(path) == zeros
    for spot in (0, 2_999_999):
        path.write_bytes(bytes(spot) + b"x" + bytes(2_999_999 - spot))
        assert hash_samples(path) != zeros
    path.write_bytes(bytes(3_000_001))
    assert hash_samples(path) != zeros
    path.write_bytes(b"")
    assert hash_samples(path)


def test_directories_are_known_by_their_images(tmp_path):
    (tmp_path / "1.jpg").write_bytes(b"12")
    before = hash_listing(tmp_path)
    (tmp_path / "o.partial.mp4").write_bytes(b"an output")
    assert hash_listing(tmp_path) == before
    (tmp_path / "2.jpg").write_bytes(b"12")
    assert hash_listing(tmp_path) != before


def test_a_file_that_does_not_say_whose_it_is_is_no_journal(tmp_path):
    home = killed(tmp_path, 5)
    answers = next(read_frames(home.path))
    with home.path.open("r+b", buffering=0) as file:
        RecordWriter(file).append(b"F", *answers.pack())
    assert read_contents(home.path).frames == 0
    with place(tmp_path).resume(FINGERPRINT) as journal:
        assert journal.known_frames == 0
