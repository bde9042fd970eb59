"""How boxes move, and what a moving camera does to them."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require

SIZE_BASES = ("mean", "height", "sides", "root")


@dataclass(frozen=True, slots=True)
class MotionConfig:
    """What predicts boxes, its noise, and where the camera's own motion comes from."""

    motion: str = flag("kalman", "--motion", "what predicts where tracks are: kalman")
    cmc: str = flag("none", "--cmc", "camera motion: none, flow (optical flow) or file:FILE")
    steady: bool = flag(True, "--steady", "take a shift that all boxes share for the camera's")
    position_noise: float = flag(
        0.045, "--position-noise", "box jitter per 1/30 s, as a share of the box size"
    )
    velocity_noise: float = flag(
        1 / 200, "--velocity-noise", "change of velocity per 1/30 s, as a share of the box size"
    )
    measurement_noise: float = flag(
        0.12, "--measurement-noise", "error of a detected box, as a share of the box size"
    )
    noise_by_score: float = flag(
        1.0, "--noise-by-score", "share of that error left to a certain box, 1 for all boxes alike"
    )
    size_basis: str = flag("root", "--size-basis", "what a box size is", choices=SIZE_BASES)
    damping: float = flag(
        0.993, "--damping", "share of its speed that an unseen track keeps in 1/30 s"
    )
    re_update: bool = flag(
        False, "--re-update", "correct a returned track along a straight path (OC-SORT)"
    )

    def __post_init__(self) -> None:
        for name, value in (
            ("--position-noise", self.position_noise),
            ("--velocity-noise", self.velocity_noise),
            ("--measurement-noise", self.measurement_noise),
            ("--noise-by-score", self.noise_by_score),
            ("--damping", self.damping),
        ):
            require(0 < value <= 1, name, "above 0 and at most 1", value)
        require(self.size_basis in SIZE_BASES, "--size-basis", f"one of {', '.join(SIZE_BASES)}",
                self.size_basis)  # fmt: skip
