"""The table of measures; a new one is one file and one line in each table here."""

from __future__ import annotations

from typing import cast

from mot_dinov3.registry import Registry
from mot_dinov3.selftest.base import Measure

MEASURES = Registry(
    "measure",
    {
        "faults": "mot_dinov3.selftest.faults:faults",
    },
)

BARS = {
    "faults": "every fault has its exit code, a sentence and a remedy, and nothing is lost",
}
"""Measure -> what has to hold in every case."""


def create_measure(name: str) -> Measure:
    """The measure behind a word of the command line."""
    return cast("Measure", MEASURES.load(name))
