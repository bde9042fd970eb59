"""What tells the models of a modular tracker from others, for `--resume`."""

from __future__ import annotations

import re
from collections.abc import Callable

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.errors import MotError
from mot_dinov3.perception.features.base import Embedder
from mot_dinov3.perception.features.prior import find_prior
from mot_dinov3.systems.base import UNKNOWN
from mot_dinov3.systems.models import Models, describe_models
from mot_dinov3.values import EmbedderMark


def fingerprint_models(models: Models) -> dict[str, str]:
    """Titles and digests of the models; each digest is `UNKNOWN` if its file cannot be read."""
    detector, embedder = models.detector, models.embedder
    titles = describe_models(detector, embedder)
    found = {
        "detector": strip_size(titles["detector"]),
        "weights of the detector": read_digest(lambda: detector.fingerprint),
        "boxes of --det": read_digest(lambda: detector.repeated),
        "embedder": strip_size(titles["embedder"]),
        "weights of the embedder": read_digest(lambda: embedder.fingerprint if embedder else ""),
    }
    searcher = models.searcher
    if searcher is not None:
        found["weights of the searcher"] = read_digest(lambda: searcher.fingerprint)
    return found


def mark_embedder(embedder: Embedder, config: EmbedderConfig) -> EmbedderMark:
    """What tells the vectors of an embedder from those of others.

    Args:
        embedder: loaded.
        config: what it was loaded by.
    """
    title = embedder.title.partition(",")[0]
    digest = read_digest(lambda: embedder.fingerprint)
    return EmbedderMark(title, digest, find_prior(config).gate)


def read_digest(read: Callable[[], str]) -> str:
    """What `read` returns, `UNKNOWN` if the file was moved while the model was in use."""
    try:
        return read()
    except MotError:
        return UNKNOWN


def strip_size(title: str) -> str:
    """A model's title without its input size, which is known only after the first picture."""
    return re.sub(r"\b\d+(x\d+)? px\b", "px", title)
