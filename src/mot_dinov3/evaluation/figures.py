"""What TrackEval measures, under our names: the only place that knows its names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
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
class Scores:
    """The figures of one sequence or of several together; percentages, then counts.

    Attributes:
        hota: higher order tracking accuracy (Luiten et al. 2020), mean over thresholds.
        deta: its detection part.
        assa: its association part.
        mota: multiple object tracking accuracy (Bernardin and Stiefelhagen 2008).
        motp: mean IoU of the boxes that were found.
        idf1: identity F1 (Ristani et al. 2016).
        idsw: identity switches.
        frag: fragmentations.
        mt: identities mostly tracked (80 % of their frames or more).
        pt: identities partly tracked.
        ml: identities mostly lost (less than 20 %).
    """

    hota: float
    deta: float
    assa: float
    mota: float
    motp: float
    idf1: float
    idsw: int
    frag: int
    mt: int
    pt: int
    ml: int


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

ORDER = tuple(item.name for item in fields(Scores))
"""All figures, in the order of tables."""

TITLES = {ours: theirs for family in FAMILIES.values() for ours, theirs in family.shares.items()}
"""Our names of the shares -> TrackEval's, which are those of the papers."""


def measure(
    sequences: Mapping[str, Mapping[str, Any]], families: Sequence[str]
) -> tuple[dict[str, Figures], Figures]:
    """Compute the figures of every sequence, and of all their frames together.

    Args:
        sequences: name -> TrackEval's dictionary of a preprocessed sequence.
        families: keys of `FAMILIES`.

    Raises:
        ModelError: `trackeval` is not installed.
        UnknownNameError: there is no such family.
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
            single[name] |= _rename_figures(family, values)
        combined |= _rename_figures(family, metric.combine_sequences(raw))
    return {name: _sort_figures(figures) for name, figures in single.items()}, _sort_figures(
        combined
    )


def trackeval(part: str) -> Any:  # noqa: ANN401 - a module without types
    """The module `trackeval.PART`.

    Raises:
        ModelError: it is not installed.
    """
    try:
        return import_module(f"trackeval.{part}")
    except ImportError as error:
        raise not_installed("trackeval", "eval", "Scoring") from error


def _rename_figures(family: Family, values: Mapping[str, Any]) -> Figures:
    shares = {ours: to_percent(values[theirs]) for ours, theirs in family.shares.items()}
    return shares | {ours: int(values[theirs]) for ours, theirs in family.counts.items()}


def _sort_figures(figures: Figures) -> Figures:
    return {name: figures[name] for name in ORDER if name in figures}


def to_percent(value: Any) -> float:  # noqa: ANN401 - TrackEval gives numbers and arrays
    """A share, or the mean of an array of shares, as a percentage with three decimals."""
    return round(float(np.mean(value)) * 100, 3)
