"""Small tables of identities, made by hand."""

from __future__ import annotations

import numpy as np

from mot_dinov3.io.formats.mot import MotTable

ANNOTATED = {"score": 1.0, "class_id": -1, "visibility": 1.0}


def table(rows, **columns):
    """A table from (0-based frame, identity, left, top) rows; boxes are 50 x 100 pixels.

    A column is a number for all rows, or one number per row.
    """
    n = len(rows)
    frame, track, left, top = np.array(rows, np.float64).reshape(-1, 4).T
    values = {**ANNOTATED, **columns}
    return MotTable(
        frame.astype(np.int64),
        track.astype(np.int64),
        np.stack((left, top, left + 50, top + 100), axis=1).astype(np.float32),
        np.broadcast_to(np.float32(values["score"]), n).copy(),
        np.broadcast_to(np.int64(values["class_id"]), n).copy(),
        np.broadcast_to(np.float32(values["visibility"]), n).copy(),
    )


def walkers(frames, identities, dx=0.0, start=0):
    """(frame, identity, left, top) rows of people walking side by side, one lane each."""
    return [
        (frame, identity, 10 * frame + dx, 200 * lane)
        for frame in range(start, frames)
        for lane, identity in enumerate(identities)
    ]


def mot_text(rows, tail="1,-1,-1,-1"):
    """The same rows as lines of MOT text."""
    return "".join(
        f"{frame + 1},{identity},{left},{top},50,100,{tail}\n"
        for frame, identity, left, top in rows
    )
