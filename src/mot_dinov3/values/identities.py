"""What tells the vectors of one embedder from those of another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmbedderMark:
    """The embedder of a run, for what is compared with the vectors of other runs.

    Attributes:
        title: the model as the user knows it.
        fingerprint: of its weights; equal ones make vectors that can be compared.
        gate: cosine from which on two crops show the same object.
    """

    title: str
    fingerprint: str
    gate: float
