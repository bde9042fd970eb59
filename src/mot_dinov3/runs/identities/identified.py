"""A system whose tracks have the ids of a gallery, and are called what it calls them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mot_dinov3.runs.identities.resolver import IdentityResolver
from mot_dinov3.systems.base import System, WrappedSystem
from mot_dinov3.values import Frame, FrameResult


class IdentifiedSystem(WrappedSystem):
    """Tracks as another system does, under ids behind all that the gallery has given so far."""

    def __init__(self, system: System, resolver: IdentityResolver) -> None:
        super().__init__(system)
        self._resolver = resolver

    def step(self, frame: Frame) -> FrameResult:
        """Track one frame, and say of its tracks which identities are known."""
        result, resolver = self._system.step(frame), self._resolver
        ids = result.tracks.id
        raised = np.where(ids > 0, ids + resolver.offset, ids)
        result = replace(result, tracks=replace(result.tracks, id=raised))
        resolver.observe(result)
        labels = {number: resolver.label(number) for number in raised.tolist()}
        return replace(result, known={number: name for number, name in labels.items() if name})
