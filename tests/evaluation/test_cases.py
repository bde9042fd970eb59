"""From paths to sequences: layouts, lengths, parts, and what is missing."""

from __future__ import annotations

import pytest

from helpers.mot_tables import mot_text, walkers
from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.evaluation.cases import Part, Request, load, parse_part

FRAMES = 100


@pytest.fixture
def place(tmp_path):
    """A directory of two annotated sequences, `truth`, and one of their results, `result`."""
    for name in ("one", "two"):
        write_truth(tmp_path / "truth" / name)
        write(tmp_path / "result" / f"{name}.txt", mot_text(walkers(FRAMES, (1, 2))))
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_truth(directory, frames=FRAMES, length=FRAMES, rows="1,1,1"):
    write(directory / "gt" / "gt.txt", mot_text(walkers(frames, (1, 2)), rows))
    if length:
        ini = f"[Sequence]\nframeRate=30\nseqLength={length}\nimWidth=640\nimHeight=480\n"
        write(directory / "seqinfo.ini", ini)


def loaded(place, truth="truth", result="result", **options):
    return load(Request(place / truth, place / result, **options))


def refused(place, **options):
    with pytest.raises(InputError) as caught:
        loaded(place, **options)
    assert caught.value.fix
    return str(caught.value)


@pytest.mark.parametrize(
    ("truth", "result", "names"),
    [
        ("truth", "result", ["one", "two"]),
        ("truth/one", "result/one.txt", ["one"]),
        ("truth/one/gt/gt.txt", "result/two.txt", ["one"]),
        ("truth", "result/two.txt", ["two"]),
        ("plain.txt", "result/two.txt", ["plain"]),
    ],
)
def test_directories_and_files_find_each_other(place, truth, result, names):
    write(place / "plain.txt", mot_text(walkers(FRAMES, (1, 2))))
    found = loaded(place, truth, result)
    assert [case.name for case in found.cases] == names
    assert {case.frames for case in found.cases} == {FRAMES}
    assert not found.silent + found.left_out + found.extra


def test_the_length_is_that_of_seqinfo_and_else_of_the_ground_truth(place):
    write_truth(place / "truth/one", frames=90)
    assert loaded(place).cases[0].frames == FRAMES
    (place / "truth/one/seqinfo.ini").unlink()
    text = refused(place)
    assert "one.txt' line 181: frame 91 lies beyond the last one, 90 (the last of" in text


def test_boxes_after_the_end_are_refused_on_both_sides(place):
    write_truth(place / "truth/one", length=99)
    assert "gt.txt' line 199: frame 100 lies beyond the last one, 99 (seqLength" in refused(place)
    write_truth(place / "truth/one", frames=99, length=99)
    assert "one.txt' line 199: frame 100 lies beyond the last one, 99" in refused(place)


def test_a_ground_truth_is_no_result_of_itself(place):
    """`demo` writes both into one directory, where scoring the truth would give 100."""
    boxes = mot_text(walkers(FRAMES, (1, 2)))
    write(place / "both/gt.txt", boxes)
    write(place / "both/tracked.txt", boxes)
    text = refused(place, truth="both/gt.txt", result="both")
    assert "both' has no result for gt." in text
    assert f"--pred {place / 'both/tracked.txt'}" in text


def test_many_missing_results_are_counted(place):
    for number in range(6):
        write_truth(place / f"truth/more-{number}")
    assert "no result for more-0, more-1, more-2, more-3, more-4 and 1 more." in refused(place)


def test_a_sequence_without_a_result_is_refused_or_named(place):
    (place / "result/two.txt").unlink()
    text = refused(place)
    assert "has no result for two." in text
    assert "--allow-missing" in text
    found = loaded(place, allow_missing=True)
    assert ([case.name for case in found.cases], found.left_out) == (["one"], ["two"])
    (place / "result/one.txt").unlink()
    assert "has no result for one, two." in refused(place, allow_missing=True)


def test_results_one_directory_deeper_are_offered(place):
    write(place / "runs/data/one.txt", "")
    assert f"--pred {place / 'runs/data'}" in refused(place, result="runs")


def test_results_without_a_ground_truth_are_named(place):
    write(place / "result/three.txt", "hello")
    assert loaded(place).extra == ["three"]


def test_what_is_not_there_is_said(place):
    assert "does not exist" in refused(place, truth="gone")
    assert "does not exist" in refused(place, result="gone")
    assert "holds no ground truth" in refused(place, truth="result")
    write(place / "result/x.txt", "")
    assert "there are 2 ground truths" in refused(place, result="result/x.txt")
    write(place / "truth/one/gt/gt.txt", "# nobody\n")
    assert "gt.txt' holds no boxes" in refused(place)


def test_a_part_in_the_numbers_of_the_sequence(place):
    found = loaded(place, frames="41:60")
    case, part = found.cases[0], found.parts["one"]
    assert (case.frames, part.first, part.last) == (20, 41, 60)
    assert case.truth.frame_index.tolist() == case.result.frame_index.tolist()
    assert case.truth.xyxy[0].tolist() == case.result.xyxy[0].tolist() == [400, 0, 450, 100]


def test_a_part_that_counts_from_one(place):
    rows = [(frame - 51, *rest) for frame, *rest in walkers(FRAMES, (1, 2), start=51)]
    for name in ("one", "two"):
        write(place / f"result/{name}.txt", mot_text(rows))
    case = loaded(place, frames="second-half", renumbered=True).cases[0]
    assert case.frames == 49
    assert case.truth.xyxy.tolist() == case.result.xyxy.tolist()
    text = refused(place, frames="53:", renumbered=True)
    assert "line 97: frame 49 lies beyond the last one, 48 (frames 53 to 100 of one)" in text


def test_the_rule_may_be_given_and_needs_classes(place):
    assert loaded(place).cases[0].rule == "none"
    assert loaded(place, rule="mot17").cases[0].rule == "mot17"
    write_truth(place / "truth/one", rows="1,14,1")
    assert "has boxes without one of the 13 classes" in refused(place, rule="mot17")
    assert loaded(place).cases[0].rule == "none"


def test_a_ground_truth_with_marked_distractors_is_preprocessed(place):
    text = mot_text(walkers(FRAMES, (1, 2)), "1,1,1") + mot_text(walkers(FRAMES, (9,)), "0,8,1")
    write(place / "truth/one/gt/gt.txt", text)
    assert [case.rule for case in loaded(place).cases] == ["mot17", "none"]
    write(place / "result/one.txt", mot_text(walkers(FRAMES, (1, 2)), "1,3,-1,-1"))
    assert "has boxes of class 3, but --preprocess mot17" in refused(place)
    assert loaded(place, rule="none").cases


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        (0, 100, ""),
        (5, 95, ""),
        (6, 100, "covers only frames 7 to 100 of 1 to 100: 6 % of the true boxes"),
        (0, 94, "covers only frames 1 to 94 of 1 to 100: 6 % of the true boxes"),
        (0, 50, "covers only frames 1 to 50 of 1 to 100: 50 % of the true boxes"),
        (0, 0, "the result of one is empty"),
    ],
)
def test_a_result_that_covers_less_is_reported(place, first, last, says):
    write(place / "result/one.txt", mot_text(walkers(last, (1, 2), start=first)))
    silent = loaded(place).silent
    assert len(silent) == bool(says)
    assert all(says in sentence for sentence in silent)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"rule": "kitti"}, "--preprocess cannot be 'kitti'"),
        ({"min_visibility": 1.5}, "--min-visibility must be"),
        ({"min_visibility": float("nan")}, "--min-visibility must be"),
        ({"renumbered": True}, "--renumbered needs"),
        ({"frames": "half"}, "--frames cannot be"),
    ],
)
def test_flags_that_make_no_sense(place, options, says):
    with pytest.raises(UsageError, match=says):
        loaded(place, **options)


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("", 1, 9),
        ("3:5", 3, 5),
        (":4", 1, 4),
        ("4:", 4, 9),
        (":", 1, 9),
        ("9:9", 9, 9),
        ("first-half", 1, 5),
        ("second-half", 6, 9),
    ],
)
def test_words_become_frames(words, first, last):
    part = parse_part(words, 9, "walk")
    assert part == Part(first, last)
    assert len(part) == last - first + 1


@pytest.mark.parametrize("frames", [3, 600, 837])
def test_two_halves_are_the_whole(frames):
    first, second = (parse_part(f"{word}-half", frames, "x") for word in ("first", "second"))
    assert first.last + 1 == second.first == frames // 2 + 2
    assert len(first) + len(second) == frames


@pytest.mark.parametrize("words", ["5:3", "0:4", "1:10", "10:"])
def test_frames_that_are_not_there(words):
    with pytest.raises(InputError, match="'walk' has frames 1 to 9"):
        parse_part(words, 9, "walk")


@pytest.mark.parametrize("words", ["3-5", "half", "a:b", "-1:4", "1:2:3", "1:99999999999"])
def test_words_that_mean_nothing(words):
    with pytest.raises(UsageError, match="--frames cannot be"):
        parse_part(words, 9, "walk")
