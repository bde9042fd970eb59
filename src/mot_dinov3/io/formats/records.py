"""One line of a frame log (`--save-jsonl`) as a value: everything checked, nothing believed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NoReturn

import numpy as np

from mot_dinov3.values import (
    Appearance,
    Detections,
    EmbedCounts,
    FrameResult,
    Tracks,
    TrackState,
)

STATES = {state.name.lower(): int(state) for state in TrackState}
MOST_NUMBER = 10**9
"""Frames, pixels, seconds and milliseconds beyond this are damage, not data."""
MOST_FLOAT = float(np.finfo(np.float32).max)
MOST_ID = 2**63 - 1
MOST_DETECTIONS = 100_000
MOST_NAME = 1000
"""Characters of a class name; longer ones are damage too."""
HALF = re.compile("[\ud800-\udfff]")
"""Halves of characters: JSON can name them, no file can hold them."""


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """What a frame log knows of one frame.

    Attributes:
        result: the frame as the tracker returned it. Its detections are known as far as tracks
            took them or the line says where they were: every other row is NaN. There are no
            decisions and no embeddings.
        names: class id -> name, of the classes in this frame.
        size: (width, height) of the picture in pixels; None from before it was written down.
        latency_ms: from the beginning of the frame's reading until it was written; NaN if unknown.
        fps: the speed that the run showed at this frame, 0 if none.
        looks: how the embeddings of this frame compare with their tracks.
    """

    result: FrameResult
    names: Mapping[int, str] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    latency_ms: float = math.nan
    fps: float = 0.0
    looks: tuple[Appearance, ...] = ()


class BadRecordError(ValueError):
    """A line that is not a frame of a frame log; the text goes into the middle of a sentence."""


class TornRecordError(BadRecordError):
    """A line that is not even JSON: what is left where a writer was stopped looks like this."""


def parse_record(line: bytes) -> FrameRecord:
    """Read one line, without its line break; keys that are not known are passed over.

    Raises:
        TornRecordError: it is not JSON.
        BadRecordError: it is not an object, or a value is missing, of another kind or out of
            range.
    """
    values = _read_object(_parse_json(line), "the line")
    count = _read_whole(values, "detections", MOST_DETECTIONS)
    rows = [
        _read_object(row, f"track {n}") for n, row in enumerate(_read_list(values, "tracks"), 1)
    ]
    tracks = _build_tracks(rows, count)
    result = FrameResult(
        frame_index=_read_whole(values, "frame"),
        time_s=_read_number(values, "time_s", least=-MOST_NUMBER),
        detections=_build_detections(tracks, count, values),
        tracks=tracks,
        embed=_read_counts(_read_object(values.get("embed"), "'embed'")),
        stage_ms=_read_stages(_read_object(values.get("stage_ms"), "'stage_ms'")),
        known={int(row["id"]): _read_text(row, "name") for row in rows if "name" in row},
    )
    return FrameRecord(
        result,
        _read_names(rows),
        _read_size(values) if "size" in values else None,
        _read_measurement(values, "latency_ms") if "latency_ms" in values else math.nan,
        _read_number(values, "fps") if values.get("fps") is not None else 0.0,
        tuple(map(_read_look, _read_list(values, "looks"))) if "looks" in values else (),
    )


def _parse_json(line: bytes) -> object:
    try:
        value: object = json.loads(line.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise TornRecordError("is not UTF-8 text") from None
    except RecursionError:
        raise BadRecordError("is nested too deep") from None
    except json.JSONDecodeError as error:
        raise TornRecordError(f"is not JSON: {error.msg} at column {error.colno}") from None
    except BadRecordError:
        raise
    except ValueError as error:  # an integer of thousands of digits
        raise BadRecordError(f"holds a number that cannot be read ({error})") from None
    return value


def _refuse_constant(word: str) -> NoReturn:
    raise BadRecordError(f"holds {word}, which JSON does not have")


def _build_tracks(rows: Sequence[Mapping[str, Any]], count: int) -> Tracks:
    if not rows:
        return Tracks.empty()
    tracks = Tracks(
        id=np.array([_read_id(row) for row in rows], np.int64),
        xyxy=np.array([_read_box(row) for row in rows], np.float32),
        score=np.array([_read_measurement(row, "score") for row in rows], np.float32),
        class_id=np.array([_read_whole(row, "class_id", least=-1) for row in rows], np.int64),
        state=np.array([_read_state(row) for row in rows], np.int8),
        fresh=np.array([_read_flag(row, "fresh") for row in rows], np.bool_),
        detection=np.array([_read_row(row, count) for row in rows], np.int64),
        provisional=np.array([_read_provisional(row) for row in rows], np.int64),
    )
    if len(np.unique(tracks.id)) < len(tracks):
        raise BadRecordError("has an identity twice")
    taken = tracks.detection[tracks.detection >= 0]
    if len(np.unique(taken)) < len(taken):
        raise BadRecordError("gives a detection to two tracks")
    return tracks


def _read_id(row: Mapping[str, Any]) -> int:
    """Read the id of a track: negative while the track is tentative, never 0."""
    number = _read_whole(row, "id", MOST_ID, least=-MOST_ID)
    if not number:
        raise BadRecordError("'id' must not be 0")
    return number


def _read_provisional(row: Mapping[str, Any]) -> int:
    if "provisional" not in row:
        return 0
    return _read_whole(row, "provisional", -1, least=-MOST_ID)


def _build_detections(tracks: Tracks, count: int, values: Mapping[str, Any]) -> Detections:
    """Build the detections as far as they are known: the others are NaN, of class -1."""
    seen = tracks[tracks.detection >= 0]
    xyxy, score = np.full((count, 4), np.nan, np.float32), np.full(count, np.nan, np.float32)
    class_id = np.full(count, -1, np.int64)
    xyxy[seen.detection], score[seen.detection] = seen.xyxy, seen.score
    class_id[seen.detection] = seen.class_id
    left = np.setdiff1d(np.arange(count), seen.detection)
    known = _read_list(values, "untracked") if "untracked" in values else []
    if len(known) > len(left):
        raise BadRecordError("has more detections without a track than detections")
    for detection, row in zip(left.tolist(), known, strict=False):
        named = _read_object(row, "an entry of 'untracked'")
        xyxy[detection] = _read_box(named)
        class_id[detection] = _read_whole(named, "class_id", least=-1)
    return Detections(xyxy, score, class_id)


def _read_names(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    names: dict[int, str] = {}
    for row in rows:
        name = row.get("class")
        if name is None:
            continue
        name = _read_text(row, "class")
        if names.setdefault(int(row["class_id"]), name) != name:
            raise BadRecordError(f"class {row['class_id']} has two names")
    return names


def _read_text(row: Mapping[str, Any], key: str) -> str:
    text = row[key]
    if not isinstance(text, str) or len(text) > MOST_NAME or HALF.search(text):
        raise BadRecordError(f"'{key}' must be a text of at most {MOST_NAME} whole letters")
    return text


def _read_counts(values: Mapping[str, Any]) -> EmbedCounts:
    """Read the counters; what an older frame log did not count is 0."""
    known: dict[str, Any] = {}
    for item in fields(EmbedCounts):
        if item.name in values:
            whole = isinstance(item.default, int)
            known[item.name] = (_read_whole if whole else _read_measurement)(values, item.name)
    return EmbedCounts(**known)


def _read_look(value: object) -> Appearance:
    row = _read_object(value, "an entry of 'looks'")
    named = []
    for pair in _read_list(row, "resembles"):
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadRecordError("'resembles' must hold pairs of an identity and a number")
        other = {"id": pair[0], "similarity": pair[1]}
        similarity = _read_measurement(other, "similarity", least=-math.inf)
        named.append((_read_whole(other, "id", MOST_ID, least=1), similarity))
    similarity = _read_measurement(row, "similarity", least=-math.inf)
    return Appearance(_read_id(row), similarity, tuple(named))


def _read_stages(values: Mapping[str, Any]) -> dict[str, float]:
    # Names are the file's own: an error must not repeat one.
    return {name: _read_measurement({"stage_ms": ms}, "stage_ms") for name, ms in values.items()}


def _read_size(values: Mapping[str, Any]) -> tuple[int, int]:
    size = values["size"]
    if not isinstance(size, list) or len(size) != 2:
        raise BadRecordError("'size' must be [width, height]")
    named = dict(zip(("width", "height"), size, strict=True))
    return _read_whole(named, "width", least=1), _read_whole(named, "height", least=1)


def _read_box(row: Mapping[str, Any]) -> list[float]:
    box = _read_list(row, "xyxy")
    if len(box) != 4:
        raise BadRecordError("'xyxy' must have four numbers")
    if all(type(value) is float and -MOST_FLOAT <= value <= MOST_FLOAT for value in box):
        return box  # the usual case, tested first because there are so many
    named = dict(zip(("x1", "y1", "x2", "y2"), box, strict=True))
    return [_read_measurement(named, name, least=-math.inf) for name in named]


def _read_state(row: Mapping[str, Any]) -> int:
    word = row.get("state")
    if not isinstance(word, str) or word not in STATES:
        raise BadRecordError(f"'state' must be one of {', '.join(STATES)}")
    return STATES[word]


def _read_row(row: Mapping[str, Any], count: int) -> int:
    return -1 if row.get("detection") is None else _read_whole(row, "detection", count - 1)


def _read_flag(values: Mapping[str, Any], key: str) -> bool:
    value = values.get(key)
    if not isinstance(value, bool):
        raise BadRecordError(f"'{key}' must be true or false")
    return value


def _read_whole(
    values: Mapping[str, Any], key: str, most: int = MOST_NUMBER, least: int = 0
) -> int:
    value: Any = values.get(key)
    if type(value) is not int or not least <= value <= most:
        raise BadRecordError(f"'{key}' must be a whole number from {least} to {most}")
    return value


def _read_number(values: Mapping[str, Any], key: str, least: float = 0.0) -> float:
    value: Any = values.get(key)
    if type(value) not in (int, float) or not least <= value <= MOST_NUMBER:
        raise BadRecordError(f"'{key}' must be a number from {least:g} to {MOST_NUMBER:g}")
    return float(value)


def _read_measurement(values: Mapping[str, Any], key: str, least: float = 0.0) -> float:
    """Read a number of the run itself, which may have been NaN or infinite: null then, NaN here."""
    if key in values and values[key] is None:
        return math.nan
    value: Any = values.get(key)
    if type(value) not in (int, float) or not max(least, -MOST_FLOAT) <= value <= MOST_FLOAT:
        raise BadRecordError(f"'{key}' must be a number or null")
    return float(value)


def _read_list(values: Mapping[str, Any], key: str) -> list[Any]:
    value = values.get(key)
    if not isinstance(value, list):
        raise BadRecordError(f"'{key}' must be a list")
    return value


def _read_object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadRecordError(f"{what} must be an object")
    return value
