"""From names to runs: what belongs together, what is missing, what is none."""

from __future__ import annotations

import json

import pytest

from helpers.reports import figures, walk, write_figures, write_journal
from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.outputs.report.finding import find_runs, join_runs, load_run, read_facts


@pytest.fixture
def run(tmp_path):
    """A journal and its figures, which name it."""
    journal = write_journal(tmp_path / "walk.jsonl", walk(6))
    stats = write_figures(tmp_path / "numbers.json", frames=6,
                          config={"save_jsonl": "elsewhere/walk.jsonl"})  # fmt: skip
    return journal, stats


def names(files):
    return [tuple(path.name if path else None for path in (f.frame_log, f.stats)) for f in files]


def test_each_of_both_files_finds_the_other(run):
    journal, stats = run
    whole = [("walk.jsonl", "numbers.json")]
    assert names(find_runs([journal])) == names(find_runs([stats])) == whole
    assert names(find_runs([journal, stats])) == names(find_runs([stats, journal])) == whole
    assert names(find_runs([journal.parent])) == whole


def test_files_of_one_name_belong_together(tmp_path):
    write_journal(tmp_path / "a.jsonl", walk(3))
    write_figures(tmp_path / "a.json", config={})
    assert names(find_runs([tmp_path / "a.jsonl"])) == [("a.jsonl", "a.json")]


def test_figures_that_name_another_journal_do_not_belong(tmp_path):
    write_journal(tmp_path / "a.jsonl", walk(3))
    write_figures(tmp_path / "a.json", config={"save_jsonl": "b.jsonl"})
    assert names(find_runs([tmp_path / "a.jsonl"])) == [("a.jsonl", None)]


def test_a_partial_journal_finds_the_figures_of_its_name(tmp_path):
    write_journal(tmp_path / "a.partial.jsonl", walk(3))
    write_figures(tmp_path / "a.json", config={})
    assert names(find_runs([tmp_path / "a.partial.jsonl"])) == [("a.partial.jsonl", "a.json")]


def test_names_tell_nothing_contents_do(tmp_path):
    write_journal(tmp_path / "frames.txt", walk(3))
    write_figures(tmp_path / "figures.log")
    assert names(find_runs([tmp_path / "frames.txt"])) == [("frames.txt", None)]
    assert names(find_runs([tmp_path / "figures.log"])) == [(None, "figures.log")]


def test_files_that_count_the_same_frames_are_one_run_if_they_are_all(tmp_path):
    journal = write_journal(tmp_path / "a.jsonl", walk(6))
    stats = write_figures(tmp_path / "b.json", frames=6, config={"save_jsonl": "gone.jsonl"})
    files = find_runs([stats, journal])
    ((files, whole),) = join_runs([(one, load_run(one)) for one in files])
    assert (len(whole.frames), whole.facts.frames, whole.name) == (6, 6, "walk.mp4")
    assert files.stats == stats
    other = write_figures(tmp_path / "b.json", frames=7, config={"save_jsonl": "gone.jsonl"})
    assert len(join_runs([(one, load_run(one)) for one in find_runs([journal, other])])) == 2


def test_a_directory_of_several_runs_lists_them(tmp_path):
    for name in "ab":
        write_journal(tmp_path / f"{name}.jsonl", walk(3))
    with pytest.raises(UsageError, match="holds 2 runs") as problem:
        find_runs([tmp_path])
    assert "a.jsonl" in problem.value.fix
    assert "b.jsonl" in problem.value.fix


def test_other_files_of_a_directory_are_passed_over(run):
    directory = run[0].parent
    (directory / "trace.jsonl").write_text('{"frame": 0, "row": 0, "kind": "critical"}\n')
    (directory / "gt.json").write_text("[1, 2]")
    (directory / "broken.json").write_text("{")
    assert names(find_runs([directory])) == [("walk.jsonl", "numbers.json")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "neither"),
        (b"{}", "neither"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0a\n", "pointer of git-lfs"),
        (b"[1, 2]", "neither"),
        (b"\xff\xfe\x00", "neither"),
        (b'{"frame": 0, "row": 1}\n', "neither"),
        (b'{"frames": NaN, "embeddings": {}}', "neither"),
        (b"[" * 100_000, "neither"),
    ],
)
def test_what_is_no_record_of_a_run_is_refused(tmp_path, content, says):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InputError, match=says) as problem:
        find_runs([tmp_path / "x.json"])
    assert problem.value.fix


def test_a_missing_file_names_the_nearest(run):
    with pytest.raises(InputError, match="does not exist") as problem:
        find_runs([run[0].with_name("wakl.jsonl")])
    assert "walk.jsonl" in problem.value.fix


def test_an_empty_directory_says_how_to_make_a_run(tmp_path):
    with pytest.raises(InputError, match="holds no record") as problem:
        find_runs([tmp_path])
    assert "--save-jsonl" in problem.value.fix


def test_half_a_last_line_is_left_out_and_said(tmp_path):
    journal = write_journal(tmp_path / "a.jsonl", walk(6))
    text = journal.read_text()
    journal.write_text(text[: len(text) - 40])
    run = load_run(find_runs([journal])[0])
    assert (len(run.frames), run.cut) == (5, True)


def test_figures_of_any_shape_are_read_as_figures(tmp_path):
    odd = figures(config=["no", "mapping"], stages=7, tracks=None, faults="many", source="x",
                  latency_ms=[], budget="none", device=3, versions=[], frame_size=1)  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(odd))
    assert read_facts(tmp_path / "a.json").stages is None
