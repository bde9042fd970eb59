"""What a preset is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mot_dinov3.data.synthetic.world import ClipConfig, World

C = TypeVar("C", bound=ClipConfig)


@dataclass(frozen=True, slots=True)
class Preset(Generic[C]):
    """A world with a name.

    Attributes:
        title: what happens in it, in a line.
        clip: seed, size, rate and length unless others are asked for.
        build: makes the world of a clip.
    """

    title: str
    clip: C
    build: Callable[[C], World]
