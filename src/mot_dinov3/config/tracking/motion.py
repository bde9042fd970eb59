"""How boxes move, and what a moving camera does to them."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require

SIZE_BASES = ("mean", "height", "sides", "root")


@dataclass(frozen=True, slots=True)
class MotionConfig:
    """What predicts boxes, its noise, and where the camera's own motion comes from."""

    motion: str = flag("kalman", "--motion", "model that predicts where tracks are", metavar="NAME")
    cmc: str = flag("none", "--cmc", "where the motion of the camera comes from", metavar="NAME")
    steady: bool = flag(
        True, "--steady", "take a shift that all boxes share for the motion of the camera"
    )
    position_noise: float = flag(
        0.045,
        "--position-noise",
        "jitter of a box in 1/30 s, as a part of the box size",
        metavar="SHARE",
    )
    velocity_noise: float = flag(
        1 / 200,
        "--velocity-noise",
        "change of the velocity of a box in 1/30 s, as a part of the box size",
        metavar="SHARE",
    )
    measurement_noise: float = flag(
        0.12,
        "--measurement-noise",
        "error of a detected box, as a part of the box size",
        metavar="SHARE",
    )
    noise_by_score: float = flag(
        1.0,
        "--noise-by-score",
        "part of the measurement noise that a detection of confidence 1 keeps; 1 for all alike",
        metavar="SHARE",
    )
    size_basis: str = flag(
        "root",
        "--size-basis",
        "the size of a box: mean of its sides, height, each side, or root of its area",
        choices=SIZE_BASES,
    )
    damping: float = flag(
        0.993,
        "--damping",
        "part of its speed that an unseen track keeps in 1/30 s",
        metavar="SHARE",
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
        require(
            self.size_basis in SIZE_BASES,
            "--size-basis",
            f"one of {', '.join(SIZE_BASES)}",
            self.size_basis,
        )
