"""The numbers that MOTChallenge gives to classes; column 8 of a result holds one."""

from __future__ import annotations

MOT_CLASSES = {
    1: "pedestrian",
    2: "person on vehicle",
    3: "car",
    4: "bicycle",
    5: "motorbike",
    6: "non motorized vehicle",
    7: "static person",
    8: "distractor",
    9: "occluder",
    10: "occluder on the ground",
    11: "occluder full",
    12: "reflection",
    13: "crowd",
}
"""Classes of the MOT16 and MOT17 annotations; https://arxiv.org/abs/1603.00831, table 3."""
NUMBERS = {name: number for number, name in MOT_CLASSES.items()} | {"person": 1, "motorcycle": 5}
"""Name of a class -> its number; detectors call two of them otherwise."""
OTHERS = 100
"""What is added to the number of a class that MOTChallenge does not have."""


def number_class(class_id: int, name: str) -> int:
    """The number of a class in MOT text: that of MOTChallenge, or 100 + `class_id`.

    A number of 14 or more that was read from MOT text stays as it is.

    Args:
        class_id: the detector's number.
        name: of the class, "" if it has none.
    """
    known = NUMBERS.get(name.strip().lower())
    if known is not None:
        return known
    if class_id > max(MOT_CLASSES) and name == name_number(class_id):
        return class_id
    return OTHERS + class_id


def name_number(number: int) -> str:
    """The name of a class of which only the number is known."""
    return f"class {number}"
