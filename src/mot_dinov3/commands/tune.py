"""`python cli.py tune`: better settings of scheduler and tracker, found on recordings."""

from __future__ import annotations

import argparse
import logging
import math
import sys
from collections.abc import Mapping
from os.path import realpath
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mot_dinov3.commands import set_up_log
from mot_dinov3.commands.flags import (
    add_flags,
    environment_layer,
    require_no_camera_motion,
    resolve,
    say_idle_flags,
)
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import EXIT_OK, UsageError
from mot_dinov3.runtime.signals import choose_exit_code
from mot_dinov3.wording import counted, usage_name

if TYPE_CHECKING:
    from mot_dinov3.lab.recordings.recording import Recording
    from mot_dinov3.lab.tuning.judge import Judge
    from mot_dinov3.lab.tuning.objective import Objective, Verdict
    from mot_dinov3.lab.tuning.search import Search, Trial

log = logging.getLogger("mot_dinov3")

DESCRIPTION = """Search for settings of scheduler and tracker by playing recordings of the command
cache whose ground truth is known, and write what changed as a file for --config. The search begins
with the settings that the other flags give, and with the defaults. Some recordings are held out:
nothing is searched on them, and they show what the result is worth elsewhere. Ctrl-C keeps the
best so far; with --study FILE the same command goes on later."""

EVERY_HELD_OUT = 3
"""Without --held-out, every third recording."""

OWN = (
    "cache",
    "held_out",
    "no_held_out",
    "tune",
    "objective",
    "crop_price",
    "max_share",
    "trials",
    "timeout",
    "seed",
    "study",
    "out",
    "config",
)
REPLAYED = ("cheap", "scheduler", "tracker", "association", "motion", "talk")


def parser() -> CommandParser:
    """The flags; those of scheduler and tracker are the main job's, and say where to begin."""
    out = CommandParser(prog=usage_name("tune"), description=DESCRIPTION)
    add, add_value = out.add_argument, out.add_value
    add_value("--cache", [Path("cache")], "PATH", "recordings, or directories of recordings")
    add(
        "--held-out",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="recordings to check the result on",
    )
    out.default_words["held_out"] = "every third of --cache"
    add("--no-held-out", action="store_true", help="search on all recordings, check on none")
    stages = ", ".join(REPLAYED[1:-1])
    add_value("--tune", ["core"], "NAME", f"what to search: core, {stages}, or single flags")
    add_value("--objective", "hota", "NAME", "what to raise: hota, idf1, assa, deta or mota")
    add_value("--crop-price", 0.0, "POINTS", "what a percent of the crops costs, of the objective")
    add_value("--max-share", 100.0, "PERCENT", "greatest share of crops to embed")
    add_value("--trials", 50, "COUNT", "configurations to try, with those of the study so far")
    add_value("--timeout", 0.0, "SECONDS", "stop after this time")
    out.default_words["timeout"] = "no limit"
    add_value("--seed", 0, "NUMBER", "choice of what is tried")
    add("--study", type=Path, metavar="FILE", help="keep all trials in FILE, and go on from there")
    add_value("--out", Path("outputs/tuned.toml"), "FILE", "result to write, for --config")
    add("--config", type=Path, metavar="FILE", help="begin with the settings of a TOML file")
    add_flags(out, TrackConfig, REPLAYED)
    return out


def run(args: argparse.Namespace) -> int:
    """Search, check on what was held out, and write the best; 130 or 143 after a signal."""
    from mot_dinov3.lab.tuning.judge import Judge
    from mot_dinov3.lab.tuning.objective import Objective
    from mot_dinov3.lab.tuning.search import Search
    from mot_dinov3.lab.tuning.space import Space
    from mot_dinov3.lab.tuning.storage import describe_purpose, open_study
    from mot_dinov3.runtime.compat import load_environment

    load_environment()
    config = build_config(args)
    talk, args.quiet = config.talk, config.talk.quiet
    set_up_log(verbose=talk.verbose, debug=talk.debug, quiet=talk.quiet)
    objective = Objective(args.objective.lower(), args.crop_price, args.max_share)
    space = Space(config, args.tune)
    train, held = split_recordings(args)
    check_files(args)
    with TemporaryDirectory(prefix="mot-tune-") as directory:
        judge = Judge(train, objective.figure, Path(directory))
        control = Judge(held, objective.figure, Path(directory)) if held else None
        if control is None:
            log.warning(
                "no recording is held out: nothing tells whether the result holds elsewhere."
            )
        purpose = describe_purpose(train, space, objective, args.seed)
        with open_study(args.study, purpose) as study:
            search = Search(space, judge, objective, study)
            number = run_trials(search, args)
            return conclude(search, None if number else control, args, number)


def build_config(args: argparse.Namespace) -> TrackConfig:
    """Where to begin.

    Raises:
        UsageError: a number that makes no sense, or something that no recording can tell.
    """
    chosen: dict[str, Any] = {k: v for k, v in vars(args).items() if k not in OWN}
    if args.trials < 1 or not 0 <= args.timeout < math.inf:
        raise UsageError(
            "--trials must be at least 1, --timeout 0 or more.", fix="Such as --trials 50."
        )
    if not 0 <= args.seed < 2**31 // 1000:
        raise UsageError(
            f"--seed must be from 0 to {2**31 // 1000 - 1}, got {args.seed}.",
            fix="Give --seed another value.",
        )
    config = resolve(TrackConfig, chosen, args.config, environment_layer())
    require_no_camera_motion("tune", config)
    say_idle_flags(config, chosen)
    if config.scheduler.target_fps:
        raise UsageError(
            "tune does not take --target-fps: time in a replay is not real.",
            fix="Use --embed-budget-ms or --embed-budget-crops.",
        )
    return config


def split_recordings(args: argparse.Namespace) -> tuple[dict[str, Recording], dict[str, Recording]]:
    """The recordings to search on, and those held out.

    Raises:
        InputError: there are none, or one is unusable.
        UsageError: they cannot be compared, or one would be on both sides.
    """
    from mot_dinov3.commands.replay import read_caches
    from mot_dinov3.lab.recordings.recording import require_comparable

    if args.held_out and args.no_held_out:
        raise UsageError("--held-out and --no-held-out contradict each other.", fix="Keep one.")
    train = read_caches(args.cache)
    held = read_caches(args.held_out) if args.held_out else {}
    if not held and not args.no_held_out and len(train) > 1:
        step = min(EVERY_HELD_OUT, len(train))
        names = sorted(train)[step - 1 :: step]
        held = {name: train.pop(name) for name in names}
    known = {cache.origin.content: name for name, cache in train.items()}
    for name, cache in held.items():
        if cache.origin.content in known:
            raise UsageError(
                f"'{name}' is held out, and '{known[cache.origin.content]}' holds the same frames.",
                fix="Take it out of --cache or of --held-out.",
            )
    require_comparable({**train, **{f"{name} (held out)": held[name] for name in held}})
    return train, held


def check_files(args: argparse.Namespace) -> None:
    """Refuse files that cannot be written, before anything is played.

    Raises:
        OutputError: says which.
    """
    from mot_dinov3.io.write.paths import check_output

    for path in filter(None, (args.out, args.study)):
        check_output(path, None, no_clobber=False)
    if args.study is not None:
        if realpath(args.study) == realpath(args.out):
            raise UsageError("--study and --out name the same file.", fix="Use two names.")
        args.study.parent.mkdir(parents=True, exist_ok=True)


def run_trials(search: Search, args: argparse.Namespace) -> int:
    """Try until the end or a signal, with a line for each trial; returns the signal, 0 for none."""
    from mot_dinov3.lab.tuning.search import SearchLimits, best_of
    from mot_dinov3.runtime.signals import StopRequest

    def print_trial(trial: Trial) -> None:
        if not args.quiet:
            best = best_of(search.trials())
            line = (
                f"trial {trial.number}, of {args.trials}: {trial.value:.2f} with "
                f"{trial.verdict.share:.1f} % of the crops; best {best.value:.2f} by trial "
                f"{best.number}"
            )
            print(line, file=sys.stderr, flush=True)

    stop = StopRequest()
    with stop.handle_signals():
        limits = SearchLimits(args.trials, args.timeout, args.seed)
        whole = search.run(limits, print_trial, lambda: bool(stop.signal))
    if not whole and not args.quiet:
        why = "interrupted" if stop.signal else "the time is over"
        wanted = counted(args.trials, "trial")
        print(f"{why} after {len(search.trials())} of {wanted}", file=sys.stderr)
    return stop.signal


def conclude(search: Search, control: Judge | None, args: argparse.Namespace, number: int) -> int:
    """Print what was found, write the file, and check it on the recordings that were held out.

    The file is written before that check and again after it, so that an interruption loses none.
    """
    from mot_dinov3.lab.tuning.report import (
        format_importance,
        format_split,
        format_trials,
        measure_importance,
    )
    from mot_dinov3.lab.tuning.search import best_of

    trials = search.trials()
    if trials:
        start, best = trials[0], best_of(trials)
        print(format_trials(trials, start))
        if table := format_importance(measure_importance(search.study)):
            print(f"\n{table}")
        write_settings(search, best, args, {})
        compared = {"start": start, "defaults": search.defaults, "best": best}
        rows = {name: trial for name, trial in compared.items() if trial is not None}
        held = {}
        if control is not None:
            held = {
                name: control.judge(search.space.apply(trial.values))
                for name, trial in rows.items()
            }
        train = {name: trial.verdict for name, trial in rows.items()}
        print(f"\n{format_split(train, held, search.objective)}")
        warn_of_doubts(best, held, search.objective)
        if held:
            write_settings(search, best, args, held)
        if not args.quiet:
            print(f"wrote {args.out}", file=sys.stderr)
    return choose_exit_code(number) if number else EXIT_OK


def warn_of_doubts(best: Trial, held: Mapping[str, Verdict], objective: Objective) -> None:
    """Say what stands against taking the result for an improvement."""
    if not best.admitted:
        log.warning(
            "no trial kept --max-share %g: the nearest one has %.1f %%.",
            objective.max_share,
            best.verdict.share,
        )
    if best.number == 0:
        log.warning("nothing was found that is better than the start.")
    elif held and objective.value(held["best"]) <= objective.value(held["start"]):
        log.warning(
            "on the recordings that were held out the best trial is no better than the "
            "start: it may fit the others only."
        )


def write_settings(
    search: Search, best: Trial, args: argparse.Namespace, held: Mapping[str, Verdict]
) -> None:
    """Write the best trial for `--config`, with its figures."""
    from mot_dinov3.io.write.atomic import write_text
    from mot_dinov3.lab.tuning.report import as_toml, build_comments, find_changes

    lines = build_comments(search, best, held, args.seed)
    values = find_changes(search.space.apply(best.values), search.judge.settings)
    write_text(args.out, as_toml(values, lines))
