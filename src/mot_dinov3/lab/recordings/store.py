"""The file of a recording: one npz without pickles, without compression, checked before use."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from mot_dinov3 import __version__
from mot_dinov3.errors import InputError, cannot_read, cannot_write
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.io.write.paths import publish, reserve_partial
from mot_dinov3.lab.recordings.clip import RecordedClip, RecordedFrame
from mot_dinov3.lab.recordings.clock import CostTable
from mot_dinov3.lab.recordings.recording import (
    FORMAT,
    READABLE,
    Origin,
    Recording,
    RecordingSetup,
    describe_recording,
)
from mot_dinov3.runtime.opening import open_regular
from mot_dinov3.values import Detections
from mot_dinov3.wording import counted, program

Arrays: TypeAlias = dict[str, NDArray[Any]]

SUFFIX = ".npz"
MOST_META_BYTES = 1 << 20
LAYOUT: dict[str, tuple[str, int]] = {
    "meta": ("u1", 1),
    "frame_index": ("i8", 1),
    "time_s": ("f8", 1),
    "first_row": ("i8", 1),
    "xyxy": ("f4", 2),
    "score": ("f4", 1),
    "class_id": ("i8", 1),
    "vectors": ("f4", 2),
}
"""Array -> numpy type and number of axes."""

TRUTH: dict[str, tuple[str, int]] = {
    "truth_frame_index": ("i8", 1),
    "truth_track_id": ("i8", 1),
    "truth_xyxy": ("f4", 2),
    "truth_score": ("f4", 1),
    "truth_class_id": ("i8", 1),
    "truth_visibility": ("f4", 1),
}
WARPS: dict[str, tuple[str, int]] = {"warps": ("f4", 3)}
CHEAP: dict[str, tuple[str, int]] = {"cheap": ("f4", 2)}
KNOWN = LAYOUT | TRUTH | WARPS | CHEAP


def write_recording(recording: Recording, path: Path) -> None:
    """Write a recording whole: it is under `path` only once it is finished.

    Raises:
        OutputError: it cannot be written.
    """
    partial = reserve_partial(path)
    try:
        with partial.open("wb") as file:
            np.savez(file, **cast("dict[str, Any]", _pack(recording)))
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise cannot_write(path, error) from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    publish(partial, path, replace=True)


def _pack(recording: Recording) -> Arrays:
    frames = list(recording.clip.frames.values())
    sizes = [len(item.detections) for item in frames]
    words = json.dumps(describe_recording(recording), allow_nan=False).encode()
    out: Arrays = {
        "meta": np.frombuffer(words, np.uint8),
        "frame_index": np.array([item.index for item in frames], np.int64),
        "time_s": np.array([item.time_s for item in frames], np.float64),
        "first_row": np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        "xyxy": _stack([item.detections.xyxy for item in frames], (0, 4), np.float32),
        "score": _stack([item.detections.score for item in frames], (0,), np.float32),
        "class_id": _stack([item.detections.class_id for item in frames], (0,), np.int64),
        "vectors": _stack([item.vectors for item in frames], (0, recording.dim), np.float32),
    }
    if recording.truth is not None:
        for name in TRUTH:
            out[name] = getattr(recording.truth, name.removeprefix("truth_"))
    if cheap := recording.clip.cheap_dim:
        out["cheap"] = _stack([item.cheap for item in frames], (0, cheap), np.float32)
    if recording.warps is not None:
        out["warps"] = recording.warps.astype(np.float32)
    return out


def _stack(parts: list[NDArray[Any]], empty: tuple[int, ...], kind: type) -> NDArray[Any]:
    return np.concatenate([np.empty(empty, kind), *parts]).astype(kind, copy=False)


def read_recording(path: Path) -> Recording:
    """Read a recording; nothing in the file is run, and its size bounds the memory it takes.

    Raises:
        InputError: missing, cut short, of another version, or not a recording at all.
    """
    try:
        arrays = _read_arrays(path)
        recording = _check(arrays)
    except OSError as error:
        raise cannot_read(path, error) from error
    except _Unusable as error:
        raise InputError(
            f"'{path}' is not a usable cache: {error}.",
            fix=f"Make it again: {program()} cache --source SOURCE --out DIR --replace",
        ) from error
    return recording


class _Unusable(Exception):
    """Says why a file is not a recording, in a few words."""


def _read_arrays(path: Path) -> Arrays:
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            out: Arrays = {}
            for info in archive.infolist():
                name = info.filename.removesuffix(".npy")
                if name not in KNOWN or info.compress_type != zipfile.ZIP_STORED:
                    raise _Unusable(f"it holds something unknown, '{info.filename[:40]}'")
                with archive.open(info) as member:
                    out[name] = _read_array(cast("BinaryIO", member), info.file_size, name)
            return out
    except (zipfile.BadZipFile, EOFError, struct.error, NotImplementedError) as error:
        raise _Unusable("it is cut short or damaged") from error
    except (ValueError, RuntimeError, KeyError, UnicodeDecodeError) as error:
        raise _Unusable("it is damaged or was not made by 'cache'") from error


def _read_array(member: BinaryIO, size: int, name: str) -> NDArray[Any]:
    """Read one array if its header promises exactly the bytes that are there."""
    version = np.lib.format.read_magic(member)
    if version != (1, 0):
        raise _Unusable(f"'{name}' is written in an unknown way")
    shape, by_column, kind = np.lib.format.read_array_header_1_0(member)
    head = member.tell()
    wanted, axes = KNOWN[name]
    if kind.str.lstrip("<|>=") != wanted or kind.byteorder == ">" or kind.hasobject:
        raise _Unusable(f"'{name}' holds another kind of numbers")
    count = 1
    for length in shape:
        count *= int(length)
    if len(shape) != axes or min(shape, default=0) < 0 or head + count * kind.itemsize != size:
        raise _Unusable(f"'{name}' has an impossible shape")
    if by_column and axes > 1:
        raise _Unusable(f"'{name}' is written in an unknown way")
    data = member.read(count * kind.itemsize)
    return np.frombuffer(data, kind, count).reshape(shape).copy()


def _check(arrays: Arrays) -> Recording:
    words = _read_meta(arrays)
    missing = sorted(set(LAYOUT) - set(arrays))
    if missing:
        raise _Unusable(f"it lacks '{missing[0]}'")
    _check_shapes(arrays)
    try:
        return _unpack(words, arrays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _Unusable("what it says about itself makes no sense") from error


def _read_meta(arrays: Arrays) -> Mapping[str, Any]:
    """Read what a file says about itself; its version is checked before anything else."""
    raw = arrays.get("meta", np.empty(0, np.uint8))
    if not 0 < len(raw) <= MOST_META_BYTES:
        raise _Unusable("it does not say what it is")
    try:
        words = json.loads(raw.tobytes())
    except (ValueError, RecursionError) as error:
        raise _Unusable("it does not say what it is") from error
    if not isinstance(words, dict) or "format" not in words:
        raise _Unusable("it does not say what it is")
    if words["format"] not in READABLE:
        raise _Unusable(
            f"it has format {words['format']}, this version reads format {FORMAT} and older"
        )
    if words.get("version") != __version__:
        raise _Unusable(f"version {words.get('version')} made it, and this is {__version__}")
    return words


def _check_shapes(arrays: Arrays) -> None:
    frames, rows = len(arrays["frame_index"]), len(arrays["xyxy"])
    expected = {
        "time_s": frames,
        "first_row": frames + 1,
        "score": rows,
        "class_id": rows,
        "vectors": rows,
        "cheap": rows,
    }
    for name, length in expected.items():
        if name in arrays and len(arrays[name]) != length:
            raise _Unusable(f"'{name}' has {counted(len(arrays[name]), 'row')} instead of {length}")
    first = arrays["first_row"]
    ordered = (np.diff(first) >= 0).all() and first[0] == 0 and first[-1] == rows
    if not ordered or (np.diff(arrays["frame_index"]) <= 0).any():
        raise _Unusable("its frames are in disorder")
    if arrays["xyxy"].shape[1] != 4 or not np.isfinite(arrays["xyxy"]).all():
        raise _Unusable("its boxes make no sense")
    if not np.isfinite(arrays["score"]).all() or not np.isfinite(arrays["time_s"]).all():
        raise _Unusable("a score or a time is not finite")
    if "warps" in arrays and arrays["warps"].shape != (frames, 2, 3):
        raise _Unusable("'warps' has an impossible shape")


def _unpack(words: Mapping[str, Any], arrays: Arrays) -> Recording:
    origin = Origin(**words["origin"])
    setup = RecordingSetup(**words["recipe"])
    costs = CostTable(
        {int(n): _read_cost(ms) for n, ms in words["costs"]["embed_ms"].items()},
        {str(stage): _read_cost(ms) for stage, ms in words["costs"]["stages_ms"].items()},
    )
    names = {int(key): str(name) for key, name in words["names"].items()}
    clip = RecordedClip(setup.detector, names)
    clip.frame_wh = (int(origin.width), int(origin.height))
    clip.whole_frame = bool(words.get("whole_frame", False))
    if min(clip.frame_wh) < 1 or origin.frames != len(arrays["frame_index"]):
        raise _Unusable("what it says about itself does not fit its frames")
    first = arrays["first_row"].tolist()
    cheap = arrays.get("cheap", np.zeros((len(arrays["xyxy"]), 0), np.float32))
    numbers = zip(arrays["frame_index"].tolist(), arrays["time_s"].tolist(), strict=True)
    for row, (index, time_s) in enumerate(numbers):
        part = slice(first[row], first[row + 1])
        seen = Detections(
            *(np.ascontiguousarray(arrays[name][part]) for name in ("xyxy", "score", "class_id"))
        )
        vectors = arrays["vectors"][part]
        clip.frames[index] = RecordedFrame(index, time_s, seen, vectors, cheap[part])
    return Recording(
        origin=origin,
        setup=setup,
        clip=clip,
        costs=costs,
        truth=_read_truth(arrays),
        warps=arrays.get("warps"),
        repeated=str(words["repeated"]),
        version=str(words["version"]),
    )


def _read_cost(ms: float) -> float:
    if not 0 <= float(ms) < 1e7:
        raise ValueError(f"no cost: {ms}")
    return float(ms)


def _read_truth(arrays: Arrays) -> MotTable | None:
    if not set(TRUTH) & set(arrays):
        return None
    return MotTable(**{name.removeprefix("truth_"): arrays[name] for name in TRUTH})
