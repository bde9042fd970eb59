"""`python cli.py selftest`: the fault scoreboard, what a run on this machine survives."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.errors import EXIT_BUG, EXIT_OK, UnknownNameError, UsageError
from mot_dinov3.wording import usage_name

if TYPE_CHECKING:
    from mot_dinov3.lab.selftest.table import ScoreboardLine

DESCRIPTION = """Break runs on purpose, many times, and count how often what is promised held: exit
codes, messages, files. Everything happens in a temporary directory, without network. Exit code 0
when no bar was missed, 1 otherwise."""


def parser() -> CommandParser:
    """The flags of the scoreboard."""
    out = CommandParser(prog=usage_name("selftest"), description=DESCRIPTION)
    add = out.add_argument
    add("measures", nargs="*", metavar="MEASURE", help="what to measure")
    out.default_words["measures"] = "every measure"
    add("--list", action="store_true", help="print the measures and what must hold in each")
    effort = out.add_mutually_exclusive_group()
    effort.add_argument("--quick", action="store_true", help="run a tenth of the cases (default)")
    effort.add_argument("--full", action="store_true", help="run as many cases as each bar asks")
    out.add_value("--seed", 0, "NUMBER", "choice of the random cases")
    add("--case", default="", metavar="NAME", help="run only this case of one measure")
    out.add_value("--device", "auto", "NAME", "device of gpu; cpu is a dry run of its checks")
    add("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    add("--keep", type=Path, metavar="DIR", help="work in DIR, and leave there what failed")
    add("--debug", action="store_true", help="print the full traceback of an error")
    return out


def run(args: argparse.Namespace) -> int:
    """Run the measures one after another and print the table; 1 when a bar was missed."""
    from mot_dinov3.lab.selftest.factory import MEASURES

    if args.list:
        print("\n".join(f"{name:<14}{MEASURES.help(name)}" for name in MEASURES))
        return EXIT_OK
    names = list(dict.fromkeys(args.measures)) or list(MEASURES)
    _check(args, names)
    from mot_dinov3.lab.selftest.table import format_head, format_line, format_verdict

    print(format_head(), flush=True)
    table = []
    with make_workplace(args.keep) as directory:
        for name in names:
            table.append(run_measure(name, args, directory / name))
            print(format_line(table[-1], args.seed), flush=True)
    print(format_verdict(table))
    if args.json:
        from mot_dinov3.io.write.atomic import write_text

        measures = [line.as_dict() for line in table]
        document = {"seed": args.seed, "full": args.full, "measures": measures}
        write_text(args.json, json.dumps(document, indent=2, allow_nan=False))
    held = all(line.outcome.met or line.outcome.skipped for line in table)
    return EXIT_OK if held else EXIT_BUG


def _check(args: argparse.Namespace, names: list[str]) -> None:
    from mot_dinov3.lab.selftest.factory import MEASURES

    for name in names:
        if name not in MEASURES:
            raise UnknownNameError("measure", name, MEASURES)
    if args.case and len(names) != 1:
        raise UsageError(
            "--case is a case of one measure.",
            fix=f"Name it: selftest kills --case {args.case}",
        )
    if args.seed < 0:
        raise UsageError(f"--seed must be 0 or more, got {args.seed}.", fix="Such as --seed 0.")
    if args.keep and args.keep.exists() and (not args.keep.is_dir() or any(args.keep.iterdir())):
        raise UsageError(f"--keep {args.keep} is not an empty directory.", fix="Name a new one.")


@contextmanager
def make_workplace(keep: Path | None) -> Iterator[Path]:
    """The directory in which the measures work: a temporary one, or the one to keep."""
    if keep is not None:
        yield keep.absolute()
        return
    with TemporaryDirectory(prefix="mot-selftest-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def run_measure(name: str, args: argparse.Namespace, directory: Path) -> ScoreboardLine:
    """Run one measure in `directory`."""
    from mot_dinov3.lab.benchmarks.machine import usable_cores
    from mot_dinov3.lab.benchmarks.own_program import build_own_command
    from mot_dinov3.lab.selftest.base import MeasureContext
    from mot_dinov3.lab.selftest.factory import MEASURES, create_measure
    from mot_dinov3.lab.selftest.table import ScoreboardLine

    directory.mkdir(parents=True, exist_ok=True)
    bench = MeasureContext(
        program=tuple(build_own_command()),
        directory=directory,
        seed=args.seed,
        full=args.full or bool(args.case),
        only=args.case,
        workers=max(1, min(4, usable_cores())),
        device=args.device,
        say=lambda line: print(f"{name}: {line}", file=sys.stderr, flush=True),
    )
    started = perf_counter()
    outcome = create_measure(name)(bench)
    return ScoreboardLine(name, MEASURES.help(name), outcome, perf_counter() - started)
