"""Every embedding that was computed for a track, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.io.formats.embeddings import describe_mark, rename_embeddings
from mot_dinov3.io.write.columns import ColumnFile
from mot_dinov3.outputs.sinks.base import FileSink, SinkRun
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import EmbedderMark, Frame, FrameResult, Tracks, follow_ids


class EmbeddingsSink(FileSink):
    """One row per embedding that was computed and belongs to a track; reused ones are left out.

    The rows of a tentative track wait until it is confirmed, and have the id that it is given; one
    that ends unconfirmed keeps its negative id. A run that was killed leaves its rows under the
    partial name, with the same names.
    """

    needs_embeddings = True
    rename = staticmethod(rename_embeddings)

    def __init__(
        self,
        path: str,
        names: Mapping[int, str],
        timer: StageTimer,
        mark: EmbedderMark | None = None,
    ) -> None:
        """Wire the sink to its file.

        Args:
            path: the file.
            names: class id -> name.
            timer: where "write" is booked.
            mark: of the embedder, None where it is not known.
        """
        self._mark = mark
        self._file = ColumnFile(path, build_row_type(0))
        self._names = names
        self._classes: set[int] = set()
        self._waiting: dict[int, list[NDArray[np.void]]] = {}
        super().__init__(path, self._file, timer)

    @classmethod
    def create(cls, path: str, run: SinkRun) -> Self:
        """A sink that will write to `path`."""
        return cls(path, run.names, run.timer, run.mark)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Add this frame's embeddings.

        Raises:
            OutputError: the file cannot be written.
        """
        with self.timer("write"):
            self._write_settled(result.tracks)
            rows = select_rows(result)
            tentative = rows["id"] < 0
            for row in rows[tentative]:
                self._waiting.setdefault(int(row["id"]), []).append(row)
            self._append(rows[~tentative])

    def _write_settled(self, tracks: Tracks) -> None:
        """Write the rows of the tracks that are not tentative any more."""
        follow_ids(self._waiting, tracks)
        tentative = set(tracks.id[tracks.id < 0].tolist())
        for track_id in [known for known in self._waiting if known not in tentative]:
            rows = np.stack(self._waiting.pop(track_id))
            rows["id"] = track_id
            self._append(rows)

    def _append(self, rows: NDArray[np.void]) -> None:
        if len(rows):
            self._classes.update(rows["class_id"].tolist())
            self._file.append(rows)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._write_settled(Tracks.empty())
        known = sorted(self._classes)
        self._file.more["names_id"] = np.array(known, np.int64)
        self._file.more["names"] = np.array([self._names.get(k, "") for k in known], np.str_)
        self._file.more |= describe_mark(self._mark)
        super().__exit__(kind, error, trace)


def build_row_type(width: int) -> np.dtype[np.void]:
    """The type of a row of the file, with a unit vector of `width` numbers.

    `frame` is 0-based, `xyxy` in pixels, `state` a `TrackState`, `memorable` whether the crop
    shows enough for a gallery to remember it.
    """
    return np.dtype(
        [
            ("id", "<i8"),
            ("frame", "<i8"),
            ("time_s", "<f8"),
            ("class_id", "<i8"),
            ("state", "i1"),
            ("score", "<f4"),
            ("xyxy", "<f4", (4,)),
            ("memorable", "?"),
            ("vectors", "<f4", (width,)),
        ]
    )


def select_rows(result: FrameResult) -> NDArray[np.void]:
    """(M,) rows of `build_row_type`, one per track with an embedding computed in this frame."""
    embeddings, tracks = result.embeddings, result.tracks
    if embeddings is None:
        return np.empty(0, build_row_type(0))
    seen = tracks[tracks.detection >= 0]
    owners = seen[embeddings.fresh[seen.detection]]
    rows = np.empty(len(owners), build_row_type(embeddings.vectors.shape[1]))
    rows["frame"], rows["time_s"] = result.frame_index, result.time_s
    for name in ("id", "class_id", "state", "score", "xyxy"):
        rows[name] = getattr(owners, name)
    rows["memorable"] = embeddings.memorable[owners.detection]
    rows["vectors"] = embeddings.vectors[owners.detection]
    return rows
