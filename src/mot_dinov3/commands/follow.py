"""`python cli.py follow`: one object, of any kind, followed through a video."""

from __future__ import annotations

import argparse
import logging

from mot_dinov3.commands import set_up_log
from mot_dinov3.commands.flags import add_flags, environment_layer, read_layers, resolve
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.commands.track import find_idle_flags, track_one
from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.wording import program, usage_name

log = logging.getLogger("mot_dinov3")

DESCRIPTION = """Follow one object, of any kind, through a video: what is in --box, or what the
detector finds of the class --pick. A searcher finds it again in every next frame, without a
detector. All outputs are those of the main job; the object has the id 1."""

STAGES = ("source", "follow", "search", "device", "count", "draw", "output", "loop", "resume",
          "live", "talk")  # fmt: skip
DETECTOR = ("det", "conf", "imgsz")
"""Settings of the detector that `--pick` reads."""
COMMON = ("--source", "--box", "--pick", "--frame", "--searcher", "--det", "--conf", "--device",
          "--output", "--save-mot", "--report")  # fmt: skip
SYSTEM = "single"


def parser() -> CommandParser:
    """The object and its searcher; the other flags are those of the main job."""
    out = CommandParser(prog=usage_name("follow"), description=DESCRIPTION)
    add_flags(out, TrackConfig, STAGES, common=COMMON)
    add_flags(out, TrackConfig, ("detector",), only=DETECTOR, common=COMMON)
    return out


def run(args: argparse.Namespace) -> int:
    """Follow the object as the flags say; the exit code tells how it ended."""
    chosen = {**vars(args), "system": SYSTEM}
    below = read_layers(TrackConfig, None, environment_layer())
    config = resolve(TrackConfig, below | chosen)
    talk = config.talk
    set_up_log(verbose=talk.verbose, debug=talk.debug, quiet=talk.quiet)
    for sentence in find_idle_flags(config, chosen, below):
        log.warning("%s", sentence)
    if not config.source.source:
        raise UsageError(
            "--source is missing: there is nothing to follow.",
            fix=f"Give a video: {program()} follow --source video.mp4 --pick person",
        )
    config.follow.require_target()
    from mot_dinov3.commands.follow_display import FollowTerminal
    from mot_dinov3.runs.batch.tasks import fill_in_name, is_batch

    if is_batch(config):
        raise UsageError(
            f"follow takes one video, and '{config.source.source}' is a list.",
            fix="Call follow once for each video.",
        )
    observer = FollowTerminal(config)
    code = track_one(fill_in_name(config), observer)
    observer.require_met()
    return code
