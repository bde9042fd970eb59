"""The gallery of a run: read before it, asked while it goes on, written when it has ended."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mot_dinov3.config import IdentityConfig, TrackConfig
from mot_dinov3.errors import OutputError, UsageError
from mot_dinov3.io.formats.identity_gallery import (
    IdentityGallery,
    edit_gallery,
    read_gallery,
)
from mot_dinov3.outputs.sinks.renaming import NewIds
from mot_dinov3.runs.identities.book import Found, IdentityBook, IdentityRule
from mot_dinov3.runs.identities.resolver import IdentityResolver
from mot_dinov3.systems.base import LoadedSystem
from mot_dinov3.values import EmbedderMark
from mot_dinov3.values.run_facts import Recognition


class GalleryRun:
    """One run with a gallery.

    Attributes:
        resolver: decides which tracks are known.
        nothing: what the facts of a run say that did not come to its end.
        fingerprint: of the file as it was before the run; "" where there was none.
    """

    nothing: Mapping[str, Any] = {"recognised": (), "new_identities": 0}

    def __init__(
        self, config: IdentityConfig, mark: EmbedderMark, names: Mapping[int, str], source: str
    ) -> None:
        """Read the gallery.

        Args:
            config: which file, and how alike a known object must be.
            mark: of the embedder.
            names: class id -> name.
            source: name of the source.

        Raises:
            MotError: the file cannot be read or written, or another embedder made it.
        """
        self._path, self._mark, self._source = Path(config.gallery), mark, source
        self._keeps = not config.gallery_known
        if self._keeps:
            require_writable(self._path)
        gallery = read_gallery(self._path)
        if not self._keeps and not gallery.identities:
            raise UsageError(
                f"--gallery-known: '{self._path}' holds no identity.",
                fix="Leave it out, or enrol some: gallery enrol.",
            )
        gallery.require_embedder(mark.title, mark.fingerprint, self._path)
        rule = IdentityRule(config.gallery_gate or mark.gate, config.gallery_margin)
        self.resolver = IdentityResolver(gallery, rule, names)
        self.fingerprint = fingerprint_gallery(self._path)

    def find(self) -> tuple[NewIds, Mapping[str, Any]]:
        """Decide about the last tracks, and write what was learned into the gallery.

        Other runs may have written it meanwhile. Nothing of theirs is lost: the ids of this run go
        on behind theirs, and a new identity that is one of theirs becomes it.

        Returns:
            The new ids and names, and what the facts of the run say of them.

        Raises:
            MotError: the gallery cannot be read or written.
        """
        resolver = self.resolver
        resolver.finish()
        if not self._keeps:
            return self._resolve(read_gallery(self._path), 0, {})
        with edit_gallery(self._path) as gallery:
            gallery.require_embedder(self._mark.title, self._mark.fingerprint, self._path)
            taken = gallery.next_id - 1
            shift = max(taken, resolver.most) - resolver.offset if taken > resolver.offset else 0
            joined = self._find_joined(gallery)
            resolved = self._resolve(gallery, shift, joined)
            self._store(gallery, shift, joined)
            return resolved

    def _find_joined(self, gallery: IdentityGallery) -> dict[int, Found]:
        """New identities that another run has added meanwhile: own id -> theirs."""
        resolver = self.resolver
        added = (one for number, one in gallery.identities.items() if number > resolver.offset)
        others, joined = IdentityBook(list(added)), {}
        for own in resolver.new_identities():
            found = others.find(own.vectors, own.class_name, (), resolver.rule)
            if found is not None:
                joined[own.id] = found
        return joined

    def _store(self, gallery: IdentityGallery, shift: int, joined: Mapping[int, Found]) -> None:
        """Add what is new, and teach the known ones what they look like now."""
        for own in self.resolver.new_identities():
            number = own.id + shift
            if own.id in joined:
                self.resolver.learned.setdefault(own.id, []).insert(0, own.vectors)
            else:
                fresh = replace(own, id=number, source=self._source, time_s=time.time())
                gallery.identities[number] = fresh
        for number, parts in self.resolver.learned.items():
            target = self._follow(number, shift, joined)
            for vectors in parts:
                if target in gallery.identities:  # else it was removed while the run went on
                    known = gallery.identities[target]
                    gallery.identities[target] = known.learn(vectors, self._source)
        gallery.next_id = self.resolver.most + shift + 1

    def _follow(self, number: int, shift: int, joined: Mapping[int, Found]) -> int:
        """The final id of an identity as the resolver knows it."""
        if number in joined:
            return joined[number].id
        return number + shift if number > self.resolver.offset else number

    def _resolve(
        self, gallery: IdentityGallery, shift: int, joined: Mapping[int, Found]
    ) -> tuple[NewIds, Mapping[str, Any]]:
        """What became of the tracks, given what other runs have added meanwhile."""
        resolver, recognised = self.resolver, []
        own = range(resolver.offset + 1, resolver.most + 1)
        found = {**joined, **resolver.found}
        new_of = {}
        for number in own:
            before = found[number].id if number in resolver.found else number
            new_of[number] = final = self._follow(before, shift, joined)
            if number in found:
                known = gallery.identities.get(final)
                name = "" if known is None else known.name
                similarity = round(found[number].similarity, 4)
                recognised.append(Recognition(number, final, name, similarity))
        names = {number: one.name for number, one in gallery.identities.items() if one.name}
        changed = {old: new for old, new in new_of.items() if old != new}
        added = len(resolver.new_identities()) - len(joined) if self._keeps else 0
        facts = {"recognised": tuple(recognised), "new_identities": added}
        return NewIds(changed, names), facts


def require_writable(path: Path) -> None:
    """Refuse a gallery that cannot be written after a run, before the run.

    Raises:
        OutputError: it is read-only, or no file.
    """
    if path.exists() and not (path.is_file() and os.access(path, os.W_OK)):
        raise OutputError(
            f"The gallery '{path}' cannot be written.",
            fix="Give --gallery-known to recognise its identities only, or another file.",
        )


def fingerprint_gallery(path: Path) -> str:
    """A digest of a gallery, "" where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


def open_gallery(config: TrackConfig, system: LoadedSystem, source: str) -> GalleryRun | None:
    """The gallery of a run, None without `--gallery`.

    Args:
        config: all stages.
        system: loaded.
        source: name of the source.

    Raises:
        MotError: the gallery cannot be used.
    """
    if not config.identities.gallery:
        return None
    mark = system.describe_embedder(config)
    if mark is None:
        raise UsageError(
            "--gallery compares the appearance of objects, and this system knows none.",
            fix="Leave out --gallery, or give another --embedder.",
        )
    return GalleryRun(config.identities, mark, system.names, source)
