"""The models of a modular tracker, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mot_dinov3.config import NO_EMBEDDER
from mot_dinov3.perception.detectors.base import Detector
from mot_dinov3.perception.features.base import Embedder, find_buckets
from mot_dinov3.perception.searchers.base import Searcher


@dataclass(frozen=True, slots=True)
class Models:
    """Detector and embedders, loaded once and good for any number of clips, one after another.

    Attributes:
        detector: finds the objects.
        embedder: describes chosen detections, None for tracking by motion alone.
        cheap: describes every detection of every frame at almost no cost, None without.
        searcher: follows boxes where there is no detection of them, None without.
    """

    detector: Detector
    embedder: Embedder | None = None
    cheap: Embedder | None = None
    searcher: Searcher | None = None

    @property
    def device(self) -> str:
        """The torch device of the embedder, "cpu" without one."""
        return self.embedder.device if self.embedder is not None else "cpu"

    @property
    def buckets(self) -> tuple[int, ...]:
        """Sizes that the embedder fills its batches up to; none where all run as they are."""
        return find_buckets(self.embedder)

    @property
    def whole_frame(self) -> bool:
        """Whether the embedder looks at whole pictures, so that more embeddings cost nothing."""
        return self.embedder is not None and self.embedder.whole_frame


def describe_models(
    detector: Detector, embedder: Embedder | None, searcher: Searcher | None = None
) -> dict[str, str]:
    """Role -> title of the model in it."""
    both = {"detector": detector.title, "embedder": embedder.title if embedder else NO_EMBEDDER}
    return both | ({} if searcher is None else {"searcher": searcher.title})


def join_titles(models: Mapping[str, str]) -> str:
    """The models in one line, such as "detector yolov8n.pt 640 px, cpu; embedder none"."""
    return "; ".join(f"{role} {title}" for role, title in models.items())
