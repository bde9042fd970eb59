"""Which searcher `--searcher` means; a new one is one file and one line here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from mot_dinov3.config import DeviceConfig
from mot_dinov3.registry import Registry, check_argument

if TYPE_CHECKING:
    from mot_dinov3.perception.searchers.base import Searcher, SearcherKind

SEARCHERS = Registry(
    "searcher",
    {
        "flow": (
            "mot_dinov3.perception.searchers.flow:FLOW",
            "points in the box, by optical flow; needs no weights",
        ),
        "nano": (
            "mot_dinov3.perception.searchers.nano:NANO",
            "OpenCV's TrackerNano, with the files that you give it",
        ),
        "sot": (
            "mot_dinov3.perception.searchers.sot:SOT",
            "a network that `train sot` made, all targets in one batch: sot:CKPT",
        ),
        "predict": (
            "mot_dinov3.perception.searchers.predicted:PREDICTED",
            "the motion of the track alone, which looks at nothing",
        ),
    },
)
"""Every entry is a `SearcherKind`."""


def searcher_kind(name: str) -> SearcherKind:
    """What is known of the searcher of a `--searcher` value before it is loaded.

    Raises:
        UnknownNameError: there is no such searcher.
    """
    return cast("SearcherKind", SEARCHERS.load(name.partition(":")[0].strip().lower()))


def list_searcher_files(name: str) -> list[Path]:
    """The files that a `--searcher` value may name."""
    argument = name.partition(":")[2].strip()
    return [Path(part.strip()).expanduser() for part in argument.split(",") if part.strip()]


def check_searcher(name: str) -> None:
    """Refuse a `--searcher` value whose argument is missing or not wanted.

    Raises:
        UnknownNameError: there is no such searcher.
        UsageError: see above.
    """
    first, _, argument = name.partition(":")
    check_argument("--searcher", name, first, argument, searcher_kind(name).argument)


def create_searcher(name: str, device: str, settings: DeviceConfig | None = None) -> Searcher:
    """Build the searcher that `--searcher` names, weights loaded and ready.

    Args:
        name: such as "flow" or "nano:BACKBONE,HEAD".
        device: torch device string, see `device.choose_device`.
        settings: backend and precision; automatic when left out.

    Raises:
        MotError: it cannot be built as asked.
    """
    check_searcher(name)
    argument = name.partition(":")[2].strip()
    return searcher_kind(name).load(argument, device, settings or DeviceConfig())
