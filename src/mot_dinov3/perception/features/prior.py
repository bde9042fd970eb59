"""What is known of the cosines of an embedder before a run."""

from __future__ import annotations

from mot_dinov3.config import NO_EMBEDDER, EmbedderConfig
from mot_dinov3.perception.assets import DEMO
from mot_dinov3.perception.features.base import GENERAL, RE_IDENTIFICATION
from mot_dinov3.perception.features.factory import embedder_kind
from mot_dinov3.values import SimilarityPrior


def find_prior(config: EmbedderConfig) -> SimilarityPrior:
    """The prior of the embedder that `config` names.

    The demo model knows drawn people; on real video it finds strangers alike, so it has to show
    first what it is worth, whatever reads it.

    Raises:
        UnknownNameError: no such embedder.
        ModelError: the model that should say it cannot be read.
    """
    if config.embed_model == DEMO:
        return GENERAL
    if config.embedder == NO_EMBEDDER:
        return RE_IDENTIFICATION
    kind = embedder_kind(config.embedder)
    return kind.read_prior(config) if kind.read_prior else kind.prior
