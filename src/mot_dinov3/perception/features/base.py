"""What an embedder is to the rest of the house, and what it is told about where to run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from mot_dinov3.config import DeviceConfig
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.values import FloatArray, Image


class Embedder(Protocol):
    """Describes the look of boxes of a frame.

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


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how an embedder runs, and beside whom.

    Attributes:
        device: torch device string.
        config: backend and precision as the user gave them.
        upload: brings frames to the device, shared with whoever else runs there; None to cut
            crops on the CPU.
        graphs: record batches as CUDA graphs.
        detector: whoever finds the boxes; needed by those who describe them by its features.
    """

    device: str
    config: DeviceConfig = field(default_factory=DeviceConfig)
    upload: FrameUpload | None = None
    graphs: bool = True
    detector: object = None
