"""When an object of this run is one that an earlier run knew."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require


@dataclass(frozen=True, slots=True)
class IdentityConfig:
    """Which identities outlive the run, and how alike an object must be to one of them."""

    gallery: str = flag(
        "",
        "--gallery",
        "file of identities that outlive a run, .npz: read before it, written after it",
        metavar="FILE",
    )
    gallery_gate: float = flag(
        0.0,
        "--gallery-gate",
        "least cosine of an object with the identity that it is; 0 takes that of the embedder",
        metavar="COSINE",
    )
    gallery_margin: float = flag(
        0.025,
        "--gallery-margin",
        "how much less all other identities must be like an object, as a cosine",
        metavar="COSINE",
    )
    gallery_known: bool = flag(
        False, "--gallery-known", "recognise the identities of --gallery, and leave it as it is"
    )

    def __post_init__(self) -> None:
        for name, value in (
            ("--gallery-gate", self.gallery_gate),
            ("--gallery-margin", self.gallery_margin),
        ):
            require(0 <= value <= 1, name, "between 0 and 1", value)
