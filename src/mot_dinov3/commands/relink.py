"""`python cli.py relink`: merges identities that a finished run has split."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from mot_dinov3.commands import set_up_log
from mot_dinov3.commands.flags import add_flags, environment_layer, resolve
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import RelinkConfig, TrackConfig, flag_fields
from mot_dinov3.config.flat import key_of
from mot_dinov3.config.tracking.outputs import flag_of_sink
from mot_dinov3.errors import EXIT_OK, InputError, UsageError, find_path
from mot_dinov3.outputs.sinks.factory import SINKS
from mot_dinov3.outputs.summary import format_merge
from mot_dinov3.wording import counted, form_of, usage_name

if TYPE_CHECKING:
    from mot_dinov3.values.run_facts import TrackMerge

DESCRIPTION = """Merge the identities that a run split. Its frame log (--save-jsonl) and its
embeddings (--save-embeddings) are read, and written with the new identities into a directory, with
relinked.json, which says who was merged with whom. The files that are read stay as they are. For
the video call render with the new frame log."""

NEEDED = ("jsonl", "embeddings")
"""The files that say who is one, by the names of their sinks."""
TABLE = "relinked.json"


def parser() -> CommandParser:
    """The files, and the limits of the main job."""
    out = CommandParser(prog=usage_name("relink"), description=DESCRIPTION)
    add = out.add_argument
    add("--jsonl", type=Path, required=True, metavar="FILE", help="file of --save-jsonl")
    add("--embeddings", type=Path, required=True, metavar="FILE", help="file of --save-embeddings")
    for name in find_renamed():
        text = f"file of {flag_of_sink(name)}, to be renamed too"
        add(f"--{name}", type=Path, metavar="FILE", help=text)
    add("--out", type=Path, required=True, metavar="DIR", help="directory of the new files")
    limits = [item for item in flag_fields(RelinkConfig) if item.name != "relink"]
    shown = [item.metadata["flag"] for item in limits]
    add_flags(out, TrackConfig, ("relink",), only=[key_of(item) for item in limits], common=shown)
    add_flags(out, TrackConfig, ("talk",))
    return out


def find_renamed() -> list[str]:
    """The sinks whose files can be rewritten too, beside those that are needed."""
    return [name for name in SINKS if name not in NEEDED and SINKS.load(name).rename is not None]


def run(args: argparse.Namespace) -> int:
    """Find the identities that are one, and write the files again."""
    files = {name: getattr(args, name) for name in (*NEEDED, *find_renamed())}
    chosen = {k: v for k, v in vars(args).items() if k not in {*files, "out"}}
    config = resolve(TrackConfig, chosen, None, environment_layer())
    talk = config.talk
    set_up_log(verbose=talk.verbose, debug=talk.debug, quiet=talk.quiet)
    given = {kind: path for kind, path in files.items() if path is not None}
    check_files(given, args.out)
    from mot_dinov3.runs.relink.collector import read_tracklets
    from mot_dinov3.runs.relink.linking import find_merges

    tracklets = read_tracklets(args.jsonl, args.embeddings)
    merges = find_merges(tracklets, config.relink)
    write_renamed(given, args.out, merges)
    if not talk.quiet:
        print(format_merged(merges, len(tracklets), args.out), file=sys.stderr)
    return EXIT_OK


def check_files(given: dict[str, Path], directory: Path) -> None:
    """Refuse what cannot be read, and what would be written over what is read.

    Raises:
        InputError: a file is missing.
        UsageError: two files have one name.
        OutputError: the directory takes no files.
    """
    from mot_dinov3.io.write.paths import check_output

    taken: dict[str, Path] = {TABLE: Path(TABLE)}
    for path in given.values():
        if not path.is_file():
            raise InputError(f"'{path}' is not a file.", fix=find_path(path))
        if path.name in taken:
            raise UsageError(
                f"'{path}' and '{taken[path.name]}' would have one name in --out.",
                fix="Rename one of them.",
            )
        taken[path.name] = path
        check_output(directory / path.name, path, no_clobber=False)
    check_output(directory / TABLE, None, no_clobber=False)


def write_renamed(given: dict[str, Path], directory: Path, merges: list[TrackMerge]) -> None:
    """Write every file under the new identities, then give all of them their names."""
    from mot_dinov3.runs.relink.renaming import Renaming

    with Renaming({merge.old: merge.new for merge in merges}) as renaming:
        for kind, path in given.items():
            renaming.rewrite(path, SINKS.load(kind).rename, directory / path.name)
        table = renaming.reserve(directory / TABLE)
        table.write_text(json.dumps([asdict(merge) for merge in merges], indent=1) + "\n")
        renaming.publish()


def format_merged(merges: list[TrackMerge], identities: int, directory: Path) -> str:
    """Which identities were merged, and where the new files are."""
    number = counted(identities, "identity", "identities")
    others = form_of(len(merges), "another", "others")
    lines = [f"{number}, {len(merges)} of them merged into {others}"]
    lines += [format_merge(merge) for merge in merges]
    return "\n".join([*lines, f"wrote {directory}"])
