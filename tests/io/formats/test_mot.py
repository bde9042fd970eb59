"""MOT text: what is read, what is refused and where, and what comes back after writing."""

from __future__ import annotations

import gzip
import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.places import ASSETS
from mot_dinov3.errors import EXIT_INPUT, InputError
from mot_dinov3.io.formats.mot import MotTable, MotWriter, read_mot, write_ground_truth
from mot_dinov3.values import Tracks, TrackState

MARKED = ("utf-8", "utf-16-le", "utf-16-be")

numbers = st.floats(-2000, 4000, allow_nan=False, width=32)
sizes = st.floats(0.5, 2000, allow_nan=False, width=32)
rows = st.tuples(
    st.integers(0, 500), st.integers(1, 10**6), numbers, numbers, sizes, sizes,
    st.floats(0, 1, width=32), st.integers(1, 13),
)  # fmt: skip


def write(path, text):
    path.write_text(text)
    return path


def tracks_of(table):
    left, top, width, height = (
        np.array([row[i] for row in table], np.float32) for i in range(2, 6)
    )
    n = len(table)
    return Tracks(
        id=np.array([row[1] for row in table], np.int64),
        xyxy=np.stack((left, top, left + width, top + height), axis=1),
        score=np.array([row[6] for row in table], np.float32),
        class_id=np.zeros(n, np.int64),
        state=np.full(n, TrackState.CONFIRMED, np.int8),
        fresh=np.zeros(n, np.bool_),
        detection=np.arange(n),
    )


def test_what_was_searched_is_written_only_on_demand(tmp_path):
    rows = [(0, n, 10 * n, 0, 5, 5, 0.5, 1) for n in range(1, 6)]
    state = np.array([TrackState.CONFIRMED, TrackState.SEARCHED, TrackState.LOST,
                      TrackState.TENTATIVE, TrackState.CONFIRMED], np.int8)  # fmt: skip
    detection = np.array([0, -1, -1, 1, -1])
    tracks = replace(tracks_of(rows), state=state, detection=detection)
    for searched, ids in ((False, [1]), (True, [1, 2])):
        path = tmp_path / f"{searched}.txt"
        with MotWriter(path) as writer:
            writer.write(0, tracks, searched=searched)
        assert read_mot(path).track_id.tolist() == ids


def test_frames_count_from_one_in_the_file_and_from_zero_outside(tmp_path):
    table = read_mot(
        write(tmp_path / "a.txt", "2,7,10,20,30,40,0.5,-1,-1,-1\n1,8,0,0,5,6,1\n"[:29])
    )
    assert table.frame_index.tolist() == [1]
    assert table.xyxy.tolist() == [[10, 20, 40, 60]]
    assert table.track_id.tolist() == [7]
    assert table.score.tolist() == [0.5]


def test_rows_are_sorted_by_frame_and_keep_their_order_within_one(tmp_path):
    text = "3,1,0,0,1,1,1\n1,2,0,0,1,1,1\n3,3,0,0,1,1,1\n1,4,0,0,1,1,1\n"
    table = read_mot(write(tmp_path / "a.txt", text))
    assert table.track_id.tolist() == [2, 4, 1, 3]
    assert table.track_id[table.rows_of(2)].tolist() == [1, 3]
    assert table.track_id[table.rows_of(1)].tolist() == []
    assert table.track_id[table.rows_of(-5)].tolist() == []


@pytest.mark.parametrize(
    ("line", "class_id", "visibility"),
    [
        pytest.param("1,1,0,0,9,9,1,3,0.25", 3, 0.25, id="ground truth"),
        pytest.param("1,1,0,0,9,9,1", -1, 1, id="seven columns"),
        pytest.param("1,1,0,0,9,9", -1, 1, id="six columns"),
        pytest.param("1,1,0,0,9,9,1,-1,-1,-1", -1, 1, id="result"),
        pytest.param("1,1,0,0,9,9,1,2,-1,-1", 2, 1, id="result with a class"),
        pytest.param("1,1,0,0,9,9,1,3.5,7.25,0", -1, 1, id="world coordinates"),
        pytest.param("1,1,0,0,9,9,1,3,7.25,0", -1, 1, id="whole world coordinate"),
        pytest.param("1 1 0 0 9 9 1 3 0.25", 3, 0.25, id="blanks"),
        pytest.param("1, 1, 0, 0, 9, 9, 1, 3, -1", 3, 1, id="visibility unknown"),
    ],
)
def test_the_last_columns_mean_what_their_number_says(tmp_path, line, class_id, visibility):
    table = read_mot(write(tmp_path / "a.txt", f"# a comment\n\n{line}\n"))
    assert table.class_id.tolist() == [class_id]
    assert table.visibility.tolist() == [visibility]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("1,2,3,4,5", "5 columns"),
        ("1,2,x,4,5,6,1", "'x' is not a number"),
        ("1,2,nan,4,5,6,1", "not finite"),
        ("0,2,3,4,5,6,1", "frame 0"),
        ("1.5,2,3,4,5,6,1", "frame 1.5"),
        ("1,2,3,4,-5,6,1", "negative"),
        ("1,2.5,3,4,5,6,1", "identity 2.5 must be a whole number"),
        ("1e300,2,3,4,5,6,1", "beyond 1e+09"),
        ("1,1e99,3,4,5,6,1", "beyond 1e+09"),
        ("1,2,-1e30,4,5,6,1", "beyond 1e+09"),
        ("1,2,3,4,5,6,1,1", "8 columns"),
        ("1,2,3,4,5,6,", "'' is not a number"),
        ("1,2,3,4,5,6,1e300", "beyond 1e+09"),
        ("9" * 300 + ",2,3,4,5,6,1", "beyond 1e+09"),
        ("1." + "5" * 300 + ",2,3,4,5,6,1", "frame 1.5"),
    ],
)
def test_a_bad_line_is_named_with_its_number_in_the_file(tmp_path, bad, why):
    path = write(tmp_path / "a.txt", f"# first\n1,1,0,0,9,9,1\n\n{bad}\n1,1,0,0,9,9,1\n")
    with pytest.raises(InputError, match=r"a\.txt' line 4: ") as caught:
        read_mot(path)
    assert why in caught.value.what
    assert caught.value.exit_code == EXIT_INPUT


def test_bytes_that_are_no_text_are_refused_in_words(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match="line 1"):
        read_mot(path)


def test_a_part_counts_its_frames_from_zero_anew(tmp_path):
    text = "".join(f"{frame},{frame},0,0,9,9,1\n" for frame in range(1, 11))
    part = read_mot(write(tmp_path / "a.txt", text)).cut(3, 5)
    assert part.frame_index.tolist() == [0, 1, 2]
    assert part.track_id.tolist() == [4, 5, 6]
    assert part.xyxy.shape == (3, 4)
    assert len(part.cut(7, 9)) == 0


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_mot(tmp_path / "none.txt")


def test_an_empty_file_holds_no_boxes(tmp_path):
    table = read_mot(write(tmp_path / "a.txt", "\n# nothing\n"))
    assert len(table) == 0
    assert table.xyxy.shape == (0, 4)


@pytest.mark.parametrize("separator", [",", " "])
def test_lines_of_blanks_hold_no_boxes(tmp_path, separator):
    rows = [separator.join(f"{frame} 7 0 0 9 9 1".split()) for frame in (1, 2)]
    text = f"  \n{rows[0]}\n\t\n\n{rows[1]}\n \t\n"
    table = read_mot(write(tmp_path / "a.txt", text))
    assert table.frame_index.tolist() == [0, 1]
    assert table.track_id.tolist() == [7, 7]


@given(st.lists(rows, max_size=30))
def test_results_come_back_as_they_were_written(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("mot") / "out.txt"
    table = sorted(table, key=lambda row: row[0])
    with MotWriter(path) as writer:
        for row in table:
            writer.write(row[0], tracks_of([row]))
    back = read_mot(path)
    assert back.frame_index.tolist() == [row[0] for row in table]
    assert back.track_id.tolist() == [row[1] for row in table]
    expected = tracks_of(table) if table else Tracks.empty()
    np.testing.assert_allclose(back.xyxy, expected.xyxy, atol=0.02)
    np.testing.assert_allclose(back.score, expected.score, atol=1e-4)


@given(st.lists(rows, max_size=30))
def test_a_ground_truth_comes_back_with_class_and_visibility(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("mot") / "gt.txt"
    table = sorted(table, key=lambda row: row[0])
    tracks = tracks_of(table) if table else Tracks.empty()
    truth = MotTable(
        frame_index=np.array([row[0] for row in table], np.int64),
        track_id=tracks.id,
        xyxy=tracks.xyxy,
        score=np.ones(len(table), np.float32),
        class_id=np.array([row[7] for row in table], np.int64),
        visibility=tracks.score,
    )
    write_ground_truth(path, truth)
    back = read_mot(path)
    np.testing.assert_allclose(back.xyxy, truth.xyxy, atol=0.02)
    np.testing.assert_allclose(back.visibility, truth.visibility, atol=1e-3)
    for name in ("frame_index", "track_id", "class_id", "score"):
        assert getattr(back, name).tolist() == getattr(truth, name).tolist()


def test_only_confirmed_tracks_that_are_seen_are_written(tmp_path):
    tracks = tracks_of([(0, n, 0, 0, 5, 5, 0.75, 1) for n in (1, 2, 3)])
    tracks.state[1] = TrackState.TENTATIVE
    tracks.detection[2] = -1
    with MotWriter(tmp_path / "out.txt") as writer:
        writer.write(4, tracks)
    text = (tmp_path / "out.txt").read_text()
    assert text == "5,1,0.00,0.00,5.00,5.00,0.7500,-1,-1,-1\n"


@pytest.mark.parametrize(
    ("class_id", "names", "number"),
    [
        (0, {0: "person"}, 1),
        (1, {1: "pedestrian"}, 1),
        (2, {0: "person", 2: "Car"}, 3),
        (3, {3: "motorcycle"}, 5),
        (5, {5: "bus"}, 105),
        (4, {}, 104),
        (12, {12: "reflection"}, 12),
        (42, {42: "class 42"}, 42),
        (2, {2: "class 2"}, 102),
        (0, None, -1),
    ],
)
def test_the_eighth_column_has_the_number_that_motchallenge_gives_to_the_class(
    tmp_path, class_id, names, number
):
    tracks = tracks_of([(0, 1, 0, 0, 5, 5, 0.75, class_id)])
    tracks.class_id[:] = class_id
    with MotWriter(tmp_path / "out.txt", names) as writer:
        writer.write(0, tracks)
    cells = (tmp_path / "out.txt").read_text().strip().split(",")
    assert len(cells) == 10
    assert cells[7:] == [str(number), "-1", "-1"]
    assert read_mot(tmp_path / "out.txt").class_id.tolist() == [number]


def test_every_frame_reaches_the_disk_at_once(tmp_path):
    boxes = [(0, number, 1.0, 2.0, 3.0, 4.0, 0.5, 1) for number in (1, 2)]
    with MotWriter(tmp_path / "o.txt") as writer:
        for frame in range(3):
            writer.write(frame, tracks_of(boxes))
            lines = writer.partial.read_text().splitlines()
            assert [line.split(",")[:2] for line in lines[-2:]] == [
                [str(frame + 1), "1"],
                [str(frame + 1), "2"],
            ]
            assert len(lines) == 2 * (frame + 1)


@pytest.mark.skipif(not ASSETS.is_dir(), reason="the shared test assets are not here")
def test_a_real_ground_truth_has_its_published_figures():
    table = read_mot(ASSETS / "mot17/MOT17-train/MOT17-04-FRCNN/gt/gt.txt")
    counted = (table.class_id == 1) & (table.score > 0)
    assert len(np.unique(table.track_id[counted])) == 83
    assert table.frame_index.max() == 1049


@pytest.mark.parametrize("kind", ["pipe", "device", "large", "long line"])
def test_only_a_file_of_bounded_size_and_lines_is_read(tmp_path, kind):
    path = tmp_path / "a.txt"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "large":
        path.touch()
        os.truncate(path, 1 << 40)
    else:
        path.write_text("1," * 5000)
    with pytest.raises(InputError, match=r"not a regular file|larger than|longer than"):
        read_mot(path)


def test_a_packed_file_is_not_unpacked(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"1,1,0,0,9,9,1\n" * 10))
    with pytest.raises(InputError):
        read_mot(path)


@pytest.mark.parametrize("encoding", MARKED)
def test_a_byte_order_mark_changes_nothing(tmp_path, encoding):
    text = "1,-1,10,20,30,40,0.5\r\n2,-1,10,20,30,40,0.5\r\n"
    (tmp_path / "a.txt").write_bytes(("\ufeff" + text).encode(encoding))
    assert read_mot(tmp_path / "a.txt").frame_index.tolist() == [0, 1]


@pytest.mark.parametrize("encoding", MARKED)
def test_a_bad_line_behind_a_byte_order_mark_is_named(tmp_path, encoding):
    text = "1,-1,10,20,30,40,0.5\n2,-1,ten,20,30,40,0.5\n"
    (tmp_path / "a.txt").write_bytes(("\ufeff" + text).encode(encoding))
    with pytest.raises(InputError, match="line 2: 'ten' is not a number"):
        read_mot(tmp_path / "a.txt")
