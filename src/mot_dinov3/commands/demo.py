"""`python cli.py demo`: a street drawn on the spot, tracked by models that ship inside."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3.commands.flags import add_flags, environment_layer, resolve, say_idle_flags
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.commands.progress import Terminal
from mot_dinov3.config import (
    DetectorConfig,
    EmbedderConfig,
    OutputConfig,
    SchedulerConfig,
    SourceConfig,
    TalkConfig,
    TrackConfig,
)
from mot_dinov3.config.flat import ENVIRONMENT_PREFIX
from mot_dinov3.data.synthetic.clip import DEMO_SEED, StreetClip, draw_clip
from mot_dinov3.errors import EXIT_OK, UsageError
from mot_dinov3.values.run_facts import EmbeddingFacts
from mot_dinov3.wording import counted, program, usage_name

if TYPE_CHECKING:
    from mot_dinov3.evaluation.figures import Scores

log = logging.getLogger("mot_dinov3")

DESCRIPTION = """Draw a street clip with known identities, track it with the two small models that
ship in the package, and score the result: with embeddings scheduled within 10 ms a frame (or the
budget that is given), with all of them, and with none. No network is needed."""

STAGES = ("device", "scheduler", "tracker", "association", "motion", "draw", "talk")
IMGSZ = 640
BUDGET_MS = 10.0
"""Of the first run, unless a flag or a variable of `BUDGETS` says otherwise."""
BUDGETS = ("embed_budget_ms", "embed_budget_crops", "target_fps", "embed_all")
MIN_VISIBILITY = 0.3
"""Objects that are less visible than this do not count in the score."""


def parser() -> CommandParser:
    """The flags of the demo; those of scheduler, tracker and drawing work as in the main job."""
    out = CommandParser(prog=usage_name("demo"), description=DESCRIPTION)
    out.add_value("--out", Path("outputs/demo"), "DIR", "directory of the clip and the results")
    out.add_value("--frames", 300, "COUNT", "length of the clip")
    out.add_value("--seed", DEMO_SEED, "NUMBER", "which street is drawn")
    add_flags(out, TrackConfig, STAGES)
    return out


def run(args: argparse.Namespace) -> int:
    """Render, track three times, and print the table."""
    chosen = dict(vars(args))
    directory, frames, seed = (chosen.pop(name) for name in ("out", "frames", "seed"))
    if frames < 1:
        raise UsageError(f"--frames must be at least 1, got {frames}.", fix="Leave it out.")
    config = resolve(TrackConfig, add_budget(chosen), None, environment_layer())
    say_idle_flags(config, chosen)
    say = print if not config.talk.quiet else _say_nothing
    say(f"drawing {counted(frames, 'frame')} of a street ...", file=sys.stderr)
    clip = draw_clip(directory, frames, seed)
    rows = [_run_and_score(name, clip, job) for name, job in choose_jobs(config, clip, directory)]
    print(format_table(rows))
    print(f"\nThe annotated video: {directory / 'tracked.mp4'}")
    if report_path(directory):
        print(f"The report of that run, for a browser: {report_path(directory)}")
    print(f"The clip itself: {clip.video}   its ground truth: {directory / 'gt.txt'}")
    print(f"The score again: {scoring_command(directory)}")
    return EXIT_OK


def add_budget(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The flags that were given, and the demo's own budget where nothing sets another one."""
    variables = (key.removeprefix(ENVIRONMENT_PREFIX).lower() for key in environment_layer())
    limited = set(BUDGETS).intersection((*chosen, *variables))
    return {**chosen} if limited else {**chosen, "embed_budget_ms": BUDGET_MS}


def scoring_command(directory: Path) -> str:
    """The command that gives the figures of the first run again, by the same rule."""
    return (
        f"{program()} eval --gt {directory / 'gt.txt'} --pred {directory / 'tracked.txt'} "
        f"--min-visibility {MIN_VISIBILITY}"
    )


def _say_nothing(*_: object, **__: object) -> None:
    """Say nothing."""


def choose_jobs(
    config: TrackConfig, clip: StreetClip, directory: Path
) -> Iterator[tuple[str, TrackConfig]]:
    """The three runs: only the first writes a video."""
    base = replace(
        config,
        source=SourceConfig(source=str(clip.video)),
        detector=DetectorConfig(det="demo", imgsz=IMGSZ),
        embedder=EmbedderConfig(embed_model="demo"),
    )
    quiet = TalkConfig(quiet=True)
    limit_ms = config.scheduler.budget_ms
    name = f"scheduled ({limit_ms:g} ms)" if limit_ms else "scheduled"
    yield name, replace(base, output=_output(directory, "tracked", video=True))
    yield (
        "all",
        replace(
            base,
            scheduler=SchedulerConfig(embed_all=True),
            output=_output(directory, "all"),
            talk=quiet,
        ),
    )
    yield (
        "none (motion only)",
        replace(
            base,
            embedder=EmbedderConfig(embedder="none"),
            scheduler=SchedulerConfig(),
            output=_output(directory, "none"),
            talk=quiet,
        ),
    )


def report_path(directory: Path) -> str:
    """Where the report of the first run goes, empty where its packages are missing."""
    from mot_dinov3.outputs.report.page import find_missing_packages

    return "" if find_missing_packages() else str(directory / "report.html")


def _output(directory: Path, name: str, *, video: bool = False) -> OutputConfig:
    return OutputConfig(
        output=str(directory / f"{name}.mp4"),
        no_video=not video,
        save_mot=str(directory / f"{name}.txt"),
        stats_json=str(directory / f"{name}.json"),
        report=report_path(directory) if video else "",
    )


def _run_and_score(
    name: str, clip: StreetClip, config: TrackConfig
) -> tuple[str, Scores, dict[str, float]]:
    from mot_dinov3.evaluation.scores import score
    from mot_dinov3.io.formats.mot import read_mot
    from mot_dinov3.runs.jobs.job import run_job

    facts = run_job(config, observer=Terminal(quiet=config.talk.quiet)).facts
    scores = score(clip.truth, read_mot(config.output.save_mot), clip.frames, MIN_VISIBILITY)
    embeddings, stages = facts.embeddings or EmbeddingFacts(), facts.stages or {}
    figures = {
        "crops": embeddings.computed,
        "per_frame": embeddings.per_frame,
        "embed_ms": stages["embed"].mean_ms,
    }
    return name, scores, figures


def format_table(rows: list[tuple[str, Scores, dict[str, float]]]) -> str:
    """Accuracy and cost of each run, aligned for people."""
    lines = ["embeddings            HOTA   IDF1   MOTA  IDSW   crops  a frame  embed ms"]
    for name, scores, cost in rows:
        lines.append(
            f"{name:<20}{scores.hota:>6.1f}{scores.idf1:>7.1f}{scores.mota:>7.1f}{scores.idsw:>6}"
            f"{cost['crops']:>8}{cost['per_frame']:>9.2f}{cost['embed_ms']:>10.2f}"
        )
    return "\n".join(lines)
