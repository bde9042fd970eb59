"""From what the user typed after `--source` to frames."""

from __future__ import annotations

import glob
import itertools
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mot_dinov3.config import LiveConfig, SourceConfig
from mot_dinov3.errors import InputError, nearest
from mot_dinov3.io.containers import (
    OPEN_TIMEOUT_S,
    is_url,
    open_file,
    open_stream,
    open_webcam,
    printable_name,
)
from mot_dinov3.io.info import FrameReader, SourceInfo
from mot_dinov3.io.read.connection import LiveAddress
from mot_dinov3.io.read.images import IMAGE_SUFFIXES, ImageReader, images_of, sequence_of
from mot_dinov3.io.read.live import LiveReader
from mot_dinov3.io.read.selection import count_selected
from mot_dinov3.io.read.seqinfo import SEQUENCE_FILE, find_image_directory, read_section
from mot_dinov3.io.read.sequence import MOT_PREFIX, open_sequence
from mot_dinov3.io.read.video import VideoReader
from mot_dinov3.runtime.opening import keep_regular, open_regular

__all__ = ["FrameReader", "SourceInfo", "count_selected", "open_source", "plain_name"]

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".m4v", ".gif"})
MOST_MATCHES = 1_000_000
MOST_LETTERS = 100
"""A longer name of a source is cut, so that file names can be made of it."""


def plain_name(source: str) -> str:
    """A name for the files of a source: `clips/walk one.mp4` -> `walk-one`."""
    shown = printable_name(source).rstrip("/").replace("\\", "/")
    last = shown.rpartition("/")[2] or shown
    kind, _, name = last.partition(":")
    path = Path(name or kind)
    stem = path.stem if path.suffix.lower() in VIDEO_SUFFIXES else path.name
    return re.sub(r"[^\w.-]+", "-", stem)[:MOST_LETTERS].strip("-.") or "source"


def open_source(
    config: SourceConfig,
    live: LiveConfig | None = None,
    stopped: Callable[[], bool] | None = None,
) -> FrameReader:
    """Open a video file, image directory, glob, webcam, stream or `mot:DIR`.

    The first frame is proven, where there are pixels.

    Args:
        config: what to read, and which part of it.
        live: what to do about dropouts of a live source; the defaults when left out.
        stopped: asked while a live source gives nothing: whether to end.

    Raises:
        InputError: one sentence that names the source and what to do; cheap, so it comes
            before any model is loaded.
    """
    source = config.source
    if not source.strip():
        raise InputError("No source was given.", fix="Give one: --source video.mp4")
    if source.lower().startswith("file://"):
        source = unquote(urlsplit(source).path)
    if source.lower().startswith(MOT_PREFIX):
        return _open_mot(source[len(MOT_PREFIX) :].strip(), config)
    address = _live_address(source, live or LiveConfig())
    if address is not None:
        return LiveReader(address, config, live or LiveConfig(), stopped)
    return _open_path(Path(source).expanduser(), config)


def _live_address(source: str, live: LiveConfig) -> LiveAddress | None:
    """How to reach a source that is live; None for one that is a path."""
    if is_url(source):
        name = printable_name(source)
        return LiveAddress(name, lambda: open_stream(source, live.read_timeout), OPEN_TIMEOUT_S)
    path = Path(source).expanduser()
    if source.isascii() and source.isdigit() and not path.exists():
        return LiveAddress(f"webcam {source}", lambda: open_webcam(int(source)), OPEN_TIMEOUT_S)
    if camera := re.fullmatch(r"/dev/video(\d+)", source):
        return LiveAddress(source, lambda: open_webcam(int(camera[1])), OPEN_TIMEOUT_S)
    return None


def _open_mot(directory: str, config: SourceConfig) -> FrameReader:
    if not directory:
        raise InputError(
            f"--source {MOT_PREFIX} names no directory.", fix=f"Write --source {MOT_PREFIX}DIR."
        )
    path = Path(directory).expanduser()
    try:
        return open_sequence(path, config)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such name is possible"
        raise InputError(
            f"'{printable_name(str(path))}' cannot be read: {reason}.",
            fix="Check the path and its permissions.",
        ) from error


def _open_path(path: Path, config: SourceConfig) -> FrameReader:
    name = printable_name(str(path))
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            _refuse_videos(path, name)
            return ImageReader(sequence_of(path), config)
        if stat.S_ISREG(mode):
            return _open_regular(path, name, config)
    except PermissionError as error:
        raise InputError(
            f"'{name}' may not be read by this user.", fix=f"Allow it: chmod +r '{name}'"
        ) from error
    except (FileNotFoundError, NotADirectoryError, ValueError):
        if glob.has_magic(str(path)):
            return _open_glob(str(path), config)
        raise _missing_error(path, name) from None
    except OSError as error:
        raise InputError(
            f"'{name}' cannot be read: {error.strerror}.", fix="Check the disk and the path."
        ) from error
    raise InputError(f"'{name}' is not a regular file.", fix="Save it to a file first.")


def _open_regular(path: Path, name: str, config: SourceConfig) -> FrameReader:
    with open_regular(path) as file:
        if not file.read(1):
            raise InputError(f"'{name}' is empty.", fix="Copy or record it again.")
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return ImageReader(images_of([path], name), config)
    return VideoReader(open_file(path), path, name, config)


def _open_glob(pattern: str, config: SourceConfig) -> FrameReader:
    name = printable_name(pattern)
    # Links that lead in circles have no end of matches.
    found = itertools.islice(glob.iglob(pattern, recursive=True), MOST_MATCHES + 1)  # noqa: PTH207 - absolute patterns too
    files = [Path(match) for match in found]
    if len(files) > MOST_MATCHES:
        raise InputError(
            f"'{name}' matches more than {MOST_MATCHES:,} files.",
            fix="Name them more exactly, without **.",
        )
    files = list(keep_regular(files))
    if not files:
        raise InputError(f"Nothing matches '{name}'.", fix="Check the pattern; keep it in quotes.")
    videos = _select_videos(files)
    if videos == files and len(files) == 1:
        return _open_path(files[0], config)
    if videos and not any(file.suffix.lower() in IMAGE_SUFFIXES for file in files):
        raise InputError(
            f"'{name}' matches {len(files)} files that are not images, such as "
            f"'{printable_name(str(videos[0]))}'.",
            fix="A quoted glob names the images of one clip; for videos leave the quotes out.",
        )
    return ImageReader(images_of(files, name), config)


def _select_videos(files: Sequence[Path]) -> list[Path]:
    return [file for file in files if file.suffix.lower() in VIDEO_SUFFIXES]


def _refuse_videos(directory: Path, name: str) -> None:
    """A directory is one clip in images; one of videos alone was meant otherwise."""
    files = list(directory.iterdir())
    videos = _select_videos(files)
    if not videos or any(file.suffix.lower() in IMAGE_SUFFIXES for file in files):
        return
    if not (directory / SEQUENCE_FILE).exists():
        raise InputError(
            f"'{name}' holds videos, such as '{printable_name(videos[0].name)}', and no images.",
            fix="Give --each to track every video in it, or name one of them.",
        )
    if find_image_directory(directory, read_section(directory)) is None:
        raise InputError(
            f"'{name}' is a sequence without its images, but it holds a video.",
            fix=f"Name that: --source {printable_name(str(videos[0]))}",
        )


def _missing_error(path: Path, name: str) -> InputError:
    """The error for a path that is not there; offers what is near it."""
    try:
        beside = [file.name for file in path.parent.iterdir()]
    except OSError:
        return InputError(
            f"'{name}' does not exist: neither does its directory.", fix="Check the path."
        )
    near = nearest(path.name, beside)
    hint = f" Did you mean {' or '.join(repr(word) for word in near)}?" if near else ""
    return InputError(f"'{name}' does not exist.", fix=f"Check the path.{hint}")
