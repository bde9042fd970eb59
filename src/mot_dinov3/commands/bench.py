"""`python cli.py bench`: what the scheduler keeps, saves and costs on this machine."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mot_dinov3.commands import set_up_log
from mot_dinov3.commands.flags import (
    add_flags,
    common_without,
    environment_layer,
    require_no_camera_motion,
    resolve,
)
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import TrackConfig
from mot_dinov3.config.flat import as_dict
from mot_dinov3.errors import EXIT_OK, MotError, UnknownNameError, UsageError
from mot_dinov3.wording import usage_name

if TYPE_CHECKING:
    from mot_dinov3.lab.benchmarks.base import Report
    from mot_dinov3.lab.benchmarks.context import BenchmarkContext, BenchmarkSettings

DESCRIPTION = """Measure, and print a table and then one line of JSON. Detections are computed once
and replayed. Without --source a street is drawn and its exact boxes are the detections; without an
embedder the demo model is used."""

ALL = "all"
OWN = ("embed_budget_ms", "embed_hard_budget", "embed_all")
"""Flags of the main job whose place the benchmarks' own settings take."""

TRACKING = ("scheduler", "tracker", "association", "motion")
NOT_OF_THE_JOB = (
    *("words", "budgets", "random_vits", "rounds", "frames", "peers_python", "json"),
    *("sequences", "policies", "seeds"),
)
BUDGETS_MS = (5.0, 10.0, 20.0)


def parser() -> CommandParser:
    """The flags of the benchmarks; those of the main job's stages mean the same here."""
    out = CommandParser(prog=usage_name("bench"), description=DESCRIPTION)
    add = out.add_argument
    add("words", nargs="*", metavar="WORD", help="what to measure")
    out.default_words["words"] = ALL
    out.add_value("--budgets", list(BUDGETS_MS), "MS", "embedding budgets per frame to try")
    add(
        "--random-vits",
        choices=("dinov2", "dinov3"),
        default="",
        help="embed with a ViT-S of random weights, to measure its speed",
    )
    out.add_value("--rounds", 1, "COUNT", "passes over the clip for each case")
    out.add_value("--frames", 0, "COUNT", "use the first COUNT frames only")
    out.default_words["frames"] = "all"
    add(
        "--peers-python",
        default=sys.executable,
        metavar="FILE",
        help="Python of the environment with the other trackers",
    )
    out.default_words["peers_python"] = "this one"
    out.add_value("--seeds", 4, "COUNT", "jitter: how often every box is moved")
    add("--sequences", nargs="+", metavar="PATH", help="jitter: sequences or recordings to track")
    add("--policies", nargs="+", metavar="NAME", help="jitter: policies to compare on recordings")
    add("--json", type=Path, metavar="FILE", help="also write the results as JSON")
    add_flags(
        out,
        TrackConfig,
        ("source", "device", "detector", "embedder", *TRACKING, "talk"),
        common=common_without(OWN),
    )
    return out


def run(args: argparse.Namespace) -> int:
    """Measure what the words name; the last line of standard output is JSON."""
    from mot_dinov3.runtime.compat import load_environment

    load_environment()
    names = choose_benchmarks(args.words)
    with TemporaryDirectory(prefix="mot-bench-") as directory:
        settings = build_settings(args, Path(directory))
        talk = settings.config.talk
        set_up_log(verbose=talk.verbose, debug=talk.debug, quiet=talk.quiet)
        document = json.dumps(measure(names, settings), allow_nan=False)
    print(document)
    if args.json:
        from mot_dinov3.io.write.atomic import AtomicTextFile

        with AtomicTextFile(args.json) as file:
            file.write_line(document)
    return EXIT_OK


def choose_benchmarks(words: list[str]) -> list[str]:
    """The benchmarks to run, in the order of the table.

    Raises:
        UnknownNameError: a word is not a benchmark.
    """
    from mot_dinov3.lab.benchmarks.factory import BENCHMARKS, ON_REQUEST

    for word in words:
        if word != ALL and word not in BENCHMARKS:
            raise UnknownNameError("benchmark", word, [*BENCHMARKS, ALL])
    everything = not words or ALL in words
    return [name for name in BENCHMARKS if name in words or (everything and name not in ON_REQUEST)]


def build_settings(args: argparse.Namespace, directory: Path) -> BenchmarkSettings:
    """What was asked for, checked.

    Raises:
        UsageError: a number or a combination makes no sense.
    """
    from mot_dinov3.lab.benchmarks.context import BenchmarkSettings
    from mot_dinov3.lab.benchmarks.factory import WITH_CAMERA

    chosen = dict(vars(args))
    for key in NOT_OF_THE_JOB:
        del chosen[key]
    _check(args, chosen)
    if not {"embedder", "embed_model", "dinov3"} & set(chosen):
        chosen["embed_model"] = "demo"
    config = resolve(TrackConfig, chosen, None, environment_layer())
    if not set(choose_benchmarks(args.words)) <= WITH_CAMERA:
        require_no_camera_motion("bench", config)
    return BenchmarkSettings(
        config=config,
        directory=directory,
        budgets_ms=tuple(args.budgets),
        rounds=args.rounds,
        frames=args.frames,
        random_vits=args.random_vits,
        peers_python=str(Path(shutil.which(args.peers_python) or "").absolute()),
        sequences=tuple(args.sequences or ()),
        policies=tuple(args.policies or ()),
        seeds=args.seeds,
    )


def _check(args: argparse.Namespace, chosen: dict[str, Any]) -> None:
    for key in OWN:
        if key in chosen:
            flag = f"--{key.replace('_', '-')}"
            raise UsageError(
                f"bench does not take {flag}: it sets that itself.",
                fix="Choose budgets with --budgets MS ...",
            )
    if chosen.get("embedder") == "none":
        raise UsageError("bench has nothing to embed with --embedder none.", fix="Leave it out.")
    if min(args.rounds, args.seeds) < 1 or args.frames < 0 or min(args.budgets) <= 0:
        raise UsageError(
            "--rounds, --seeds, --frames and --budgets must be positive.",
            fix="Leave those out that are not.",
        )
    if not shutil.which(args.peers_python):
        raise UsageError(
            f"--peers-python '{args.peers_python}' is not a program that can be started.",
            fix="Name the Python of the environment with the peers, such as peers/bin/python.",
        )


def measure(names: list[str], settings: BenchmarkSettings) -> dict[str, Any]:
    """Run the benchmarks one after another, print each table, and return the JSON object."""
    from mot_dinov3.lab.benchmarks.context import BenchmarkContext
    from mot_dinov3.lab.benchmarks.machine import describe_machine
    from mot_dinov3.lab.benchmarks.table import format_machine, format_report

    machine = describe_machine()
    print(format_machine(machine))
    bench, reports = BenchmarkContext(settings), {}
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        report = run_benchmark(name, bench, keep_going=len(names) > 1)
        print(f"\n{format_report(name, report)}", flush=True)
        reports[name] = report.as_dict()
    print()
    return {"machine": machine, "settings": _describe_settings(settings), "benchmarks": reports}


def run_benchmark(name: str, bench: BenchmarkContext, *, keep_going: bool) -> Report:
    """What a benchmark found.

    Raises:
        MotError: it could not run, and nothing else is to be measured; else the report says so.
    """
    from mot_dinov3.lab.benchmarks.base import Report, ResultRow
    from mot_dinov3.lab.benchmarks.factory import create_benchmark

    try:
        return create_benchmark(name)(bench)
    except MotError as error:
        if not keep_going:
            raise
        return Report("could not run", [ResultRow(name, {}, skipped=error.what)])


def _describe_settings(settings: BenchmarkSettings) -> dict[str, Any]:
    config = as_dict(settings.config)
    out = {"budgets_ms": settings.budgets_ms, "rounds": settings.rounds, "frames": settings.frames}
    return {**out, "random_vits": settings.random_vits, "config": config}
