"""What is done about a camera or a stream that drops out, or is faster than tracking."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """Dropouts of a live source, and which of its frames are tracked."""

    reconnect: int = flag(
        0, "--reconnect", "tries to reach a live source again when it drops out, -1 for no limit"
    )
    read_timeout: float = flag(
        15.0, "--read-timeout", "seconds of silence after which a live source has dropped out"
    )
    no_drop: bool = flag(
        False, "--no-drop", "let a live source wait instead of skipping to its newest frame"
    )

    def __post_init__(self) -> None:
        require(-1 <= self.reconnect <= 1_000_000, "--reconnect", "-1 or more", self.reconnect)
        require(0.1 <= self.read_timeout <= 3600, "--read-timeout", "between 0.1 and 3600",
                self.read_timeout)  # fmt: skip
