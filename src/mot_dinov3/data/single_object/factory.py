"""Which sequences `--data` means; a new kind of data set is one reader and one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from mot_dinov3.data.single_object.base import SingleObjectSequence
from mot_dinov3.errors import UsageError
from mot_dinov3.registry import Registry

RUN = "run"
LOG_SUFFIX = ".jsonl"

READERS = Registry(
    "data set",
    {
        "otb": (
            "mot_dinov3.data.single_object.folders:read_otb",
            "img/ and groundtruth_rect.txt, as OTB, UAV123 and LaSOT have them",
        ),
        "got10k": (
            "mot_dinov3.data.single_object.folders:read_got10k",
            "pictures, groundtruth.txt and absence.label, as GOT-10k has them",
        ),
        "mot": (
            "mot_dinov3.data.single_object.tracks:read_mot_tracks",
            "each long and well visible track of MOTChallenge sequences",
        ),
        "yolo": (
            "mot_dinov3.data.single_object.stills:read_stills",
            "each large object of images/ and labels/ is a sequence of one picture",
        ),
        RUN: (
            "mot_dinov3.data.single_object.tracks:read_run_tracks",
            "each long and well visible track of a finished run: RUN.jsonl,VIDEO",
        ),
    },
)
"""Name -> function from what follows it to a list of sequences."""


def read_sequences(spec: str) -> list[SingleObjectSequence]:
    """Read what `--data` names: the one door to sequences of single objects.

    Args:
        spec: `otb:DIR`, `got10k:DIR`, `mot:DIR`, or a frame log and its video, `RUN.jsonl,VIDEO`.

    Returns:
        One or more; pictures are not read yet, but for those of a video.

    Raises:
        UsageError: it names no data set.
        MotError: it cannot be read.
    """
    name, colon, argument = spec.partition(":")
    name = name.strip().lower()
    if name not in READERS and LOG_SUFFIX in spec:
        name, argument = RUN, spec
    elif not colon or not argument.strip():
        known = ", ".join(f"{one}:DIR" for one in READERS if one != RUN)
        raise UsageError(
            f"--data {spec} does not say what kind of data set it is.",
            fix=f"Give one of: {known}, or RUN{LOG_SUFFIX},VIDEO.",
        )
    read = cast("Callable[[str], list[SingleObjectSequence]]", READERS.load(name))
    return read(argument.strip())
