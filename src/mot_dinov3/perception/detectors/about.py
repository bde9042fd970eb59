"""The notes in a YOLO model: class names, task, stride, and the layout of its answer."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from mot_dinov3.errors import ModelError
from mot_dinov3.runtime.documents import parse_json, read_yaml
from mot_dinov3.runtime.limits import METADATA as METADATA_LIMIT
from mot_dinov3.wording import make_printable

TASKS_WITH_BOXES = ("detect", "segment", "pose")
METADATA = "metadata.yaml"
"""The notes that Ultralytics puts beside an OpenVINO export."""

NOTES = ("names", "task", "stride", "args", "end2end", "head")
"""The notes that are read; the others may hold anything."""
MOST_LETTERS = 100
MOST_CLASSES = 100_000
MOST_STRIDE = 1024
MOST_NOTE = 2_000_000
"""Characters of one note."""


@dataclass(frozen=True, slots=True)
class About:
    """The notes of a model.

    Attributes:
        names: class id -> class name.
        task: "detect", "segment" or "pose".
        stride: both sides of an input are multiples of it.
        final: the answer holds finished boxes, not candidates that need suppression.
        repeats: finished boxes may show an object twice all the same, as those of a network do
            that has not learned for long to show each once.
        plain: the answer is one of the two kinds that `decode` reads.
    """

    names: Mapping[int, str]
    task: str
    stride: int = 32
    final: bool = False
    repeats: bool = False
    plain: bool = True

    def to_json(self) -> str:
        """The notes as text for `from_json`."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> About:
        """Read what `to_json` wrote, also that of a later version, which may note more.

        Raises:
            ValueError, KeyError, TypeError: it is something else.
        """
        facts = parse_json(text)
        known = {item.name: facts[item.name] for item in fields(About) if item.name in facts}
        return About(**{**known, "names": class_names(facts["names"])})


def class_names(named: Mapping[Any, Any]) -> dict[int, str]:
    """Make class id -> class name from a model's notes: text that can be written and drawn.

    A name may be any object there. What cannot be seen, such as control characters and halves of
    characters, becomes `?`, and what is longer than `MOST_LETTERS` is cut.

    Raises:
        ValueError, TypeError: a class has a number that no class can have.
    """
    names = {int(number): str(name) for number, name in named.items()}
    if len(names) > MOST_CLASSES or any(not 0 <= number < MOST_CLASSES for number in names):
        raise ValueError("a class has an impossible number")
    return {number: make_printable(name[:MOST_LETTERS]) for number, name in names.items()}


def about_from_notes(notes: Mapping[str, Any]) -> About | None:
    """Read the metadata of an Ultralytics export; None where it has none that fit.

    Args:
        notes: names to values, or to their text as ONNX files keep them.
    """
    facts = {name: _parse_value(notes[name]) for name in NOTES if name in notes}
    names, task = facts.get("names"), facts.get("task")
    if not isinstance(names, dict) or not isinstance(task, str):
        return None
    arguments = facts.get("args")
    inner_nms = bool(arguments.get("nms")) if isinstance(arguments, dict) else False
    try:
        named, stride = class_names(names), int(facts.get("stride", 32))
    except (ValueError, TypeError, OverflowError):
        return None
    if not 1 <= stride <= MOST_STRIDE:
        return None
    return About(
        names=named,
        task=task,
        stride=stride,
        final=bool(facts.get("end2end")) or inner_nms,
        plain=facts.get("head") != "RTDETRDecoder",
    )


def read_notes(path: Path) -> dict[str, Any]:
    """The metadata file beside an OpenVINO export; empty where there is none to read."""
    try:
        notes = read_yaml(path / METADATA, METADATA_LIMIT)
    except (OSError, ValueError):
        return {}
    return notes if isinstance(notes, dict) else {}


def require_boxes(name: str, about: About) -> None:
    """Refuse a model that does not find upright boxes.

    Raises:
        ModelError: its task is another one.
    """
    if about.task not in TASKS_WITH_BOXES or not about.names:
        raise ModelError(
            f"'{name}' is a model for '{about.task}', which gives no upright boxes.",
            fix="Use a detect, segment or pose model, such as yolov8n.pt.",
        )


def _parse_value(value: Any) -> Any:  # noqa: ANN401 - metadata may hold anything
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value) if len(value) <= MOST_NOTE else ""
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value
