"""From the values of every `--source` to the videos of a batch."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mot_dinov3.data.synthetic.reader import is_synthetic
from mot_dinov3.errors import InputError, cannot_read, reason_of
from mot_dinov3.io.containers import is_url, printable_name
from mot_dinov3.io.read.images import natural_key
from mot_dinov3.io.read.seqinfo import SEQUENCE_FILE
from mot_dinov3.io.read.sequence import MOT_PREFIX
from mot_dinov3.io.read.sources import VIDEO_SUFFIXES
from mot_dinov3.runtime.limits import SOURCE_LIST
from mot_dinov3.runtime.opening import decode_text, is_regular, open_text

LIST_SUFFIX = ".txt"
COMMENT = "#"
UNREADABLE = "\ufffd"
"""What stands for bytes that are not text."""


@dataclass(frozen=True, slots=True)
class ListedSource:
    """A source and where it was named.

    Attributes:
        source: as `--source` takes it.
        where: `list.txt:3`, empty for the command line.
    """

    source: str
    where: str = ""


def is_list(source: str) -> bool:
    """Whether `--source` names a list of videos."""
    return source.lower().endswith(LIST_SUFFIX) and _is_path(source) and not Path(source).is_dir()


def expand_sources(sources: Sequence[str], *, each: bool) -> list[ListedSource]:
    """The videos that `sources` name, in order.

    Args:
        sources: as `--source` takes them; lists are read.
        each: directories are read, too.

    Raises:
        InputError: a list or a directory cannot be read or has no video; says which line it is.
    """
    items = [item for source in sources for item in _read_source(source)]
    return [video for item in items for video in (_expand_directory(item) if each else [item])]


def _read_source(source: str) -> Iterator[ListedSource]:
    if is_list(source):
        yield from read_list(Path(source).expanduser())
    else:
        yield ListedSource(source)


def read_list(path: Path) -> list[ListedSource]:
    """The sources of a list: one a line, relative to the list; `#` begins a line of comment.

    Raises:
        InputError: it cannot be read, is not text, or names another list or nothing at all.
    """
    name = printable_name(str(path))
    try:
        with open_text(path, SOURCE_LIST) as file:
            data = file.read(SOURCE_LIST.most_bytes)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.EFBIG:
            message = f"'{name}' is too long for a list of videos: {reason_of(error)}."
            raise InputError(message, fix="Lists name one video a line.") from error
        raise cannot_read(path, error, "the list") from error
    lines = decode_text(data, "replace").split("\n")
    places = ((f"{name}:{number}", line) for number, line in enumerate(lines, 1))
    texts = ((where, _check_line(line.strip(), where)) for where, line in places)
    found = [
        ListedSource(_resolve_relative(path.parent, text, where), where)
        for where, text in texts
        if text and not text.startswith(COMMENT)
    ]
    if not found:
        raise InputError(f"The list '{name}' names no video.", fix="Write one path a line.")
    return found


def _check_line(text: str, where: str) -> str:
    if any(letter < " " or letter == UNREADABLE for letter in text):
        raise InputError(f"{where} is not text.", fix="A list names one video a line, in UTF-8.")
    return text


def _resolve_relative(directory: Path, source: str, where: str) -> str:
    """A source of a list; a relative path starts where the list is."""
    if is_list(source):
        raise InputError(f"{where} names another list.", fix="Write the videos themselves.")
    if source.lower().startswith(MOT_PREFIX):
        path = Path(source[len(MOT_PREFIX) :].strip()).expanduser()
        return f"{source[: len(MOT_PREFIX)]}{directory / path}"
    path = directory / Path(source).expanduser()
    webcam = source.isascii() and source.isdigit() and not path.exists()
    return str(path) if _is_path(source) and not webcam else source


def _is_path(source: str) -> bool:
    with_prefix = is_synthetic(source) or source.lower().startswith((MOT_PREFIX, "file://"))
    return not (with_prefix or is_url(source))


def _expand_directory(item: ListedSource) -> Iterator[ListedSource]:
    path = Path(item.source).expanduser()
    if not (_is_path(item.source) and path.is_dir()):
        yield item
        return
    where, name = f"{item.where}: " if item.where else "", printable_name(str(path))
    try:
        videos = find_videos(path)
    except OSError as error:
        message = f"{where}'{name}' cannot be read: {reason_of(error)}."
        raise InputError(message, fix=f"Allow it: chmod +rx '{name}'") from error
    if not videos:
        raise InputError(
            f"{where}There is no video in '{name}'.",
            fix=f"--each takes files ending in {', '.join(sorted(VIDEO_SUFFIXES))} and "
            "MOTChallenge sequences.\nLeave it out where the directory holds frames.",
        )
    for video in videos:
        yield ListedSource(str(video), item.where)


def find_videos(directory: Path) -> list[Path]:
    """The videos of a directory in natural order, and the MOTChallenge sequences in it.

    Raises:
        OSError: it cannot be read.
    """
    visible = (path for path in directory.iterdir() if not path.name.startswith("."))
    return sorted(filter(_is_video, visible), key=natural_key)


def _is_video(path: Path) -> bool:
    is_sequence = is_regular(path / SEQUENCE_FILE)
    return is_sequence or (path.suffix.lower() in VIDEO_SUFFIXES and is_regular(path))
