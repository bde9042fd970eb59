"""Which class of a detector is which class of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mot_dinov3.errors import UsageError
from mot_dinov3.values import Detections, IntArray

LISTED = 6
"""How many names a message shows."""


@dataclass(frozen=True, slots=True)
class ClassMap:
    """How detections are counted.

    Attributes:
        numbers: class id of the detector -> that of the data set; others are not asked for.
        missing: names of classes of the data set that the detector does not know.
        by_name: whether names decided, else the numbers.
    """

    numbers: Mapping[int, int]
    missing: tuple[str, ...]
    by_name: bool

    def translate(self, found: Detections) -> Detections:
        """The detections of classes that the data set has, under its numbers."""
        known = found[np.isin(found.class_id, list(self.numbers))]
        renamed: IntArray = np.array(
            [self.numbers[number] for number in known.class_id.tolist()], np.int64
        )
        return Detections(known.xyxy, known.score, renamed)


def map_classes(detector: Mapping[int, str], data: Mapping[int, str]) -> ClassMap:
    """Match classes by name, or by number where no name is known but there are as many classes.

    Args:
        detector: class id -> name.
        data: class id -> name.

    Raises:
        UsageError: the detector finds nothing that the data set shows.
    """
    by_name = {_plain(name): number for number, name in data.items()}
    numbers = {
        number: by_name[_plain(name)]
        for number, name in detector.items()
        if _plain(name) in by_name
    }
    if not numbers and set(detector) == set(data):
        return ClassMap({number: number for number in data}, (), by_name=False)
    if not numbers:
        raise UsageError(
            f"The detector finds {_list_names(detector)}, and the data set shows "
            f"{_list_names(data)}: no class is the same.",
            fix="Rename the classes in data.yaml as the detector calls them, or give another one.",
        )
    found = set(numbers.values())
    missing = tuple(name for number, name in data.items() if number not in found)
    return ClassMap(numbers, missing, by_name=True)


def _plain(name: str) -> str:
    return name.strip().lower()


def _list_names(names: Mapping[int, str]) -> str:
    shown = ", ".join([*names.values()][:LISTED])
    return f"{shown} and {len(names) - LISTED} more" if len(names) > LISTED else shown
