"""What an embedder is to the rest of the package, and what its table says of it.

A new embedder is one file with a class that fits `Embedder` and an `EmbedderKind` that loads it,
and one line in `factory.EMBEDDERS`::

    FACES = EmbedderKind(load_faces)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from mot_dinov3.config import DeviceConfig, EmbedderConfig
from mot_dinov3.perception.detectors.base import Detector
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.values import FloatArray, Image, SimilarityPrior

RE_IDENTIFICATION = SimilarityPrior(gate=0.7, trusted=True)
"""Models made to tell people apart; 0.7 is where strangers of OSNet and of the demo begin."""


GENERAL = SimilarityPrior(trusted=False)
"""Features of everything, which may or may not tell the objects of one class apart."""


class Embedder(Protocol):
    """Describes the appearance of boxes of a frame.

    Attributes:
        device: torch device string, which is waited for at both ends of timed work.
    """

    device: str

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def title(self) -> str:
        """What runs, for the summary, such as "facebook/dinov2-base 224 px, cpu, torch fp32"."""

    @property
    def fingerprint(self) -> str:
        """What tells its weights from others, see `weights_digest`.

        It also names what else decides the vectors and is not said by the settings for crops, such
        as the size of whole pictures. It is read once, like that of a `Detector`.

        Raises:
            InputError: the weights cannot be read any more.
        """

    @property
    def whole_frame(self) -> bool:
        """Whether it looks at the whole picture at once: more boxes of it cost nothing."""

    @property
    def has_own_cost(self) -> bool:
        """Whether it runs a network of its own, whose first calls have to be paid for."""

    @property
    def has_memory(self) -> bool:
        """Whether what it says of a frame depends on the frames before."""

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """One vector per box, all boxes in one batch.

        Args:
            image: (H, W, 3) uint8 BGR, the whole frame.
            xyxy: (M, 4) float32 boxes in its pixels; may reach over the border.

        Returns:
            (M, dim) float32, unit rows; a row that could not be computed holds NaN.
        """


@runtime_checkable
class BucketedEmbedder(Protocol):
    """An embedder that may fill its batches up to a few sizes.

    Attributes:
        buckets: those sizes, smallest first; none while every batch runs as it is.
    """

    @property
    def buckets(self) -> tuple[int, ...]:
        """Sizes that batches are filled up to."""


def find_buckets(embedder: object) -> tuple[int, ...]:
    """The sizes that an embedder, or a network, fills its batches up to; none for most."""
    return embedder.buckets if isinstance(embedder, BucketedEmbedder) else ()


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how an embedder runs, and beside which detector.

    Attributes:
        device: torch device string.
        config: backend and precision as the user gave them.
        upload: brings frames to the device, shared with a detector that runs there; None to cut
            crops on the CPU.
        graphs: record batches as CUDA graphs.
        detector: finds the boxes; an embedder may describe them by its features. None without.
    """

    device: str
    config: DeviceConfig = field(default_factory=DeviceConfig)
    upload: FrameUpload | None = None
    graphs: bool = True
    detector: Detector | None = None


@dataclass(frozen=True, slots=True)
class EmbedderKind:
    """A row of the table: how an embedder is loaded, and what is asked before it is.

    Attributes:
        load: builds the embedder, weights loaded and run once, from the settings of embedders and
            from where it runs. Raises `MotError` where that is not possible.
        needs_pixels: it looks at pictures, so a source without images is refused.
        prior: what is known of its cosines; general features are not trusted to tell objects of
            one class apart before the run shows it.
        read_prior: the same, read from the model that the settings name; None where no model
            says it.
    """

    load: Callable[[EmbedderConfig, Placement], Embedder]
    needs_pixels: bool = True
    prior: SimilarityPrior = GENERAL
    read_prior: Callable[[EmbedderConfig], SimilarityPrior] | None = None
