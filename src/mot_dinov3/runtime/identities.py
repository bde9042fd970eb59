"""Counts the identities of a run: how many confirmed tracks there were of each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from mot_dinov3.values import Tracks
from mot_dinov3.wording import name_class


class IdentityCounter:
    """Counts every confirmed track once; memory grows with the number of tracks."""

    def __init__(self) -> None:
        self._frames: Counter[tuple[int, int]] = Counter()

    def add(self, tracks: Tracks) -> None:
        """Take the tracks of the next frame."""
        seen = tracks.present
        self._frames.update(
            zip(tracks.id[seen].tolist(), tracks.class_id[seen].tolist(), strict=True)
        )

    def count(
        self, names: Mapping[int, str], new_of: Mapping[int, int] | None = None
    ) -> dict[str, int]:
        """Class name -> number of tracks, the most frequent class first.

        A track whose class changed is of the class that it had in most frames.

        Args:
            names: class id -> class name.
            new_of: id of a track that was merged -> the id that takes its place.
        """
        merged = new_of or {}
        frames: dict[int, Counter[int]] = {}
        for (track_id, class_id), n in self._frames.items():
            frames.setdefault(merged.get(track_id, track_id), Counter())[class_id] += n
        found = Counter(classes.most_common(1)[0][0] for classes in frames.values())
        out: Counter[str] = Counter()
        for class_id, n in sorted(found.items()):
            out[name_class(class_id, names)] += n
        return dict(out.most_common())
