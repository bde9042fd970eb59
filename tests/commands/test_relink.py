"""`relink`: what `--relink` does, on a run that has ended."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest

from helpers.jobs import mot_rows
from helpers.split_people import configuration, system, tracked
from mot_dinov3.commands import main
from mot_dinov3.errors import EXIT_INPUT, EXIT_OK, EXIT_USAGE
from mot_dinov3.runs.jobs.job import run_job


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same run as it was, and relinked while it went."""
    plain, merged = (tmp_path_factory.mktemp(name) for name in ("plain", "merged"))
    tracked(plain, relink=False, no_video=True)
    return plain, merged, tracked(merged, no_video=True).facts


def relinked(plain, out, *words):
    return main(["relink", "--jsonl", str(plain / "o.jsonl"), "--embeddings", str(plain / "o.npz"),
                 "--out", str(out), *map(str, words)])  # fmt: skip


def test_a_finished_run_ends_as_one_that_was_relinked_at_once(runs, tmp_path, capsys):
    plain, merged, facts = runs
    before = {path: path.read_bytes() for path in plain.iterdir() if path.is_file()}
    files = [f"--{kind}={plain / name}" for kind, name in
             (("mot", "o.txt"), ("csv", "o.csv"), ("trace", "o.trace"))]  # fmt: skip
    assert relinked(plain, tmp_path / "out", *files) == EXIT_OK
    said = capsys.readouterr()
    assert "8 identities, 2 of them merged into others" in said.err
    assert "7 is 1: similarity" in said.err
    assert said.out == ""
    table = json.loads((tmp_path / "out" / "relinked.json").read_text())
    assert table == [asdict(merge) for merge in facts.merges]
    for name in ("o.txt", "o.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (merged / name).read_bytes()
    with np.load(tmp_path / "out" / "o.npz") as new, np.load(merged / "o.npz") as other:
        assert all((new[name] == other[name]).all() for name in other.files)
    assert {path: path.read_bytes() for path in before} == before
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_limits_are_those_of_the_main_job(runs, tmp_path, capsys):
    assert relinked(runs[0], tmp_path, "--relink-gap", 0.5) == EXIT_OK
    assert "8 identities, 1 of them merged into another\n" in capsys.readouterr().err
    (only,) = json.loads((tmp_path / "relinked.json").read_text())
    assert only["old"] == 7


def test_the_new_journal_can_be_drawn(runs, tmp_path):
    plain = runs[0]
    assert relinked(plain, tmp_path, "-q") == EXIT_OK
    assert main(["render", "--jsonl", str(tmp_path / "o.jsonl"), "--source",
                 str(plain / "clip.mp4"), "--no-video", "--save-mot", str(tmp_path / "r.txt"),
                 "-q"]) == EXIT_OK  # fmt: skip
    assert set(mot_rows(tmp_path / "r.txt")[:, 1]) == set(range(1, 7))


def test_files_of_two_runs_are_refused(runs, tmp_path, capsys):
    plain, *_ = runs
    config = configuration(tmp_path, relink=False, no_video=True)
    run_job(replace(config, source=replace(config.source, max_frames=20)), system())
    assert relinked(plain, tmp_path / "out", "--embeddings", tmp_path / "o.npz") == EXIT_INPUT
    said = capsys.readouterr().err
    assert "tells of" in said
    assert "two files of one run" in said
    assert not (tmp_path / "out").exists()


@pytest.fixture
def two_runs(runs, tmp_path):
    """The same run twice, under other names."""
    for name in ("a", "b"):
        for kind in ("jsonl", "npz", "txt"):
            shutil.copy(runs[0] / f"o.{kind}", tmp_path / f"{name}.{kind}")
    return tmp_path


def relinked_together(place, *words, names=("a", "b")):
    given = ["--out", str(place / "out"), *words]
    for kind, end in (("jsonl", "jsonl"), ("embeddings", "npz"), ("mot", "txt")):
        given += [f"--{kind}", *(str(place / f"{name}.{end}") for name in names)]
    return main(["relink", *given])


def test_two_runs_get_one_set_of_ids(two_runs, capsys):
    assert relinked_together(two_runs) == EXIT_OK
    said = capsys.readouterr()
    assert "2 runs, 6 identities, 6 in more than one run\nidentity   frames  runs\n" in said.err
    assert "       1       84  a, b\n" in said.err
    assert said.out == ""
    out = two_runs / "out"
    first, second = (mot_rows(out / f"{name}.txt") for name in ("a", "b"))
    assert (first == second).all()
    assert set(first[:, 1]) == set(range(1, 7))
    table = json.loads((out / "relinked.json").read_text())
    assert [row["run"] for row in table[:2]] == ["a.jsonl", "b.jsonl"]
    assert table[0] == {"identity": 1, "run": "a.jsonl", "tracks": [1, 7], "frames": 42}
    assert len(list(out.iterdir())) == 7


def test_a_run_that_lacks_a_file_is_refused(two_runs, capsys):
    assert relinked_together(two_runs, "--csv", "one.csv") == EXIT_USAGE
    assert "--csv has 1 file, --jsonl has 2" in capsys.readouterr().err
    assert not (two_runs / "out").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["--jsonl", "none"], EXIT_INPUT, "'none' is not a file", id="no journal"),
        pytest.param(["--mot", "none"], EXIT_INPUT, "'none' is not a file", id="no MOT text"),
        pytest.param(["--relink-gap", "0"], EXIT_USAGE, "--relink-gap must be", id="no gap"),
        pytest.param(["--relink-similarity", "2"], EXIT_USAGE, "between 0 and 1", id="over 1"),
    ],
)
def test_wrong_words_are_told(runs, tmp_path, capsys, words, code, said):
    assert relinked(runs[0], tmp_path / "out", *words) == code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_is_read_is_not_written_over(runs, tmp_path, capsys):
    plain, *_ = runs
    assert relinked(plain, plain) != EXIT_OK
    assert "is the input itself" in capsys.readouterr().err
    assert relinked(plain, tmp_path, "--mot", plain / "o.jsonl") == EXIT_USAGE
    assert "one name" in capsys.readouterr().err


def test_text_that_is_no_run_is_told_and_leaves_nothing(runs, tmp_path, capsys):
    (tmp_path / "bad.txt").write_text("hello\n")
    assert relinked(runs[0], tmp_path / "out", "--mot", tmp_path / "bad.txt") == EXIT_INPUT
    assert "line 1: it is not what a run writes" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []
