"""What TrackEval measures, under our names: the only place that knows its."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from mot_dinov3.errors import UnknownNameError, not_installed

MATCH_IOU = 0.5
"""Boxes that overlap less are not the same object (MOTChallenge)."""

QUIET = {"PRINT_CONFIG": False, "THRESHOLD": MATCH_IOU}

Figures = dict[str, float]
"""Figure -> value: percentages with three decimals, and whole numbers for what is counted."""


@dataclass(frozen=True, slots=True)
class Family:
    """A family of figures that TrackEval computes together.

    Attributes:
        metric: its class in `trackeval.metrics`.
        options: what it is built with.
        shares: our name -> its name, shares of 1 or arrays of them over thresholds.
        counts: the same for what is counted.
    """

    metric: str
    options: tuple[Mapping[str, Any], ...]
    shares: Mapping[str, str]
    counts: Mapping[str, str]


FAMILIES = {
    "hota": Family("HOTA", (), {"hota": "HOTA", "deta": "DetA", "assa": "AssA"}, {}),
    "clear": Family(
        "CLEAR",
        (QUIET,),
        {"mota": "MOTA", "motp": "MOTP"},
        {"idsw": "IDSW", "frag": "Frag", "mt": "MT", "pt": "PT", "ml": "ML"},
    ),
    "identity": Family("Identity", (QUIET,), {"idf1": "IDF1"}, {}),
}
"""HOTA: Luiten et al. 2020, https://arxiv.org/abs/2009.07736, mean over the localisation
thresholds. CLEAR: Bernardin and Stiefelhagen 2008; MT, PT, ML are identities tracked in 80 % of
their frames or more, in between, and below 20 %. Identity: Ristani et al. 2016,
https://arxiv.org/abs/1609.01775."""

ORDER = ("hota", "deta", "assa", "mota", "motp", "idf1", "idsw", "frag", "mt", "pt", "ml")
"""All figures, in the order of tables."""


def measure(
    sequences: Mapping[str, Mapping[str, Any]], families: Sequence[str]
) -> tuple[dict[str, Figures], Figures]:
    """The figures of every sequence, and of all their frames together.

    Args:
        sequences: name -> TrackEval's dictionary of a preprocessed sequence.
        families: keys of `FAMILIES`.

    Raises:
        ModelError: `trackeval` is not installed.
        UnknownNameError: a family is none.
    """
    single: dict[str, Figures] = {name: {} for name in sequences}
    combined: Figures = {}
    for word in families:
        if word not in FAMILIES:
            raise UnknownNameError("family of metrics", word, FAMILIES)
        family = FAMILIES[word]
        metric = getattr(trackeval("metrics"), family.metric)(*family.options)
        raw = {name: metric.eval_sequence(data) for name, data in sequences.items()}
        for name, values in raw.items():
            single[name] |= _named(family, values)
        combined |= _named(family, metric.combine_sequences(raw))
    return {name: _ordered(figures) for name, figures in single.items()}, _ordered(combined)


def trackeval(part: str) -> Any:  # noqa: ANN401 - a module without types
    """The module `trackeval.PART`.

    Raises:
        ModelError: it is not installed.
    """
    try:
        return import_module(f"trackeval.{part}")
    except ImportError as error:
        raise not_installed("trackeval", "eval", "Scoring") from error


def _named(family: Family, values: Mapping[str, Any]) -> Figures:
    shares = {ours: percent(values[theirs]) for ours, theirs in family.shares.items()}
    return shares | {ours: int(values[theirs]) for ours, theirs in family.counts.items()}


def _ordered(figures: Figures) -> Figures:
    return {name: figures[name] for name in ORDER if name in figures}


def percent(value: Any) -> float:  # noqa: ANN401 - TrackEval gives numbers and arrays
    """A share, or the mean of an array of shares, as a percentage with three decimals."""
    return round(float(np.mean(value)) * 100, 3)
