"""The reader of MOT text, for any text."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import strategies as st

from mot_dinov3.errors import InputError, MotError
from mot_dinov3.io.formats.mot import MOST_NUMBER, MotWriter, read_mot
from mot_dinov3.lab.selftest.properties.base import holds_for
from mot_dinov3.values import CONFIRMED, Tracks

words = st.sampled_from(
    [
        "1",
        "2",
        "-1",
        "0",
        "0.5",
        "1.0",
        "1e3",
        "1e400",
        "nan",
        "inf",
        "-0",
        "",
        " ",
        "x",
        "1_0",
        "0x1",
        "999999999",
        "1e9",
        "1e10",
        "\u0663",
        "+5",
        "1,",
        "#",
        "true",
        "9" * 400,
    ]
) | st.floats(-2000, 2000).map(str)
separators = st.sampled_from([",", ", ", " ", "\t", ";", ",,", "\u00a0"])
lines = st.tuples(st.lists(words, max_size=11), separators).map(lambda line: line[1].join(line[0]))
good_lines = st.tuples(
    st.integers(1, 40),
    st.integers(-1, 9),
    st.floats(-9, 99),
    st.floats(-9, 99),
    st.floats(0, 99),
    st.floats(0, 99),
    st.floats(0, 1),
).map(lambda row: ",".join(map(str, row)))
endings = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\n#\n", "\x0b", "\x0c", "\x1c", "\x85"])
texts = st.lists(st.tuples(lines | good_lines, endings), max_size=6).map(
    lambda parts: "".join(map("".join, parts)).encode("utf-8", "surrogatepass")
)

pixels = st.floats(-2000, 4000, width=32)
sizes = st.floats(0.5, 2000, width=32)
tables = st.lists(
    st.tuples(
        st.integers(0, 500),
        st.integers(1, 10**6),
        pixels,
        pixels,
        sizes,
        sizes,
        st.floats(0, 1, width=32),
    ),
    max_size=12,
).map(sorted)


@holds_for(texts | st.binary(max_size=60))
def any_text_is_read_or_refused(data: bytes) -> None:
    """Whatever a file holds, it becomes a table of numbers or a sentence that names the file."""
    with TemporaryDirectory(prefix="mot-selftest-") as place:
        path = Path(place) / "in.txt"
        path.write_bytes(data)
        try:
            table = read_mot(path)
        except InputError as error:
            expect_words(error, path)
            return
    assert np.isfinite(table.xyxy).all()
    assert np.isfinite(table.score).all()
    assert (table.frame_index >= 0).all()
    assert (np.abs(table.track_id) <= MOST_NUMBER).all()
    assert (np.diff(table.frame_index) >= 0).all()
    assert (table.xyxy[:, 2:] >= table.xyxy[:, :2]).all()


def expect_words(error: MotError, path: Path) -> None:
    """A refusal names the file and says what to do."""
    assert str(path) in error.what
    assert error.fix


@holds_for(tables)
def what_is_written_is_read_back(rows: list[tuple[float, ...]]) -> None:
    """Results come back with their frames, identities, boxes and scores."""
    with TemporaryDirectory(prefix="mot-selftest-") as place:
        path = Path(place) / "out.txt"
        with MotWriter(path) as writer:
            for row in rows:
                writer.write(int(row[0]), one_track(row))
        table = read_mot(path)
    assert table.frame_index.tolist() == [row[0] for row in rows]
    assert table.track_id.tolist() == [row[1] for row in rows]
    boxes = [one_track(row).xyxy[0] for row in rows]
    np.testing.assert_allclose(table.xyxy, np.reshape(boxes, (-1, 4)), atol=0.02)
    np.testing.assert_allclose(table.score, [row[6] for row in rows], atol=1e-4)


def one_track(row: tuple[float, ...]) -> Tracks:
    """A confirmed track that is seen, from (frame, id, left, top, width, height, score)."""
    _, track_id, left, top, width, height, score = row
    return Tracks(
        id=np.array([track_id], np.int64),
        xyxy=np.array([[left, top, left + width, top + height]], np.float32),
        score=np.array([score], np.float32),
        class_id=np.zeros(1, np.int64),
        state=np.array([CONFIRMED], np.int8),
        fresh=np.zeros(1, np.bool_),
        detection=np.zeros(1, np.int64),
    )
