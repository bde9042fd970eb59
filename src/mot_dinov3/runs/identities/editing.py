"""Changes of a gallery by hand: names, merging, removing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.io.formats.identity_gallery import MOST_NAME, IdentityGallery, KnownIdentity
from mot_dinov3.runs.identities.book import average
from mot_dinov3.wording import make_printable


def find_identity(gallery: IdentityGallery, who: str) -> KnownIdentity:
    """The identity with a name or an id.

    Raises:
        InputError: there is none, or several have the name.
    """
    known = gallery.identities
    found = [one for one in known.values() if one.name and one.name == who]
    if not found and who.isdecimal() and int(who) in known:
        found = [known[int(who)]]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(str(one.id) for one in found)
        raise InputError(f"Several identities are called '{who}'.", fix=f"Give one id: {ids}.")
    names = ", ".join(one.name or str(one.id) for one in list(known.values())[:12])
    raise InputError(
        f"The gallery knows no '{who}'.",
        fix=f"It knows {names or 'none yet'}; gallery list shows all.",
    )


def check_name(name: str) -> str:
    """A name as it may stand in a gallery.

    Raises:
        UsageError: it is empty, too long, a number, or has letters that cannot be shown.
    """
    name = name.strip()
    if not name or len(name) > MOST_NAME or name.isdecimal() or make_printable(name) != name:
        raise UsageError(
            f"'{make_printable(name[:40])}' is not a name for an identity.",
            fix=f"Use 1 to {MOST_NAME} letters on one line, not digits alone: those are ids.",
        )
    return name


def rename(gallery: IdentityGallery, who: str, name: str) -> KnownIdentity:
    """Give an identity a name that no other one has.

    Raises:
        MotError: there is no such identity, or the name cannot be used.
    """
    one, name = find_identity(gallery, who), check_name(name)
    if any(other.name == name and other.id != one.id for other in gallery.identities.values()):
        raise UsageError(
            f"Another identity is called '{name}' already.",
            fix="Take another name, or merge the two: gallery merge.",
        )
    gallery.identities[one.id] = replace(one, name=name)
    return gallery.identities[one.id]


def merge(gallery: IdentityGallery, whom: Sequence[str]) -> KnownIdentity:
    """Make one identity of several; the first one keeps its id, and its name if it has one.

    Raises:
        MotError: one of them is not there, or they are of several classes.
    """
    first, *others = dict.fromkeys(find_identity(gallery, who).id for who in whom)
    kept = gallery.identities[first]
    if not others:
        raise UsageError("One identity alone cannot be merged.", fix="Name two or more.")
    for number in others:
        other = gallery.identities[number]
        if other.class_name != kept.class_name:
            raise UsageError(
                f"{kept.label} is a {kept.class_name} and {other.label} a {other.class_name}: "
                "they are not one.",
                fix="Merge identities of one class only.",
            )
    for number in others:
        other = gallery.identities.pop(number)
        kept = replace(kept.learn(other.vectors), name=kept.name or other.name)
    gallery.identities[first] = kept
    return kept


def remove(gallery: IdentityGallery, whom: Sequence[str]) -> list[KnownIdentity]:
    """Forget identities; their ids are not given again.

    Raises:
        InputError: one of them is not there; nothing is removed then.
    """
    found = {one.id: one for one in (find_identity(gallery, who) for who in whom)}
    for number in found:
        del gallery.identities[number]
    return list(found.values())


def find_alike(
    gallery: IdentityGallery, one: KnownIdentity, most: int = 3
) -> list[tuple[float, KnownIdentity]]:
    """The other identities of a class that are most like one of it: (cosine, identity)."""
    mean = average(one.vectors)
    others = [
        (float(average(other.vectors) @ mean), other)
        for other in gallery.identities.values()
        if other.id != one.id and other.class_name == one.class_name
    ]
    return sorted(others, key=lambda pair: -pair[0])[:most]
