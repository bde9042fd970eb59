"""One JSON object per frame and line, written as the run goes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self

import numpy as np

from mot_dinov3.io.write.atomic import AtomicTextFile
from mot_dinov3.outputs.appearance import AppearanceHistory
from mot_dinov3.outputs.sinks.base import FileSink, SinkRun
from mot_dinov3.outputs.sinks.renaming import (
    NewIds,
    NewOf,
    choose_rows,
    create_renamer,
    format_json,
)
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Appearance, FloatArray, Frame, FrameResult, Tracks, TrackState

MS_DIGITS, TIME_DIGITS, FPS_DIGITS, COSINE_DIGITS = 3, 6, 1, 4


def rename_frame_line(lines: Sequence[str], new_of: NewOf) -> Iterator[str]:
    """A line of `--save-jsonl`."""
    record: dict[str, Any] = json.loads(lines[0])
    tracks = record["tracks"]
    known = [(track["id"], track["detection"] is not None) for track in tracks]
    chosen = choose_rows(known, new_of)
    record["tracks"] = [tracks[row] | {"id": number} for row, number in chosen.items()]
    if isinstance(new_of, NewIds):
        for track in record["tracks"]:
            track.pop("name", None)
            track |= {"name": new_of.names[track["id"]]} if track["id"] in new_of.names else {}
    for look in record.get("looks", ()):
        look["id"] = new_of.get(look["id"], look["id"])
        renamed = [[new_of.get(other, other), value] for other, value in look["resembles"]]
        look["resembles"] = [pair for pair in renamed if pair[0] != look["id"]]
    yield format_json(record)


class JsonLinesSink(FileSink):
    """Everything known of each frame, flushed line by line.

    A run that was killed leaves whole lines under the partial name, which
    `io/formats/frame_log.py` reads.
    """

    rename = staticmethod(create_renamer(rename_frame_line))

    def __init__(
        self, path: str, names: Mapping[int, str], timer: StageTimer, *, untracked: bool = False
    ) -> None:
        """Wire the sink to its file.

        Args:
            path: the file.
            names: class id -> name.
            timer: where "write" is booked.
            untracked: also write where the detections without a track are, as a picture that is
                drawn from the frame log needs them with `--blur`.
        """
        self._file = AtomicTextFile(path, flush_lines=True)
        self._names, self._untracked = names, untracked
        self._appearance = AppearanceHistory()
        super().__init__(path, self._file, timer)

    @classmethod
    def create(cls, path: str, run: SinkRun) -> Self:
        """A sink that will write to `path`."""
        return cls(path, run.names, run.timer, untracked=run.config.draw.blurs)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Add one line: the keys of `describe_frame`, and some that are known only here.

        `stage_ms` holds what was booked for this frame until now, `latency_ms` the time since its
        reading began, `size` the width and height of the picture, `fps` the speed that the video
        shows, `looks` what the embeddings of this frame say of the appearance of their tracks.

        Raises:
            OutputError: the file cannot be written.
        """
        with self.timer("write"):
            stage_ms = {**result.stage_ms, **self.timer.stage_ms}
            record = describe_frame(result, self._names, stage_ms)
            record["latency_ms"] = to_number(self.timer.latency_ms, MS_DIGITS)
            record["size"] = [frame.width, frame.height]
            record["fps"] = to_number(self.timer.fps, FPS_DIGITS)
            compared = self._appearance.update(result)
            record["looks"] = [describe_appearance(one) for one in compared]
            if self._untracked:
                record["untracked"] = list_untracked(result)
            self._file.write_line(format_json(record))


def describe_frame(
    result: FrameResult, names: Mapping[int, str], stage_ms: Mapping[str, float]
) -> dict[str, Any]:
    """One frame as plain values: no NaN (None instead), times rounded, names stable.

    Keys: `frame` (0-based), `time_s`, `detections` (how many), `tracks`, `embed`, `stage_ms`.
    """
    embed = asdict(result.embed)
    return {
        "frame": result.frame_index,
        "time_s": to_number(result.time_s, TIME_DIGITS),
        "detections": len(result.detections),
        "tracks": [
            describe_track(result.tracks, row, names) | _name(result.tracks, row, result.known)
            for row in range(len(result.tracks))
        ],
        "embed": {
            "computed": result.embed.computed,
            **{k: to_number(v, MS_DIGITS) if isinstance(v, float) else v for k, v in embed.items()},
        },
        "stage_ms": {name: to_number(ms, MS_DIGITS) for name, ms in stage_ms.items()},
    }


def describe_track(tracks: Tracks, row: int, names: Mapping[int, str]) -> dict[str, Any]:
    """One track as plain values; `detection` is None while it coasts.

    `provisional` is there in the frame that confirms it: the negative id that it had before.
    """
    class_id, detection = int(tracks.class_id[row]), int(tracks.detection[row])
    provisional = int(tracks.provisional[row])
    return {
        "id": int(tracks.id[row]),
        "xyxy": to_exact(tracks.xyxy[row]),
        "score": to_exact(tracks.score[row : row + 1])[0],
        "class_id": class_id,
        "class": names.get(class_id),
        "state": TrackState(int(tracks.state[row])).name.lower(),
        "fresh": bool(tracks.fresh[row]),
        "detection": detection if detection >= 0 else None,
        **({"provisional": provisional} if provisional else {}),
    }


def _name(tracks: Tracks, row: int, known: Mapping[int, str]) -> dict[str, str]:
    name = known.get(int(tracks.id[row]))
    return {} if name is None else {"name": name}


def list_untracked(result: FrameResult) -> list[dict[str, Any]]:
    """The detections that no track took as plain values: `xyxy`, `class_id`."""
    found, taken = result.detections, result.tracks.detection
    left = np.setdiff1d(np.arange(len(found)), taken)
    return [
        {"xyxy": to_exact(found.xyxy[row]), "class_id": int(found.class_id[row])}
        for row in left.tolist()
    ]


def describe_appearance(one: Appearance) -> dict[str, Any]:
    """One embedding: `id`, `similarity` (None for a first one), `resembles` (pairs)."""
    return {
        "id": one.track_id,
        "similarity": to_number(one.similarity, COSINE_DIGITS),
        "resembles": [[other, to_number(value, COSINE_DIGITS)] for other, value in one.resembles],
    }


def to_number(value: float, digits: int) -> float | None:
    """A rounded number that JSON can hold, None for NaN and infinity."""
    return round(value, digits) if math.isfinite(value) else None


def to_exact(values: FloatArray) -> list[float | None]:
    """The shortest decimals that become the same (N,) float32 again; None for NaN and infinity.

    So what is drawn or written from a frame log later is the same as what the run wrote.
    """
    decimals = values.astype(np.str_).astype(np.float64).tolist()
    return [value if math.isfinite(value) else None for value in decimals]
