"""CVAT for video 1.1: tracks as XML that the annotation tool CVAT imports.

The format puts all boxes of a track together, while a run makes those of a frame. They are kept in
a temporary database on disk until all are there, so memory does not grow with the video.
Format: https://docs.cvat.ai/docs/manual/advanced/xml_format/
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from mot_dinov3.errors import InputError, OutputError, cannot_read
from mot_dinov3.runtime.limits import CVAT_FILE
from mot_dinov3.runtime.opening import open_text

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped: control characters and halves of characters."""
CACHE_KB = 16_000
MOST_NAME = 1000
"""Letters of the name of a class."""
SIZES = ("size", "original_size/width", "original_size/height")
"""Where a task says how many frames it has, and how large they are."""
TABLE = """CREATE TABLE boxes (track INTEGER, frame INTEGER, outside INTEGER, label TEXT,
    xtl REAL, ytl REAL, xbr REAL, ybr REAL, PRIMARY KEY (track, frame)) WITHOUT ROWID"""


class CvatBox(NamedTuple):
    """One track in one frame.

    Attributes:
        track: its identity.
        frame: of the source, from 0.
        outside: it is not to be seen any more from this frame on; the box is its last one.
        label: the name of its class.
        xtl: left edge, pixels.
        ytl: upper edge, pixels.
        xbr: right edge, pixels.
        ybr: lower edge, pixels.
    """

    track: int
    frame: int
    outside: bool
    label: str
    xtl: float
    ytl: float
    xbr: float
    ybr: float


@dataclass(frozen=True, slots=True)
class CvatTask:
    """The video that was tracked.

    Attributes:
        name: of the task.
        frames: frames from the first one of the source to the last one with a box.
        width: of the picture, pixels.
        height: of the picture, pixels.
    """

    name: str = ""
    frames: int = 0
    width: int = 0
    height: int = 0


class CvatBoxes:
    """The boxes of a run in a temporary database, which is gone when the context ends.

    Where a track has two boxes in one frame, one that is seen takes the place of one that is not,
    and a later one that of an earlier one.
    """

    def __enter__(self) -> Self:
        # An empty name is a file in the directory for temporary files that no other process sees.
        self._data = sqlite3.connect("", check_same_thread=False)
        for setting in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{CACHE_KB}"):
            self._data.execute(f"PRAGMA {setting}")
        self._data.execute(TABLE)
        return self

    def __exit__(self, *problem: object) -> None:
        self._data.close()

    def add(self, boxes: Sequence[CvatBox]) -> None:
        """Keep boxes.

        Raises:
            OutputError: there is no room for them.
        """
        for outside, verb in ((True, "IGNORE"), (False, "REPLACE")):
            rows = [box for box in boxes if box.outside == outside]
            insert = f"INSERT OR {verb} INTO boxes VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            with _need_room():
                self._data.executemany(insert, rows)

    def labels(self) -> dict[int, str]:
        """Track -> the label that most of its boxes have.

        Raises:
            OutputError: there is no room to count them.
        """
        query = """SELECT track, label FROM boxes WHERE NOT outside
            GROUP BY track, label ORDER BY COUNT(*), label DESC"""
        with _need_room():
            return dict(self._data.execute(query))

    def __iter__(self) -> Iterator[CvatBox]:
        """All boxes, those of a track together, and frame by frame."""
        for row in self._data.execute("SELECT * FROM boxes ORDER BY track, frame"):
            yield CvatBox(*row)


@contextmanager
def _need_room() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise OutputError(
            f"The tracks for CVAT cannot be kept until the end of the run: {error}.",
            fix="Make room in the directory for temporary files, or name another one (TMPDIR).",
        ) from error


def clean_text(text: str) -> str:
    """Text that XML can hold, on one line: a blank takes the place of anything else."""
    return " ".join(FORBIDDEN.sub(" ", text).split())


def name_class(class_id: int, names: Mapping[int, str]) -> str:
    """The name of a class as XML can hold it; `class 7` for one without a name."""
    return clean_text(names.get(class_id, "")[:MOST_NAME]) or f"class {class_id}"


def write_cvat(write_line: Callable[[str], object], boxes: CvatBoxes, task: CvatTask) -> None:
    """Write a whole document.

    Args:
        write_line: takes its lines one after another, without line breaks.
        boxes: all of them.
        task: the video.

    Raises:
        OutputError: there is no room for temporary files.
    """
    labels = boxes.labels()
    for line in _list_head(task, sorted(set(labels.values()))):
        write_line(line)
    now = None
    for box in boxes:
        if box.track not in labels:  # never seen
            continue
        if box.track != now:
            if now is not None:
                write_line("  </track>")
            label = quoteattr(labels[box.track])
            write_line(f'  <track id="{box.track}" label={label} source="auto">')
            now = box.track
        write_line(
            f'    <box frame="{box.frame}" outside="{int(box.outside)}" occluded="0" keyframe="1" '
            f'xtl="{box.xtl:.2f}" ytl="{box.ytl:.2f}" xbr="{box.xbr:.2f}" ybr="{box.ybr:.2f}" '
            'z_order="0"></box>'
        )
    if now is not None:
        write_line("  </track>")
    write_line("</annotations>")


def _list_head(task: CvatTask, labels: Sequence[str]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield "<annotations>"
    yield "  <version>1.1</version>"
    yield "  <meta>"
    yield "    <task>"
    yield f"      <name>{escape(clean_text(task.name))}</name>"
    yield f"      <size>{task.frames}</size>"
    yield "      <mode>interpolation</mode>"
    yield "      <overlap>0</overlap>"
    yield "      <start_frame>0</start_frame>"
    yield f"      <stop_frame>{max(0, task.frames - 1)}</stop_frame>"
    yield "      <labels>"
    for label in labels:
        yield "        <label>"
        yield f"          <name>{escape(label)}</name>"
        yield "          <attributes></attributes>"
        yield "        </label>"
    yield "      </labels>"
    yield "      <original_size>"
    yield f"        <width>{task.width}</width>"
    yield f"        <height>{task.height}</height>"
    yield "      </original_size>"
    yield "    </task>"
    yield "  </meta>"


def rename_cvat(source: Path, target: Path, new_of: Mapping[int, int]) -> None:
    """Write a file of `--save-cvat` again, with tracks that are one as one track.

    Args:
        source: the file.
        target: the new file.
        new_of: id that is given up -> the one that takes its place.

    Raises:
        InputError: the file cannot be read, or is not what a run writes.
        OutputError: there is no room.
    """
    with CvatBoxes() as boxes:
        try:
            task = CvatTask()
            with open_text(source, CVAT_FILE) as file:
                for found in _read(file):
                    if isinstance(found, CvatTask):
                        task = found
                    else:
                        boxes.add([found._replace(track=new_of.get(found.track, found.track))])
        except OSError as error:
            raise cannot_read(source, error) from error
        except (ElementTree.ParseError, ValueError, KeyError, OverflowError) as error:
            raise InputError(
                f"'{source}' is not what --save-cvat writes.",
                fix="Give a file of a finished run, unchanged.",
            ) from error
        with target.open("w", encoding="utf-8", newline="\n") as out:
            write_cvat(lambda line: out.write(f"{line}\n"), boxes, task)


def _read(file: BinaryIO) -> Iterator[CvatTask | CvatBox]:
    """The task and the boxes of a document, one by one; what was read is forgotten."""
    track, label, root = 0, "", None
    for event, element in ElementTree.iterparse(file, events=("start", "end")):
        root = element if root is None else root
        if event == "start" and element.tag == "track":
            track, label = int(element.attrib["id"]), element.attrib["label"]
        elif event == "end" and element.tag == "box":
            yield _read_box(track, label, element.attrib)
        elif event == "end" and element.tag == "task":
            size = [int(element.findtext(name) or "") for name in SIZES]
            yield CvatTask(element.findtext("name") or "", *size)
        if event == "end" and element.tag in ("track", "meta"):
            root.clear()
        elif event == "end" and element.tag == "box":
            element.clear()


def _read_box(track: int, label: str, values: Mapping[str, str]) -> CvatBox:
    corners = [float(values[name]) for name in ("xtl", "ytl", "xbr", "ybr")]
    if not all(map(math.isfinite, corners)):
        raise ValueError("A corner is not a number")
    return CvatBox(track, int(values["frame"]), values["outside"] == "1", label, *corners)
