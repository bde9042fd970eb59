"""What a search is about: two searches of one purpose make the same trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from mot_dinov3 import __version__
from mot_dinov3.config.flat import as_dict
from mot_dinov3.lab.recordings.cache import Cache
from mot_dinov3.lab.tuning.objective import Objective
from mot_dinov3.lab.tuning.report import replayed_keys
from mot_dinov3.lab.tuning.space import Space


def purpose_of(
    caches: Mapping[str, Cache], space: Space, objective: Objective, seed: int
) -> dict[str, Any]:
    """Topic -> plain value of everything that decides which trials are made."""
    start = as_dict(space.base)
    return {
        "recordings (--cache, --held-out)": {
            name: [cache.origin.content, asdict(cache.recipe)["settings"], cache.repeated,
                   cache.recipe.detector_weights, cache.recipe.embedder_weights]
            for name, cache in caches.items()
        },
        "settings to search (--tune)": {
            key: [item.low, item.high, item.digits] for key, item in space.settings.items()
        },
        "objective": asdict(objective),
        "start (flags, --config)": {key: start[key] for key in replayed_keys()},
        "seed": seed,
        "version": __version__,
    }  # fmt: skip
