"""What a run learns from and is measured on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from torch import Tensor

from mot_dinov3.data.reid.crops import COLUMNS, Crops, join_crops
from mot_dinov3.data.reid.market import SearchSet, read_search_set, read_training_crops
from mot_dinov3.errors import InputError
from mot_dinov3.evaluation.reid.ranking import find_pairs
from mot_dinov3.training.recipes.reid.pictures import LoadedCrops, Size, load_crops
from mot_dinov3.values import BoolArray
from mot_dinov3.wording import counted

log = logging.getLogger("mot_dinov3")

LINE_EVERY_S = 10.0
FEWEST_HELD_OUT = 4
"""Identities: with fewer, what is measured on them says little and the others need them."""


@dataclass(frozen=True, slots=True)
class LoadedSearch:
    """A search set with its pixels.

    Attributes:
        pictures: Q queries and G pictures that are searched.
        pixels: (Q + G, 3, h, w) uint8 RGB, query first.
    """

    pictures: SearchSet
    pixels: Tensor


def load_training_set(folders: Sequence[str], size: Size) -> LoadedCrops:
    """Read known identities of one folder or several; those of different folders are different.

    Raises:
        InputError: nothing can be read, or there are not two identities.
    """
    if not folders:
        raise InputError(
            "There is nothing to learn from.",
            fix="Add --data DIR, with a folder for each identity or Market-1501's names.",
        )
    parts = [read_training_crops(Path(folder)) for folder in folders]
    prefixes = [f"{i}/" for i in range(len(parts))] if len(parts) > 1 else [""]
    loaded = read_pictures(join_crops(parts, prefixes) if len(parts) > 1 else parts[0], size)
    if loaded.crops.identities < 2:
        raise InputError(
            f"'{folders[0]}' shows {counted(loaded.crops.identities, 'identity', 'identities')} "
            "alone, and telling identities apart needs two.",
            fix="Give pictures of more identities with --data.",
        )
    return loaded


def read_pictures(crops: Crops, size: Size) -> LoadedCrops:
    """Read the pixels of crops and say how it goes on, and what could not be read.

    Raises:
        InputError: none can be read.
    """
    said_s = perf_counter()

    def progress(done: int, total: int) -> None:
        nonlocal said_s
        if perf_counter() - said_s >= LINE_EVERY_S:
            said_s = perf_counter()
            log.info("read %d of %d pictures.", done, total)

    loaded = load_crops(crops, size, progress)
    if not len(loaded.crops):
        raise InputError(
            f"None of the {counted(len(crops), 'picture')} in '{crops.paths[0].parent}' can be "
            "read.",
            fix="Check that they are whole and open in an image viewer.",
        )
    if loaded.unreadable:
        log.warning("%s could not be read and are left out.", counted(loaded.unreadable, "picture"))
    return loaded


def load_search_set(folder: Path, size: Size) -> LoadedSearch:
    """Read what a run is measured on, and make sure that it can be, before anything is learned.

    Raises:
        InputError: there is nothing to find, or nothing to take it for.
    """
    found = read_search_set(folder)
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(found.query, name), getattr(found.gallery, name)])
        for name in COLUMNS
    }
    both = replace(found.gallery, paths=(*found.query.paths, *found.gallery.paths), **columns)
    query = np.arange(len(both)) < len(found.query)
    rows = {path: row for row, path in enumerate(both.paths)}
    loaded = read_pictures(both, size)
    search = split_search(loaded, query[[rows[path] for path in loaded.crops.paths]])
    if not find_pairs(search.pictures.query, search.pictures.gallery).strangers.any():
        raise InputError(
            f"'{folder}' shows no identity that another camera could take for a query.",
            fix="Give a set that shows identities in two cameras or more.",
        )
    return search


def hold_out(loaded: LoadedCrops, share: float, seed: int) -> tuple[LoadedCrops, LoadedCrops]:
    """Part identities: those to learn from, and a share that is measured on.

    Identities that two cameras saw come first, as they are what has to be found again.

    Args:
        loaded: all of them.
        share: of the identities that is held out; few identities are not parted at all, and two
            are left in any case.
        seed: decides which.

    Returns:
        What is left and what is held out, each with identities numbered from 0; the second may
        be empty.
    """
    crops = loaded.crops
    identities = np.unique(crops.identity)
    views = np.array([len(np.unique(crops.camera[crops.identity == i])) for i in identities])
    order = np.random.default_rng([seed, 29]).permutation(len(identities))
    order = order[np.argsort(views[order] == 1, kind="stable")]
    count = min(int(share * len(identities)), len(identities) - 2)
    chosen = identities[order[: count if count >= FEWEST_HELD_OUT else 0]]
    held = np.isin(crops.identity, chosen)
    return _select(loaded, ~held), _select(loaded, held)


def _select(loaded: LoadedCrops, rows: BoolArray) -> LoadedCrops:
    part = loaded.crops[rows]
    shown, identity = np.unique(part.identity, return_inverse=True)
    names = tuple(part.names[i] for i in shown.tolist())
    kept = Crops(part.paths, identity, part.camera, part.sequence, part.frame, names, part.left_out)
    return LoadedCrops(kept, loaded.pixels[np.flatnonzero(rows)], loaded.unreadable)


def build_search(held: LoadedCrops) -> LoadedSearch | None:
    """A search among pictures held out: the first of each identity and camera asks for the others.

    None where no identity can be found again by another camera, or taken for another.
    """
    crops = held.crops
    seen = np.stack([crops.identity, crops.camera], axis=1)
    first = np.zeros(len(crops), bool)
    if len(crops):
        first[np.unique(seen, axis=0, return_index=True)[1]] = True
    search = split_search(held, first)
    try:
        pairs = find_pairs(search.pictures.query, search.pictures.gallery)
    except InputError:
        return None
    return search if pairs.strangers.any() else None


def split_search(loaded: LoadedCrops, query: BoolArray) -> LoadedSearch:
    """A search set from crops, of which `query` (N,) says what is asked for."""
    order = np.concatenate([np.flatnonzero(query), np.flatnonzero(~query)])
    pictures = SearchSet(loaded.crops[query], loaded.crops[~query])
    return LoadedSearch(pictures, loaded.pixels[order])
