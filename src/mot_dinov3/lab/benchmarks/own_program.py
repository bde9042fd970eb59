"""Our own command line, as a user starts it."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import mot_dinov3
from mot_dinov3.config import OutputConfig, SourceConfig, TrackConfig
from mot_dinov3.config.flat import ENVIRONMENT_PREFIX, to_toml
from mot_dinov3.io.write.atomic import write_text
from mot_dinov3.lab.benchmarks.clip import ShortClip
from mot_dinov3.lab.benchmarks.program import Program
from mot_dinov3.wording import CHECKOUT, SCRIPT, in_checkout

VIDEO, LINES, TRACKS = "tracked.mp4", "frames.jsonl", "tracks.txt"


def build_own_command(*words: str) -> list[str]:
    """Start by `cli.py` in a checkout, else by the installed package."""
    if in_checkout():
        return [sys.executable, str(CHECKOUT / SCRIPT), *words]
    return [sys.executable, "-m", mot_dinov3.__name__, *words]


def build_own_program(config: TrackConfig, clip: ShortClip, directory: Path) -> Program:
    """Build the whole main job on a clip: it writes a video, MOT text and JSON lines.

    The settings travel in a TOML file, and no variable overrules them.
    """
    video, lines, tracks = (str(directory / name) for name in (VIDEO, LINES, TRACKS))
    output = OutputConfig(output=video, save_jsonl=lines, save_mot=tracks)
    talk = replace(config.talk, quiet=True, verbose=False)
    whole = replace(config, source=SourceConfig(str(clip.path)), output=output, talk=talk)
    settings = directory.with_suffix(".toml")
    write_text(settings, to_toml(whole))
    return Program(
        build_own_command("--config", str(settings)),
        directory,
        frame_files=f"{Path(LINES).stem}*{Path(LINES).suffix}",
        end_file=VIDEO,
        environment=clean_environment(),
    )


def clean_environment() -> dict[str, str]:
    """The variables of this process without those that would overrule settings."""
    return {k: v for k, v in os.environ.items() if not k.startswith(ENVIRONMENT_PREFIX)}
