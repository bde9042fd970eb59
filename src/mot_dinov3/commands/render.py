"""`python cli.py render`: draws the video of a finished run again, without computing."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3.commands import set_up_log
from mot_dinov3.commands.flags import add_flags, environment_layer, resolve
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import OutputConfig, SourceConfig, TrackConfig, flag_fields
from mot_dinov3.config.tracking.outputs import SAVE
from mot_dinov3.outputs.sinks.factory import SINKS
from mot_dinov3.wording import counted, usage_name

if TYPE_CHECKING:
    from mot_dinov3.runs.jobs.base import JobResult

DESCRIPTION = """Draw a run's video again, or write its other outputs, from the frame log that
--save-jsonl wrote and the source that was tracked. Nothing is detected, embedded or tracked: with
the same flags the video is the same. The frame log of a killed run works too."""

SOURCE = ("source", "fps")
OUTPUT = ("output", "no_video", "crops_of", "crops_per_id", "no_clobber", "save")
"""Settings of all outputs that a frame log is enough for; also the names of the fields."""


def output_names() -> list[str]:
    """The settings of this command's outputs; also the names of their fields."""
    saved = [item.name for item in flag_fields(OutputConfig) if item.name.startswith(SAVE)]
    kinds = {name: SINKS.load(name.removeprefix(SAVE)) for name in saved}
    return [*OUTPUT, *(name for name, kind in kinds.items() if kind.from_frame_log)]


def parser() -> CommandParser:
    """The frame log, and those flags of the main job that a frame log is enough for."""
    out = CommandParser(prog=usage_name("render"), description=DESCRIPTION)
    out.add_argument(
        "--jsonl", type=Path, required=True, metavar="FILE", help="frame log: file of --save-jsonl"
    )
    add_flags(out, TrackConfig, ("source", "output"), only=(*SOURCE, *output_names()))
    add_flags(out, TrackConfig, ("count", "draw", "loop", "talk"))
    return out


def run(args: argparse.Namespace) -> int:
    """Draw and write as the flags say."""
    chosen = dict(vars(args))
    frame_log = chosen.pop("jsonl")
    config = keep_flags_of_render(resolve(TrackConfig, chosen, None, environment_layer()))
    talk = config.talk
    set_up_log(verbose=talk.verbose, debug=talk.debug, quiet=talk.quiet)
    from mot_dinov3.commands.progress import Terminal
    from mot_dinov3.runs.jobs.redraw import redraw

    result = redraw(config, frame_log, Terminal(quiet=talk.quiet))
    if not talk.quiet:
        print(format_result(result), file=sys.stderr)
    return result.exit_code


def keep_flags_of_render(config: TrackConfig) -> TrackConfig:
    """The configuration without what a variable may have set beyond this command's flags."""
    source: dict[str, Any] = {name: getattr(config.source, name) for name in SOURCE}
    output: dict[str, Any] = {name: getattr(config.output, name) for name in output_names()}
    return TrackConfig(
        source=SourceConfig(**source),
        output=OutputConfig(**output),
        count=config.count,
        draw=config.draw,
        loop=config.loop,
        talk=config.talk,
    )


def format_result(result: JobResult) -> str:
    """How much was written, how fast, and where to."""
    facts = result.facts
    return (
        f"{counted(facts.frames, 'frame')} in {facts.wall_s or 0:.1f} s: {facts.fps or 0:.1f} FPS\n"
        f"wrote {', '.join(result.written) or 'nothing'}"
    )
