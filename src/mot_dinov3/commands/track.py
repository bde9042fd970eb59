"""`python cli.py --source video.mp4`: the main job."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from mot_dinov3 import __version__
from mot_dinov3.commands import set_up_log
from mot_dinov3.commands.factory import COMMANDS
from mot_dinov3.commands.flags import add_flags, environment_layer, read_layers, resolve
from mot_dinov3.commands.habits import refuse_settings
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import TrackConfig
from mot_dinov3.config.flat import to_toml
from mot_dinov3.config.needs.checking import check_needs
from mot_dinov3.errors import EXIT_OK, UsageError, hide_secrets
from mot_dinov3.wording import make_printable, program, usage_name

if TYPE_CHECKING:
    from mot_dinov3.commands.progress import Terminal

log = logging.getLogger("mot_dinov3")

DESCRIPTION = """Track objects through a video: YOLO finds them, and DINO embeddings keep their
identities apart. Embeddings are computed only where they matter, within a budget per frame."""

SYNOPSIS = f"{usage_name()} SOURCE [FLAG ...]\n       {usage_name()} COMMAND [FLAG ...]"

EPILOG = f"The flags of a COMMAND: {program()} COMMAND --help"


def parser() -> CommandParser:
    """The flags of the main job."""
    words = {word: COMMANDS.help(word) for word in COMMANDS}
    out = CommandParser(
        prog=usage_name(), description=DESCRIPTION, epilog=EPILOG, words=words, synopsis=SYNOPSIS
    )
    add = out.add_argument
    version = f"mot_dinov3 {__version__}"
    for action in (
        add("--config", type=Path, metavar="FILE", help="read settings from a TOML file"),
        add("--print-config", action="store_true", help="print the settings as TOML"),
        add("--version", action="version", version=version, help="print the version"),
    ):
        out.move_to_help_all(action)
    add_flags(out, TrackConfig, many="--source")
    out.loose = "source"
    return out


def run(args: argparse.Namespace) -> int:
    """Track a video as the flags say; the exit code tells how it ended."""
    chosen = dict(vars(args))
    refuse_settings(chosen.get("source", ()))
    toml, show = chosen.pop("config"), chosen.pop("print_config")
    below = read_layers(TrackConfig, toml, environment_layer())
    config = resolve(TrackConfig, below | chosen)
    talk = config.talk
    set_up_log(verbose=talk.verbose, debug=talk.debug, quiet=talk.quiet)
    for sentence in find_idle_flags(config, chosen, below):
        log.warning("%s", sentence)
    if show:
        print(hide_secrets(to_toml(config)))
        return EXIT_OK
    if not config.source.source:
        raise UsageError(
            "--source is missing: there is nothing to track.",
            fix=f"Give a video: {program()} video.mp4   (or try: {program()} demo)",
        )
    from mot_dinov3.runs.batch.tasks import fill_in_name, is_batch

    if is_batch(config):
        from mot_dinov3.commands.batches import track_all

        return track_all(config)
    return track_one(fill_in_name(config))


def find_idle_flags(
    config: TrackConfig, typed: Collection[str], below: Collection[str]
) -> list[str]:
    """A sentence for each flag that does nothing in this run.

    Args:
        config: of the run.
        typed: configuration keys of the command line.
        below: configuration keys of the variables and the file.

    Raises:
        UsageError: the flag was surely meant otherwise.
    """
    from mot_dinov3.io.read.sources import may_drop_out
    from mot_dinov3.runs.batch.sources import is_list

    sources = config.batch.sources or (config.source.source,)
    live = any(may_drop_out(source) or is_list(source) for source in sources)
    return check_needs(config, typed, below, live=live)


def track_one(config: TrackConfig, observer: Terminal | None = None) -> int:
    """Track a single video.

    Args:
        config: all stages.
        observer: shows how the job goes on; the usual one when left out.
    """
    from mot_dinov3.commands.progress import Terminal
    from mot_dinov3.runs.jobs.job import run_job

    quiet = config.talk.quiet
    result = run_job(config, observer=observer or Terminal(quiet=quiet))
    if not quiet and result.written:
        print(make_printable("wrote " + ", ".join(result.written)), file=sys.stderr)
    return result.exit_code
