"""From what the user typed after `--source` to frames."""

from __future__ import annotations

import glob
import itertools
import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from mot_dinov3.config import LiveConfig, SourceConfig
from mot_dinov3.errors import InputError, cannot_read, find_path, reason_of
from mot_dinov3.io.containers import (
    OPEN_TIMEOUT_S,
    is_url,
    open_file,
    open_stream,
    open_webcam,
    printable_name,
    split_address,
)
from mot_dinov3.io.info import FrameReader, SourceInfo
from mot_dinov3.io.picture_bytes import GIF, is_moving_png, is_tiled_photo, list_pages
from mot_dinov3.io.read.connection import LiveAddress
from mot_dinov3.io.read.images import IMAGE_SUFFIXES, ImageReader, images_of, sequence_of
from mot_dinov3.io.read.live import LiveReader
from mot_dinov3.io.read.pages import PagesReader
from mot_dinov3.io.read.selection import count_selected
from mot_dinov3.io.read.seqinfo import SEQUENCE_FILE, find_image_directory, read_section
from mot_dinov3.io.read.sequence import MOT_PREFIX, open_sequence
from mot_dinov3.io.read.standard_input import NAME as STANDARD_INPUT_NAME
from mot_dinov3.io.read.standard_input import STANDARD_INPUT, StandardInputReader
from mot_dinov3.io.read.video import VideoReader
from mot_dinov3.runtime.git_lfs import build_pointer_error
from mot_dinov3.runtime.limits import MOST_PICTURE_BYTES
from mot_dinov3.runtime.opening import is_pointer, keep_regular, open_regular, read_regular

__all__ = [
    "FrameReader",
    "SourceInfo",
    "count_selected",
    "is_live",
    "may_drop_out",
    "open_source",
    "plain_name",
]

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".m4v", ".gif"})
HEAD_BYTES = 1 << 16
PIECE_SUFFIX = ".ts"
"""A transport stream has no end that shows in its name, though a file of one may."""
MOST_MATCHES = 1_000_000
MOST_LETTERS = 100
"""A longer name of a source is cut, so that file names can be made of it."""


def plain_name(source: str) -> str:
    """A name for the files of a source: `clips/walk one.mp4` -> `walk-one`."""
    if source == STANDARD_INPUT:
        return STANDARD_INPUT_NAME.replace(" ", "-")
    shown = printable_name(source).rstrip("/").replace("\\", "/")
    last = shown.rpartition("/")[2] or shown
    kind, _, name = last.partition(":")
    path = Path(name or kind)
    stem = path.stem if path.suffix.lower() in VIDEO_SUFFIXES else path.name
    return re.sub(r"[^\w.-]+", "-", stem)[:MOST_LETTERS].strip("-.") or "source"


def is_live(source: str) -> bool:
    """Whether a source is a camera or a stream, as far as its name tells.

    An http address that ends like a video file is taken for one.
    """
    if _live_address(source, LiveConfig()) is None:
        return False
    address = split_address(source)
    is_file = Path(address.path).suffix.lower() in VIDEO_SUFFIXES - {PIECE_SUFFIX}
    return not (is_file and address.scheme.lower() in ("http", "https"))


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
    if source == STANDARD_INPUT:
        return StandardInputReader(config, stopped or (lambda: False))
    if source.lower().startswith("file://"):
        source = os.fsdecode(unquote_to_bytes(urlsplit(source).path))
    if source.lower().startswith(MOT_PREFIX):
        return _open_mot(source[len(MOT_PREFIX) :].strip(), config)
    address = _live_address(source, live or LiveConfig())
    if address is not None:
        return LiveReader(address, config, live or LiveConfig(), stopped)
    return _open_path(Path(source).expanduser(), config)


def may_drop_out(source: str) -> bool:
    """Whether a source is a camera or an address, which `--reconnect` can open again."""
    return _live_address(source, LiveConfig()) is not None


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
        raise cannot_read(path, error) from error


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
            f"'{name}' cannot be read: {reason_of(error)}.",
            fix="Check the disk that holds it, or copy it to another one.",
        ) from error
    raise InputError(f"'{name}' is not a regular file.", fix="Save it to a file first.")


def _open_regular(path: Path, name: str, config: SourceConfig) -> FrameReader:
    with open_regular(path) as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise InputError(f"'{name}' is empty.", fix="Copy or record it again.")
    if is_pointer(head):
        raise build_pointer_error(name, InputError)
    if is_tiled_photo(head):
        raise InputError(
            f"'{name}' is a photo in tiles, which cannot be put together here.",
            fix="Convert it to JPEG or PNG first.",
        )
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return _open_image(path, name, config)
    return VideoReader(open_file(path), path, name, config)


def _open_image(path: Path, name: str, config: SourceConfig) -> FrameReader:
    """Open one image file; where it holds several pictures, each is a frame."""
    data = read_regular(path, MOST_PICTURE_BYTES)
    if is_moving_png(data) or data.startswith(GIF):
        return VideoReader(open_file(path), path, name, config)
    pages = list_pages(data)
    if len(pages) > 1:
        return PagesReader(data, pages, name, config)
    return ImageReader(images_of([path], name), config)


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
        raise InputError(f"Nothing matches '{name}'.", fix=_explain_pattern(pattern))
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


def _explain_pattern(pattern: str) -> str:
    """Where a glob finds nothing: its directory is missing, or has other files."""
    directory = Path(pattern).parent
    if glob.has_magic(str(directory)) or directory.is_dir():
        place = f"'{directory}'" if directory != Path() else "the working directory"
        return f"It was searched for in {place}; keep a pattern in quotes."
    return find_path(directory)


def _missing_error(path: Path, name: str) -> InputError:
    """The error for a path that is not there; offers what is near it."""
    return InputError(f"'{name}' does not exist.", fix=find_path(path))
