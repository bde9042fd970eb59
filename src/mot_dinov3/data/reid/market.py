"""A data set of re-identification: what is learned from, what is asked for, what is searched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mot_dinov3.data.reid.crops import Crops, read_crops
from mot_dinov3.errors import InputError, find_path

TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"
"""The folders of Market-1501."""


@dataclass(frozen=True, slots=True)
class SearchSet:
    """Pictures to ask for and pictures to find them in.

    Attributes:
        query: each is asked for.
        gallery: is searched; identities are numbered as in `query` where the names are the same.
    """

    query: Crops
    gallery: Crops


def read_training_crops(folder: Path) -> Crops:
    """Read what a model learns from: `bounding_box_train` of a data set, or the folder itself.

    Raises:
        InputError: there are no pictures of identities.
    """
    inner = folder / TRAIN
    return read_crops(inner if inner.is_dir() else folder)


def read_search_set(folder: Path) -> SearchSet:
    """Read what a model is measured on: `query` and `bounding_box_test` of a data set.

    Raises:
        InputError: one of them is not there, or has no pictures of identities.
    """
    missing = [name for name in (QUERY, GALLERY) if not (folder / name).is_dir()]
    if missing:
        raise InputError(
            f"'{folder}' has no folder '{missing[0]}'.",
            fix=f"Give a folder with '{QUERY}' and '{GALLERY}' as Market-1501 has them."
            if folder.is_dir()
            else find_path(folder),
        )
    query, gallery = read_crops(folder / QUERY), read_crops(folder / GALLERY)
    return SearchSet(query, renumber(gallery, query.names))


def renumber(crops: Crops, names: tuple[str, ...]) -> Crops:
    """Number identities as in `names`; those that are not in it come behind."""
    others = tuple(name for name in crops.names if name not in set(names))
    order = {name: i for i, name in enumerate((*names, *others))}
    table = np.array([order[name] for name in crops.names], np.int64)
    return replace(crops, identity=table[crops.identity], names=(*names, *others))
