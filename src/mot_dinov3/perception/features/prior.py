"""What is known of the cosines of an embedder before a run."""

from __future__ import annotations

from mot_dinov3.config import NO_EMBEDDER, EmbedderConfig
from mot_dinov3.perception.assets import DEMO
from mot_dinov3.perception.features.base import RE_IDENTIFICATION
from mot_dinov3.perception.features.factory import embedder_kind
from mot_dinov3.values import SimilarityPrior


def find_prior(config: EmbedderConfig) -> SimilarityPrior:
    """The prior of the embedder that `config` names.

    Raises:
        UnknownNameError: no such embedder.
    """
    if config.embedder == NO_EMBEDDER or config.embed_model == DEMO:
        return RE_IDENTIFICATION
    return embedder_kind(config.embedder).prior
