"""`python cli.py replay`: compares policies and budgets on recordings."""

from __future__ import annotations

import argparse
import json
import math
import sys
from contextlib import ExitStack
from dataclasses import replace
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
    say_idle_flags,
)
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import EXIT_OK, InputError, UsageError
from mot_dinov3.wording import install_command, program, usage_name

if TYPE_CHECKING:
    from mot_dinov3.lab.recordings.recording import Recording
    from mot_dinov3.lab.recordings.replay import ReplayCase

DESCRIPTION = """Run scheduling and tracking again on recordings of the command cache, on a virtual
clock that only recorded times move: every run gives the same result. Writes table.txt, replay.json
and replay.html into DIR: identity quality against the share of crops that were embedded and against
milliseconds per frame. Quality is HOTA where the ground truth is known, else the share of boxes
whose identity is the same as with policy always."""

REPLAYED = ("cheap", "scheduler", "tracker", "association", "motion", "talk")
DEFAULT_SHARES = (15.0, 35.0, 50.0)
OWN = ("embed_policy", "embed_budget_ms", "embed_budget_crops", "embed_all", "target_fps")
"""Flags of the main job whose place the replay's own take."""


def parser() -> CommandParser:
    """The flags; those of scheduler and tracker are the main job's."""
    out = CommandParser(prog=usage_name("replay"), description=DESCRIPTION)
    add = out.add_argument
    out.add_value("--cache", [Path("cache")], "PATH", "recordings, or directories of recordings")
    add(
        "--policies",
        nargs="+",
        metavar="NAME",
        help="policies to compare; commas sweep an argument (default: all but oracle)",
    )
    add(
        "--budgets",
        nargs="+",
        type=float,
        metavar="MS",
        help="budgets per frame to compare; 0 for no limit",
    )
    add(
        "--crops",
        nargs="+",
        type=int,
        default=[],
        metavar="COUNT",
        help="budgets in crops per frame to compare",
    )
    add(
        "--shares",
        nargs="*",
        type=float,
        default=list(DEFAULT_SHARES),
        metavar="PERCENT",
        help="compare policies at these shares of embedded crops",
    )
    out.add_value("--out", Path("outputs/replay"), "DIR", "directory of the results")
    add("--keep-mot", action="store_true", help="keep the tracks of every case in DIR/mot")
    add_flags(out, TrackConfig, REPLAYED, common=common_without(OWN))
    return out


def run(args: argparse.Namespace) -> int:
    """Play everything, and write and print what came of it."""
    from mot_dinov3.runtime.compat import load_environment

    load_environment()
    config = build_config(args)
    talk = config.talk
    set_up_log(verbose=talk.verbose, debug=talk.debug, quiet=talk.quiet)
    caches = read_caches(args.cache)
    cases = choose_cases(args.policies, args.budgets, args.crops, config)
    with ExitStack() as stack:
        directory = args.out / "mot"
        if not args.keep_mot:
            directory = Path(stack.enter_context(TemporaryDirectory(prefix="mot-replay-")))
        return compare(caches, cases, config, args, directory)


def build_config(args: argparse.Namespace) -> TrackConfig:
    """Scheduler and tracker as the flags say.

    Raises:
        UsageError: a flag that the replay sets itself, or a number that makes no sense.
    """
    chosen: dict[str, Any] = dict(vars(args))
    for name in ("cache", "policies", "budgets", "crops", "shares", "out", "keep_mot"):
        del chosen[name]
    hard = chosen.pop("embed_hard_budget", False)
    for key in OWN:
        if key in chosen:
            raise UsageError(
                f"replay does not take --{key.replace('_', '-')}: it sets that itself.",
                fix="Use --policies, --budgets and --crops.",
            )
    numbers = [*(args.budgets or []), *args.crops]
    if min(numbers, default=0) < 0 or not all(map(math.isfinite, numbers)):
        raise UsageError("--budgets and --crops must be 0 or more.", fix="0 stands for no limit.")
    if not all(0 <= share <= 100 for share in args.shares):
        raise UsageError("--shares must be percentages, 0 to 100.", fix="Such as --shares 10 50.")
    if hard and not any(numbers):
        raise UsageError(
            "--embed-hard-budget has no budget to enforce.", fix="Add --budgets MS or --crops N."
        )
    config = resolve(TrackConfig, chosen, None, environment_layer())
    require_no_camera_motion("replay", config)
    say_idle_flags(config, chosen)
    if not hard:
        return config
    limited = replace(config.scheduler, budget_crops=1, budget_ms=0.0, hard_budget=True)
    return replace(config, scheduler=limited)


def read_caches(paths: list[Path]) -> dict[str, Recording]:
    """Every recording under the paths, by name, and fit to be put into one table.

    Raises:
        InputError: there is none, or one is unusable.
        UsageError: two have one name, or were made in different ways.
    """
    from mot_dinov3.lab.recordings.recording import require_comparable
    from mot_dinov3.lab.recordings.store import SUFFIX, read_recording
    from mot_dinov3.lab.recordings.study import COMBINED

    files: dict[str, Path] = {}
    for path in paths:
        found = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if not found:
            raise InputError(
                f"'{path}' holds no cache.",
                fix=f"Make one: {program()} cache --source video.mp4 --out {path}",
            )
        for file in found:
            if files.setdefault(file.stem, file) != file or file.stem == COMBINED:
                raise UsageError(
                    f"'{file}' and another cache are both called '{file.stem}'.",
                    fix="Rename one of them.",
                )
    caches = {name: read_recording(file) for name, file in files.items()}
    require_comparable({str(files[name]): cache for name, cache in caches.items()})
    return caches


def choose_cases(
    policies: list[str] | None, budgets: list[float] | None, crops: list[int], config: TrackConfig
) -> list[ReplayCase]:
    """Every policy on every budget; what no budget binds is played once.

    With cheap evidence each is played twice, without it and with it. Without a choice it is every
    policy of the product.

    Raises:
        MotError: a policy that does not exist or cannot have its argument.
    """
    from mot_dinov3.lab.recordings.policies import ORACLE, REPLAY_POLICIES
    from mot_dinov3.lab.recordings.replay import ReplayCase
    from mot_dinov3.lab.recordings.study import list_policies
    from mot_dinov3.scheduling.policies.factory import create_policy

    limits: list[tuple[float, int]] = [(ms, 0) for ms in budgets or ([] if crops else [0.0])]
    limits += [(0.0, n) for n in crops]
    out: list[ReplayCase] = []
    for name in sweep(policies or list_policies()):
        policy = REPLAY_POLICIES.load(ReplayCase(name).family)
        bound = policy.refreshes or config.scheduler.hard_budget
        out += [ReplayCase(name, ms, n) for ms, n in (limits if bound else [(0.0, 0)])]
    if config.cheap.wanted:
        out += [replace(case, cheap=True) for case in out]
    for case in dict.fromkeys(out):
        if case.family != ORACLE:
            create_policy(case.scheduler(config.scheduler))
    return list(dict.fromkeys(out))


def sweep(policies: list[str]) -> list[str]:
    """`interval:1,2` -> `interval:1`, `interval:2`."""
    out = []
    for word in policies:
        name, colon, arguments = word.partition(":")
        out += [f"{name}{colon}{argument.strip()}" for argument in arguments.split(",")]
    return list(dict.fromkeys(out))


def compare(
    caches: dict[str, Recording],
    cases: list[ReplayCase],
    config: TrackConfig,
    args: argparse.Namespace,
    directory: Path,
) -> int:
    """Play, print the table, write the three files."""
    from mot_dinov3.io.write.atomic import write_text
    from mot_dinov3.lab.recordings.plot import save_plots
    from mot_dinov3.lab.recordings.report import build_document, format_table
    from mot_dinov3.lab.recordings.study import study
    from mot_dinov3.outputs.report.page import find_missing_packages

    quiet = config.talk.quiet

    def print_case(case: ReplayCase, name: str) -> None:
        if not quiet:
            print(f"{name}: {case.title}", file=sys.stderr, flush=True)

    points = study(caches, cases, config, directory, print_case)
    text = format_table(points, args.shares)
    print(text)
    words = json.dumps(build_document(points, caches, args.shares), indent=1, allow_nan=False)
    write_text(args.out / "replay.json", words)
    write_text(args.out / "table.txt", text)
    written = ["table.txt", "replay.json"]
    missing = find_missing_packages()
    if not missing:
        save_plots(points, args.out / "replay.html")
        written.append("replay.html")
    if not quiet:
        print(f"wrote {', '.join(str(args.out / name) for name in written)}", file=sys.stderr)
        if missing:
            print(
                f"no replay.html: {' and '.join(missing)} missing, {install_command('report')}",
                file=sys.stderr,
            )
        if (args.out / "replay.png").exists():
            print(
                "replay.png is of an earlier version: replay.html took its place", file=sys.stderr
            )
    return EXIT_OK
