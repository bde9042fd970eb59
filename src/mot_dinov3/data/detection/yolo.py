"""`data.yaml` as YOLO lays data sets out: splits of pictures, a text of boxes beside each.

Only files are read: an entry `download`, which elsewhere is run as a program, is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mot_dinov3.data.detection.base import DetectionExample, DetectionSet
from mot_dinov3.data.detection.labels import Tally, read_labels
from mot_dinov3.errors import InputError, UsageError, cannot_read, find_path, reason_of
from mot_dinov3.io.read.images import IMAGE_SUFFIXES, natural_key
from mot_dinov3.runtime.documents import read_yaml
from mot_dinov3.runtime.limits import BOXES
from mot_dinov3.runtime.opening import is_regular, read_text

PICTURES, LABELS = "images", "labels"
DESCRIPTION = "data.yaml"
SPLITS = ("train", "val", "test")
NOT_LABELS = "classes.txt"
"""What some tools write beside labels: the names of the classes."""
FORM = (
    "It has to have names (a list, or numbers with names), and train and val: folders of pictures, "
    "or texts with a picture a line; path says where they begin."
)


def open_detection_set(data_yaml: Path, split: str) -> DetectionSet:
    """Read which pictures a split has and what is marked in them; no picture is opened.

    The labels of `images/a.jpg` are in `labels/a.txt`, a line for each object: class, and centre,
    width and height as shares of the picture. A picture without such a file shows no object.

    Args:
        data_yaml: the file, or the folder that has a `data.yaml`.
        split: "train", "val" or "test".

    Raises:
        InputError: the file is damaged, or what it names is not there or holds no pictures.
        UsageError: the file has no such split.
    """
    path = data_yaml / DESCRIPTION if data_yaml.is_dir() else data_yaml
    description = _read_description(path)
    names = _read_names(description.get("names"), path)
    tally = Tally()
    pictures = _list_pictures(path, description, split, tally)
    examples = [_read_example(file, names, tally) for file in pictures]
    found = tuple(example for example in examples if example is not None)
    if not found:
        raise InputError(
            f"The split '{split}' of '{path}' has no pictures that can be used.",
            fix=tally.left_out.sentence or "Check the folders that it names.",
        )
    return DetectionSet(names, found, tally.left_out)


def _read_description(path: Path) -> Mapping[str, Any]:
    try:
        description = read_yaml(path)
    except OSError as error:
        raise cannot_read(path, error) from error
    except ValueError as error:
        raise _refuse(path, reason_of(error)) from error
    if not isinstance(description, dict):
        raise _refuse(path, "it is not a table")
    return description


def _refuse(path: Path, why: str) -> InputError:
    return InputError(f"'{path}' does not describe a data set: {why}.", fix=FORM)


def _read_names(names: object, path: Path) -> dict[int, str]:
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names:
        raise _refuse(path, "it has no names of classes")
    wrong = [key for key in names if not (isinstance(key, int) and key >= 0)]
    if wrong:
        raise _refuse(path, f"'{str(wrong[0])[:40]}' is not the number of a class")
    return {number: str(name) for number, name in sorted(names.items())}


def _list_pictures(
    path: Path, description: Mapping[str, Any], split: str, tally: Tally
) -> list[Path]:
    """The pictures of a split, each once, in the order of its entries."""
    entries = description.get(split)
    if not entries:
        there = [name for name in SPLITS if description.get(name)]
        raise UsageError(
            f"'{path}' has no split '{split}'.",
            fix=f"It has: {', '.join(there)}." if there else FORM,
        )
    roots = list(dict.fromkeys([path.parent / str(description.get("path") or ""), path.parent]))
    out: dict[Path, None] = {}
    for entry in entries if isinstance(entries, list) else [entries]:
        place = _find_entry(str(entry), roots)
        found = _list_folder(place, tally) if place.is_dir() else _read_list(place, tally)
        out.update(dict.fromkeys(found))
    return list(out)


def _find_entry(entry: str, roots: Sequence[Path]) -> Path:
    """Where an entry leads; also with `../` in front of what lies beside the description.

    Raises:
        InputError: nowhere.
    """
    tries = [Path(root, name) for name in (entry, entry.removeprefix("../")) for root in roots]
    found = next((place for place in tries if place.exists()), None)
    if found is None:
        raise InputError(
            f"The data set names '{tries[0]}', which is not there.", fix=find_path(tries[0])
        )
    return found


def _list_folder(folder: Path, tally: Tally) -> list[Path]:
    """The pictures in a folder and in those inside of it; counts labels that have none."""
    files = [
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")
    ]
    pictures = sorted(filter(is_regular, files), key=lambda file: (file.parent, natural_key(file)))
    labels = {find_labels(picture) for picture in pictures}
    for place in sorted({file.parent for file in labels}):
        for file in sorted(place.glob("*.txt")):
            if file not in labels and file.name != NOT_LABELS:
                tally.note("picture", str(file))
    return pictures


def _read_list(path: Path, tally: Tally) -> Iterator[Path]:
    """The pictures that a text names, a line each, seen from the folder of the text."""
    if path.suffix.lower() in IMAGE_SUFFIXES:
        raise InputError(f"'{path}' is a picture.", fix=FORM)
    try:
        lines = read_text(path, BOXES).splitlines()
    except (OSError, ValueError) as error:
        raise cannot_read(path, error) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        picture = path.parent / line.strip()
        if is_regular(picture):
            yield picture
        else:
            tally.note("picture", f"{path} line {number}")


def find_labels(picture: Path) -> Path:
    """Where the labels of a picture are: its last folder `images` becomes `labels`."""
    parts = list(picture.parts[:-1])
    if PICTURES in parts:
        parts[len(parts) - 1 - parts[::-1].index(PICTURES)] = LABELS
    return Path(*parts, picture.name).with_suffix(".txt")


def _read_example(picture: Path, names: Mapping[int, str], tally: Tally) -> DetectionExample | None:
    """A picture with its boxes; None where its labels cannot be read."""
    found = read_labels(find_labels(picture), names, tally)
    return None if found is None else DetectionExample(picture, *found)
