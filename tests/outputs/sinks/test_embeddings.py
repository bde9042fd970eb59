"""Embeddings as arrays: those that were computed, with whom they belong to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.results import Seen, frame_at, result_at
from mot_dinov3.io.formats.embeddings import read_mark, rename_embeddings
from mot_dinov3.outputs.sinks.embeddings import EmbeddingsSink, select_rows
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import EmbedderMark, Embeddings, TrackState

LOST = Seen(9, fresh=False, seen=False, state=TrackState.LOST)
REUSED = Seen(2, fresh=False, vector=(0, 0, 1))
OLD = Seen(7, (1, 2, 3.25, 4), 0.5, 5, vector=(0, 1, 0))


def written(path, *results):
    with EmbeddingsSink(str(path), {0: "person", 5: "人"}, StageTimer()) as sink:
        for result in results:
            sink.write(frame_at(result.frame_index), result)
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def test_a_row_is_an_embedding_of_a_track(tmp_path):
    columns = written(tmp_path / "a.npz", result_at(3, LOST, REUSED, OLD), result_at(5))
    assert {name: column.tolist() for name, column in columns.items()} == {
        "id": [7, 1],
        "frame": [3, 5],
        "time_s": [0.12, 0.2],
        "class_id": [5, 0],
        "state": [1, 1],
        "score": [0.5, 0.75],
        "xyxy": [[1, 2, 3.25, 4], [10, 20, 30, 40]],
        "memorable": [True, True],
        "vectors": [[0, 1, 0], [1, 0, 0]],
        "names_id": [0, 5],
        "names": ["person", "人"],
    }
    assert columns["vectors"].dtype == np.float32


def test_the_first_embedding_of_a_track_has_the_id_that_it_is_given_later(tmp_path):
    tentative = TrackState.TENTATIVE
    columns = written(
        tmp_path / "a.npz",
        result_at(0, Seen(1), Seen(-2, state=tentative), Seen(-3, state=tentative)),
        result_at(1, Seen(1), Seen(2, was=-2)),
        result_at(2, Seen(2, fresh=False), Seen(-4, state=tentative)),
    )
    rows = zip(columns["id"].tolist(), columns["frame"].tolist(), strict=True)
    assert list(rows) == [(1, 0), (-3, 0), (2, 0), (1, 1), (2, 1), (-4, 2)]
    assert columns["state"].tolist() == [1, 0, 0, 1, 1, 0]


def test_embeddings_of_nobody_are_left_out():
    result = result_at(0, Seen(1), Seen(2, vector=(0, 1, 0)))
    alone = replace(result, tracks=result.tracks[np.array([1])])
    rows = select_rows(alone)
    assert rows["id"].tolist() == [2]
    assert rows["vectors"].tolist() == [[0, 1, 0]]


def test_a_system_without_embeddings_leaves_empty_columns(tmp_path):
    nothing = replace(result_at(0), embeddings=None)
    blind = replace(result_at(1), embeddings=Embeddings.none(1))
    columns = written(tmp_path / "a.npz", nothing, blind)
    assert columns["vectors"].shape == (0, 0)
    assert columns["names"].tolist() == []


def test_rows_are_readable_while_the_run_goes_on(tmp_path):
    with EmbeddingsSink(str(tmp_path / "a.npz"), {}, StageTimer()) as sink:
        for index in range(3):
            sink.write(frame_at(index), result_at(index))
            assert len(np.load(tmp_path / "a.partial.npz")["vectors"]) == index + 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def write_then_fail(path):
    with EmbeddingsSink(str(path), {0: "person"}, StageTimer()) as sink:
        sink.write(frame_at(0), result_at(0))
        raise RuntimeError("elsewhere")


def test_a_run_that_breaks_off_keeps_its_rows(tmp_path):
    with pytest.raises(RuntimeError, match="elsewhere"):
        write_then_fail(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        assert archive["names"].tolist() == ["person"]


def test_the_file_says_which_embedder_made_its_vectors(tmp_path):
    path, mark = tmp_path / "a.npz", EmbedderMark("osnet", "61b2", 0.7)
    with EmbeddingsSink(str(path), {}, StageTimer(), mark) as sink:
        sink.write(frame_at(3), result_at(3, OLD))
    assert read_mark(path) == mark
    rename_embeddings(path, tmp_path / "b.npz", {7: 1})
    assert read_mark(tmp_path / "b.npz") == mark
