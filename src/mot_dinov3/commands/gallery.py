"""`python cli.py gallery`: the identities that outlive a run, shown, named, merged, enrolled."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mot_dinov3.commands import set_up_log
from mot_dinov3.commands.flags import add_flags
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import EXIT_OK, InputError, UsageError, find_path
from mot_dinov3.wording import counted, make_printable, usage_name

if TYPE_CHECKING:
    from mot_dinov3.io.formats.identity_gallery import IdentityGallery, KnownIdentity

DESCRIPTION = """Show or change a gallery: the identities that --gallery keeps from run to run.
list FILE shows all; show FILE [WHO ...] what is known of them; rename FILE WHO NAME; merge FILE
WHO WHO ... makes one of several, and the first one keeps its id; remove FILE WHO ... forgets;
enrol FILE --folder DIR [--name NAME] adds the object in the pictures of a folder, or one of each
folder in it. WHO is a name or an id."""

WORDS = {"list": "", "show": "...", "rename": "WHO NAME", "merge": "WHO WHO ...",
         "remove": "WHO ...", "enrol": ""}  # fmt: skip
"""Action -> the words after the file."""
KEYS = ("embedder", "embed_model", "crop_pad", "crop_square", "device", "det", "conf")
"""The settings of tracking that say how a picture is embedded, and what finds the object in it."""
ONLY_ENROL = ("folder", "name", "class_name")


def parser() -> CommandParser:
    """The action, the file, and the flags of enrolment."""
    out = CommandParser(prog=usage_name("gallery"), description=DESCRIPTION)
    add = out.add_argument
    add("action", choices=tuple(WORDS), metavar="ACTION", help=", ".join(WORDS))
    add("file", type=Path, metavar="FILE", help="file of --gallery")
    add("who", nargs="*", metavar="WHO", help="names or ids; for rename the new name comes last")
    add("--folder", type=Path, metavar="DIR", help="pictures, or a folder of pictures each name")
    add("--name", metavar="NAME", help="who is in the pictures; by default the folder's name")
    add("--class", dest="class_name", metavar="NAME", help="what it is (default: person)")
    shown = ("--embedder", "--embed-model", "--det", "--device")
    add_flags(out, TrackConfig, ("embedder", "device", "detector"), only=KEYS, common=shown)
    out.default_words["det"] = "the whole picture is the object"
    add("-q", "--quiet", action="store_true", help="print errors only")
    add("--debug", action="store_true", help="print the full traceback of an error")
    return out


def run(args: argparse.Namespace) -> int:
    """Do what the action says."""
    set_up_log(verbose=False, debug=args.debug, quiet=args.quiet)
    wanted = WORDS[args.action]
    least, more = wanted.count("WHO") + wanted.count("NAME"), wanted.endswith("...")
    if len(args.who) < least or (len(args.who) > least and not more):
        raise UsageError(
            f"gallery {args.action} takes {wanted or 'no word'} after the file, "
            f"got {' '.join(args.who) or 'none'}.",
            fix=f"See {usage_name('gallery')} --help.",
        )
    enrols = args.action == "enrol"
    if not enrols and any(getattr(args, name) is not None for name in ONLY_ENROL):
        raise UsageError(
            "--folder, --name and --class belong to gallery enrol.", fix="Leave them out."
        )
    if not enrols and not args.file.is_file():
        raise InputError(f"'{args.file}' is not a file.", fix=find_path(args.file))
    said = ACTIONS[args.action](args)
    if not args.quiet or args.action in ("list", "show"):
        print(said)
    return EXIT_OK


def _list(args: argparse.Namespace) -> str:
    from mot_dinov3.io.formats.identity_gallery import read_gallery

    gallery = read_gallery(args.file)
    rows = [("id", "name", "class", "embeddings", "last seen", "in"), *map(_row, _all(gallery))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(w.ljust(n) for w, n in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    number = counted(len(gallery.identities), "identity", "identities")
    return "\n".join([*lines, f"{number}, made with {gallery.embedder or 'no embedder yet'}"])


def _all(gallery: IdentityGallery) -> list[KnownIdentity]:
    return list(gallery.identities.values())


def _row(one: KnownIdentity) -> tuple[str, ...]:
    seen = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.time_s))
    texts = (str(one.id), one.name, one.class_name, str(len(one.vectors)), seen, one.source)
    return tuple(map(make_printable, texts))


def _show(args: argparse.Namespace) -> str:
    from mot_dinov3.io.formats.identity_gallery import read_gallery
    from mot_dinov3.runs.identities.editing import find_alike, find_identity

    gallery, lines = read_gallery(args.file), []
    for one in [find_identity(gallery, who) for who in args.who] or _all(gallery):
        number, name, class_name, count, seen, source = _row(one)
        lines.append(f"{number}  {name or '(no name)'}: {class_name}, {count} embeddings")
        lines.append(f"   last seen {seen} in {source}")
        alike = [f"{other.label} {cosine:.2f}" for cosine, other in find_alike(gallery, one)]
        lines.append(f"   most alike: {', '.join(alike) or 'no other'}")
    return "\n".join(lines)


def _edit(args: argparse.Namespace) -> str:
    from mot_dinov3.io.formats.identity_gallery import edit_gallery
    from mot_dinov3.runs.identities.editing import merge, remove, rename

    with edit_gallery(args.file) as gallery:
        if args.action == "rename":
            one = rename(gallery, *args.who)
            return f"{one.id} is called {one.name}"
        if args.action == "merge":
            kept = merge(gallery, args.who)
            return f"{', '.join(args.who)} are one: {kept.id} {kept.name}".rstrip()
        return f"removed {', '.join(one.label for one in remove(gallery, args.who))}"


def _enrol(args: argparse.Namespace) -> str:
    from mot_dinov3.commands.gallery_enrolment import enrol

    if args.folder is None:
        raise UsageError("gallery enrol needs --folder.", fix="Name a folder of pictures.")
    return enrol(args)


ACTIONS: dict[str, Callable[[argparse.Namespace], str]] = {
    "list": _list, "show": _show, "enrol": _enrol,
    **dict.fromkeys(("rename", "merge", "remove"), _edit),
}  # fmt: skip
"""Action -> what does it and says what was done."""
