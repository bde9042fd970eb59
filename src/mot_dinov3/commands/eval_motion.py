"""`python cli.py eval motion`: how well motion models predict tracks, seen and hidden."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.errors import EXIT_OK
from mot_dinov3.wording import counted

if TYPE_CHECKING:
    from mot_dinov3.data.trajectories.base import Trajectories
    from mot_dinov3.evaluation.motion import MotionFigures

DEFAULT = "kalman"
WIDTH = 10
NOTE = """ahead: error of the centre one step ahead, N hidden: after so many frames without a
sighting, back: when it is seen again, all in box heights. gate: share of the true centres within
the gate that should hold 95 %, one step ahead and while hidden."""


def add_flags(parser: CommandParser) -> None:
    """Add the flags: what predicts, on what, and what is written."""
    add = parser.add_argument
    add(
        "--motion",
        nargs="+",
        action="extend",
        metavar="NAME",
        help=f"what predicts: kalman, or samba:DIR of train samba (default: {DEFAULT})",
    )
    add(
        "--data",
        nargs="+",
        action="extend",
        required=True,
        metavar="mot:DIR",
        help="a MOTChallenge sequence or a folder of them; tracks are seen as its detections in "
        "det/ show them, and as they are where there are none",
    )
    add(
        "--held-out",
        action="store_true",
        help="only every sixth sequence of each folder: what train samba does not learn from",
    )
    add(
        "--no-steady",
        action="store_true",
        help="do not take a shift that all boxes share for the motion of the camera",
    )
    add("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    add("--debug", action="store_true", help="show full tracebacks")


def run(args: argparse.Namespace) -> int:
    """Predict every track of every sequence with every model, print a table."""
    from mot_dinov3.config import MotionConfig
    from mot_dinov3.evaluation.motion import measure_motion
    from mot_dinov3.io.write.paths import check_output
    from mot_dinov3.tracking.motion.factory import create_motion

    if args.json:
        check_output(args.json, None, no_clobber=False)
    names = list(dict.fromkeys(args.motion or [DEFAULT]))
    configs = {name: MotionConfig(motion=name) for name in names}
    for config in configs.values():
        create_motion(config)
    sequences = read_sequences(args.data, held_out=args.held_out)
    found: dict[str, MotionFigures] = {}
    for name, config in configs.items():
        make = lambda config=config: create_motion(config)  # noqa: E731 - a name would not help
        found[name] = measure_motion(make, sequences, steady=not args.no_steady)
    print(format_figures(found))
    frames = sum(map(len, sequences))
    print(f"{counted(len(sequences), 'sequence')}, {counted(frames, 'frame')}")
    if args.json:
        write_json(args, found)
    return EXIT_OK


def read_sequences(specs: list[str], *, held_out: bool) -> list[Trajectories]:
    """All sequences of `--data`, or of each folder every sixth.

    Raises:
        MotError: there is none, or one cannot be read.
    """
    from mot_dinov3.data.trajectories.reader import hold_out, read_trajectories
    from mot_dinov3.errors import InputError

    sets = [read_trajectories(spec) for spec in specs]
    if not held_out:
        return [one for group in sets for one in group]
    _, kept = hold_out(sets)
    if not kept:
        raise InputError(
            "No folder of --data has six sequences, so none is held out.",
            fix="Leave --held-out away to measure on all of them.",
        )
    return kept


def format_figures(found: Mapping[str, MotionFigures]) -> str:
    """A line for each model, and one for each after the first as multiples of it."""
    width = max(len("as multiples of kalman"), *map(len, found))
    rows = {name: list_figures(figures) for name, figures in found.items()}
    titles = next(iter(rows.values()))
    lines = [" " * width + "".join(f"{title:>{WIDTH}}" for title in titles)]
    for name, row in rows.items():
        lines.append(f"{name:<{width}}" + "".join(f"{value:>{WIDTH}.3f}" for value in row.values()))
    first, *others = rows
    if others:
        lines += ["", f"as multiples of {first}"]
    for name in others:
        ratios = (rows[name][title] / (rows[first][title] or float("nan")) for title in titles)
        lines.append(f"{name:<{width}}" + "".join(f"{ratio:>{WIDTH}.3f}" for ratio in ratios))
    return "\n".join([*lines, "", NOTE])


def list_figures(figures: MotionFigures) -> dict[str, float]:
    """Title of the column -> figure."""
    return {
        "IoU": figures.iou,
        "ahead": figures.ahead,
        **{f"{frames} hidden": value for frames, value in figures.hidden.items()},
        "back": figures.back,
        "gate": figures.inside,
        "hid. gate": figures.inside_hidden,
        "ms": figures.ms_per_frame,
    }


def write_json(args: argparse.Namespace, found: Mapping[str, MotionFigures]) -> None:
    """Write what `--json` asks for; a figure of nothing is null.

    Raises:
        OutputError: the file cannot be written.
    """
    from mot_dinov3.io.write.atomic import write_text

    models = {name: _clean(asdict(figures)) for name, figures in found.items()}
    document = {"data": args.data, "steady": not args.no_steady, "models": models}
    write_text(args.json, json.dumps(document, indent=2, allow_nan=False))


def _clean(value: Any) -> Any:  # noqa: ANN401 - any value of JSON
    if isinstance(value, dict):
        return {str(name): _clean(one) for name, one in value.items()}
    return None if isinstance(value, float) and value != value else value
