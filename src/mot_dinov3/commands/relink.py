"""`python cli.py relink`: merges identities that a run has split, or that several runs share."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3.commands import set_up_log
from mot_dinov3.commands.flags import add_flags, environment_layer, resolve
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import RelinkConfig, TrackConfig, flag_fields
from mot_dinov3.config.flat import key_of
from mot_dinov3.config.tracking.outputs import flag_of_sink
from mot_dinov3.errors import EXIT_OK, InputError, UsageError, find_path
from mot_dinov3.outputs.sinks.factory import SINKS
from mot_dinov3.outputs.summary import format_merge
from mot_dinov3.wording import counted, form_of, make_printable, usage_name

if TYPE_CHECKING:
    from mot_dinov3.runs.identities.run_set import Presence
    from mot_dinov3.values.run_facts import TrackMerge

RunFiles = Mapping[str, Sequence[Path]]
"""Name of a sink -> its file of each run."""

DESCRIPTION = """Merge the identities that a run split. Its frame log (--save-jsonl) and its
embeddings (--save-embeddings) are read, and written with the new identities into a directory, with
relinked.json, which says who was merged with whom. The files that are read stay as they are. For
the video call render with the new frame log. With the files of several runs, in the same order
after each flag, all runs get one set of ids: who is in several of them has one id in all."""

NEEDED = ("jsonl", "embeddings")
"""The files that say who is one, by the names of their sinks."""
BETWEEN_RUNS = ("gallery_gate", "gallery_margin")
"""The settings that say when identities of two runs are one."""
TABLE = "relinked.json"


def parser() -> CommandParser:
    """The files, and the limits of the main job."""
    out = CommandParser(prog=usage_name("relink"), description=DESCRIPTION)
    add = out.add_argument
    several: dict[str, Any] = {"type": Path, "nargs": "+", "metavar": "FILE"}
    for name in NEEDED:
        add(f"--{name}", required=True, help=f"file of {flag_of_sink(name)}", **several)
    for name in find_renamed():
        text = f"file of {flag_of_sink(name)}, to be renamed too"
        add(f"--{name}", help=text, **several)
    add("--out", type=Path, required=True, metavar="DIR", help="directory of the new files")
    limits = [item for item in flag_fields(RelinkConfig) if item.name != "relink"]
    shown = [item.metadata["flag"] for item in limits]
    add_flags(out, TrackConfig, ("relink",), only=[key_of(item) for item in limits], common=shown)
    add_flags(out, TrackConfig, ("identities",), only=BETWEEN_RUNS)
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
    given = {kind: paths for kind, paths in files.items() if paths is not None}
    check_files(given, args.out)
    relink = relink_one if len(args.jsonl) == 1 else relink_several
    said = relink(given, args.out, config)
    if not talk.quiet:
        print(said, file=sys.stderr)
    return EXIT_OK


def relink_one(given: RunFiles, directory: Path, config: TrackConfig) -> str:
    """Merge the identities of one run; returns what to say of it."""
    from mot_dinov3.io.formats.frame_log import FrameLog
    from mot_dinov3.runs.relink.collector import read_tracklets
    from mot_dinov3.runs.relink.linking import find_merges

    tracklets = read_tracklets(FrameLog(given["jsonl"][0]), given["embeddings"][0])
    merges = find_merges(tracklets, config.relink)
    new_of = {merge.old: merge.new for merge in merges}
    write_renamed(given, directory, [new_of], [asdict(merge) for merge in merges])
    return format_merged(merges, len(tracklets), directory)


def relink_several(given: RunFiles, directory: Path, config: TrackConfig) -> str:
    """Give several runs one set of ids; returns what to say of it."""
    from mot_dinov3.runs.identities.run_set import find_common_ids

    logs = given["jsonl"]
    runs = list(zip(logs, given["embeddings"], strict=True))
    found = find_common_ids(runs, config.relink, config.identities)
    new_of: list[dict[int, int]] = [{} for _ in runs]
    for one in found:
        new_of[one.run] |= dict.fromkeys(one.tracks, one.identity)
    rows = [asdict(one) | {"run": logs[one.run].name} for one in found]
    write_renamed(given, directory, new_of, rows)
    return f"{format_common(found, logs)}\nwrote {directory}"


def check_files(given: RunFiles, directory: Path) -> None:
    """Refuse what cannot be read, and what would be written over what is read.

    Raises:
        InputError: a file is missing.
        UsageError: two files have one name, or not every run has a file of each kind.
        OutputError: the directory takes no files.
    """
    from mot_dinov3.io.write.paths import check_output

    for kind, paths in given.items():
        if len(paths) != len(given["jsonl"]):
            raise UsageError(
                f"--{kind} has {counted(len(paths), 'file')}, --jsonl has {len(given['jsonl'])}.",
                fix="Give one file of each run, in the same order.",
            )
    taken: dict[str, Path] = {TABLE: Path(TABLE)}
    for path in chain.from_iterable(given.values()):
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


def write_renamed(
    given: RunFiles, directory: Path, new_of: Sequence[dict[int, int]], rows: list[dict[str, Any]]
) -> None:
    """Write every file under the new identities, then give all of them their names.

    Args:
        given: kind of file -> that of each run.
        directory: where the new files go.
        new_of: of each run, id that is given up -> the one that takes its place.
        rows: of the table.
    """
    from mot_dinov3.runs.relink.renaming import Renaming

    with ExitStack() as stack:
        renamings = [stack.enter_context(Renaming(ids)) for ids in new_of]
        for kind, paths in given.items():
            for renaming, path in zip(renamings, paths, strict=True):
                renaming.rewrite(path, SINKS.load(kind).rename, directory / path.name)
        table = renamings[0].reserve(directory / TABLE)
        table.write_text(json.dumps(rows, indent=1) + "\n")
        for renaming in renamings:
            renaming.publish()


def format_merged(merges: list[TrackMerge], identities: int, directory: Path) -> str:
    """Which identities were merged, and where the new files are."""
    number = counted(identities, "identity", "identities")
    others = form_of(len(merges), "another", "others")
    lines = [f"{number}, {len(merges)} of them merged into {others}"]
    lines += [format_merge(merge) for merge in merges]
    return "\n".join([*lines, f"wrote {directory}"])


def format_common(found: Sequence[Presence], logs: Sequence[Path]) -> str:
    """Which identities there are, how many frames they were detected in, and in which runs."""
    parts: dict[int, list[Presence]] = {}
    for one in found:
        parts.setdefault(one.identity, []).append(one)
    shared = sum(len(of_one) > 1 for of_one in parts.values())
    number = counted(len(parts), "identity", "identities")
    lines = [
        f"{counted(len(logs), 'run')}, {number}, {shared} in more than one run",
        "identity   frames  runs",
    ]
    for identity, of_one in parts.items():
        names = make_printable(", ".join(logs[one.run].stem for one in of_one))
        lines.append(f"{identity:>8}  {sum(one.frames for one in of_one):>7}  {names}")
    return "\n".join(lines)
