"""`python cli.py crops`: tracklets become folders of pictures, to learn identities from."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3.commands import set_up_log
from mot_dinov3.commands.flags import add_flags, environment_layer, resolve, say_idle_flags
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import (
    NO_EMBEDDER,
    BatchConfig,
    SourceConfig,
    TalkConfig,
    TrackConfig,
    flag_fields,
)
from mot_dinov3.config.flat import ENVIRONMENT_PREFIX, flag_of, key_of, kinds_of
from mot_dinov3.data.reid.tracklets import CropConfig
from mot_dinov3.errors import EXIT_OK, EXIT_PARTIAL, UsageError
from mot_dinov3.wording import counted, make_printable, program, usage_name

if TYPE_CHECKING:
    from mot_dinov3.commands.crops.footage import Footage
    from mot_dinov3.commands.crops.making import MadeCrops

DESCRIPTION = """Cut the objects of videos out of their pictures, a folder for each tracklet, for
train reid. The tracks are made here by the flags of the main job, by motion alone unless
--embedder says otherwise; or they are those of a finished run (--jsonl) or of a ground truth
(--gt). Several sources are several cameras."""

STAGES = (
    *("source", "device", "detector", "embedder", "cheap", "scheduler", "tracker"),
    *("association", "motion", "talk"),
)
BESIDE_A_LOG = ("source", "fps", "classes")
"""Flags of the main job that count where a frame log tells the tracks, beside those of talk."""


def parser() -> CommandParser:
    """The flags; those that make tracks are the main job's."""
    out = CommandParser(prog=usage_name("crops"), description=DESCRIPTION)
    add = out.add_argument
    for name, text in (
        ("--jsonl", "frame log of a finished run, one for each source: file of --save-jsonl"),
        ("--gt", "ground truth, one for each source: MOT text, or the directory of a sequence"),
    ):
        add(name, type=Path, nargs="+", action="extend", default=[], metavar="FILE", help=text)
    out.add_value("--out", Path("crops"), "DIR", "new directory of the pictures")
    add("--add", action="store_true", help="add to the pictures that DIR holds already")
    out.add_value("--camera", 1, "NUMBER", "camera of the first source; the others count on")
    add_flags(out, CropConfig, common=[item.metadata["flag"] for item in flag_fields(CropConfig)])
    add_flags(out, TrackConfig, STAGES, many="--source")
    return out


def run(args: argparse.Namespace) -> int:
    """Make the crops of every source; 4 if one of them was damaged."""
    from mot_dinov3.commands.crops.making import Place, make_crops
    from mot_dinov3.runtime.compat import load_environment

    load_environment()
    chosen = dict(vars(args))
    logs, truths = chosen.pop("jsonl"), chosen.pop("gt")
    place = Place(*(chosen.pop(name) for name in ("out", "add", "camera")))
    limits = {key: chosen.pop(key) for key in kinds_of(CropConfig) if key in chosen}
    refuse_idle(chosen, logs, truths)
    config = resolve(TrackConfig, use_no_embedder(chosen), None, environment_layer())
    talk = config.talk
    set_up_log(verbose=talk.verbose, debug=talk.debug, quiet=talk.quiet)
    say_idle_flags(config, chosen)
    made = make_crops(list_footage(config, logs, truths), resolve(CropConfig, limits), place)
    if not talk.quiet:
        for one in made:
            print(format_made(one))
        print(format_total(made, place.folder, labelled=bool(truths)))
    return EXIT_PARTIAL if any(one.partial for one in made) else EXIT_OK


def use_no_embedder(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The flags that were given, and no embedder where nothing asks for one."""
    variable = f"{ENVIRONMENT_PREFIX}EMBEDDER" in environment_layer()
    return {**chosen} if variable else {"embedder": NO_EMBEDDER, **chosen}


def refuse_idle(chosen: Mapping[str, Any], logs: Sequence[Path], truths: Sequence[Path]) -> None:
    """Refuse two origins of tracks, and flags of tracking where tracks are known.

    Raises:
        UsageError: it names the flag.
    """
    if logs and truths:
        raise UsageError("--jsonl and --gt both tell the tracks.", fix="Leave out one of them.")
    known = {key_of(item) for item in flag_fields(TalkConfig)} | set(BESIDE_A_LOG)
    known |= {key_of(item) for item in flag_fields(SourceConfig)} if truths else set()
    idle = [flag_of(key) for key in chosen if key not in known] if logs or truths else []
    if idle:
        raise UsageError(
            f"{idle[0]} does nothing beside {'--jsonl' if logs else '--gt'}: the tracks are known.",
            fix="Leave it out.",
        )


def list_footage(
    config: TrackConfig, logs: Sequence[Path], truths: Sequence[Path]
) -> list[Footage]:
    """Each source with the file that tells its tracks, if any.

    Raises:
        UsageError: there is no source, or not one for each file.
        InputError: a file is not there.
    """
    from mot_dinov3.commands.crops.footage import Footage, find_source_beside, find_truth

    truths = [find_truth(path) for path in truths]
    sources = [name for name in config.batch.sources or (config.source.source,) if name]
    sources = sources or [name for name in map(find_source_beside, truths) if name]
    if not sources:
        why = "a frame log does not name its video" if logs else "there is nothing to cut"
        log = f" --jsonl {logs[0]}" if logs else ""
        raise UsageError(
            f"--source is missing: {why}.",
            fix=f"Give the video: {program()} crops --source video.mp4{log} --out crops",
        )
    files = [*logs, *truths]
    if files and len(files) != len(sources):
        raise UsageError(
            f"{counted(len(files), 'file')} of tracks and {counted(len(sources), 'source')} do "
            "not match.",
            fix="Give one file for each source, in the same order.",
        )
    jobs = [
        replace(config, source=replace(config.source, source=name), batch=BatchConfig())
        for name in sources
    ]
    none = [None] * len(jobs)
    rows = zip(jobs, logs or none, truths or none, strict=True)
    return [Footage(job, log, truth) for job, log, truth in rows]


def format_made(made: MadeCrops) -> str:
    """What became of a source, in a line."""
    plan = made.plan
    left_out = [f"{count} {why}" for why, count in plan.left_out.items() if count]
    missing = plan.pictures - made.written
    left_out += [f"{missing} in frames that were not read"] if missing else []
    return make_printable(
        f"{made.name}, camera {made.camera}: {counted(made.written, 'crop')} of "
        f"{counted(plan.identities, 'tracklet')} of {counted(plan.tracks, 'track')}; "
        f"boxes left out: {', '.join(left_out) or 'none'}"
    )


def format_total(made: Sequence[MadeCrops], folder: Path, *, labelled: bool) -> str:
    """What there is now, and what to do with it."""
    crops = sum(one.written for one in made)
    tracklets = sum(one.plan.identities for one in made)
    flags = f"--data {folder}" if labelled else f"--continual --tracklets --unlabeled {folder}"
    next_step = f"{program()} train reid {flags} --out runs/reid"
    wrote = f"wrote {folder}: {counted(tracklets, 'new folder')}, {counted(crops, 'crop')}"
    return f"{make_printable(wrote)}\nnext: {make_printable(next_step)}"
