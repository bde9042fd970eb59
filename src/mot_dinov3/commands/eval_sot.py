"""`python cli.py eval sot`: how well searchers follow one object, given its first box alone."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3.commands.flags import add_model_flags
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.commands.progress import PictureBar
from mot_dinov3.errors import EXIT_OK, UsageError
from mot_dinov3.wording import counted, install_command

if TYPE_CHECKING:
    from mot_dinov3.data.single_object.base import SingleObjectSequence
    from mot_dinov3.evaluation.single_object import Errors, SingleObjectFigures
    from mot_dinov3.perception.searchers.base import Searcher

DEFAULT = "flow"
TITLES = {
    "ao": "AO",
    "sr50": "SR .5",
    "sr75": "SR .75",
    "auc": "AUC",
    "precision": "P 20px",
    "norm_precision": "P norm",
}
WIDTH = 9
MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Trial:
    """What a searcher reached.

    Attributes:
        name: as it was asked for.
        searcher: which ran.
        errors: sequence -> how far its boxes were off.
        figures: sequence -> its figures; the mean of all under "mean".
        ms_per_frame: mean time of a search.
    """

    name: str
    searcher: Searcher
    errors: Mapping[str, Errors]
    figures: Mapping[str, SingleObjectFigures]
    ms_per_frame: float


def add_flags(parser: CommandParser) -> None:
    """Add the flags: what follows, through what, and what is written."""
    add = parser.add_argument
    add(
        "--searcher",
        action="append",
        metavar="NAME[:FILES]",
        help="what follows: flow, nano:BACKBONE,HEAD, or predict, a box that stands still; may be "
        f"given several times (default: {DEFAULT})",
    )
    add(
        "--data",
        required=True,
        metavar="KIND:DIR",
        help="otb:DIR, got10k:DIR or mot:DIR, a sequence or a folder of them; or RUN.jsonl,VIDEO",
    )
    add_model_flags(parser)
    add("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    add("--plot", type=Path, metavar="FILE", help="also write success and precision curves as HTML")
    add("--debug", action="store_true", help="show full tracebacks")


def run(args: argparse.Namespace) -> int:
    """Follow the object of every sequence with every searcher, print the tables."""
    from mot_dinov3.config import DeviceConfig
    from mot_dinov3.data.single_object.factory import read_sequences
    from mot_dinov3.perception.searchers.factory import create_searcher
    from mot_dinov3.runtime.device import choose_device

    check_outputs(args)
    names = list(dict.fromkeys(args.searcher or [DEFAULT]))
    settings = DeviceConfig(device=args.device, precision=args.precision)
    device = choose_device(args.device)
    searchers = [create_searcher(name, device, settings) for name in names]
    sequences = read_sequences(args.data)
    pairs = zip(names, searchers, strict=True)
    trials = [try_searcher(name, searcher, sequences) for name, searcher in pairs]
    print(format_trials(trials))
    frames = sum(map(len, sequences))
    print(f"{counted(len(sequences), 'sequence')}, {counted(frames, 'frame')}")
    write_files(args, trials, f"{args.data}: {counted(len(sequences), 'sequence')}")
    return EXIT_OK


def check_outputs(args: argparse.Namespace) -> None:
    """Refuse places for files before anything is measured.

    Raises:
        MotError: a file cannot be written there, or what draws the plot is not installed.
    """
    from mot_dinov3.io.write.paths import check_output

    for path in (args.json, args.plot):
        if path:
            check_output(path, None, no_clobber=False)
    if args.plot:
        from mot_dinov3.outputs.report.page import find_missing_packages

        if missing := find_missing_packages():
            raise UsageError(
                f"--plot needs {' and '.join(missing)}.",
                fix=f"Install it with: {install_command('report')}",
            )


def try_searcher(name: str, searcher: Searcher, sequences: Sequence[SingleObjectSequence]) -> Trial:
    """Follow the object of each sequence; shows how it goes on.

    Raises:
        InputError: a picture cannot be read.
    """
    from mot_dinov3.evaluation.single_object import average_figures, find_errors, find_figures
    from mot_dinov3.perception.searchers.following import follow_sequence

    errors, spent_ms, searches = {}, 0.0, 0
    with PictureBar(sum(map(len, sequences))) as bar:
        for sequence in sequences:
            followed = follow_sequence(searcher, sequence, bar)
            errors[sequence.name] = find_errors(followed.xyxy, sequence.boxes)
            spent_ms += float(followed.search_ms.sum())
            searches += len(sequence) - 1
    figures = {one: find_figures(found) for one, found in errors.items()}
    figures[MEAN] = average_figures([*figures.values()])
    return Trial(name, searcher, errors, figures, spent_ms / searches)


def format_trials(trials: Sequence[Trial]) -> str:
    """A table for each searcher; with several, their average overlaps beside each other."""
    blocks = [format_trial(trial) for trial in trials]
    if len(trials) > 1:
        blocks.append(format_comparison(trials))
    return "\n\n".join(blocks) + "\n"


def format_trial(trial: Trial) -> str:
    """The figures of a searcher, a line for each sequence and one for their mean."""
    width = max(map(len, trial.figures))
    lines = [
        f"{trial.searcher.title}: {trial.ms_per_frame:.1f} ms a frame",
        " " * width + "".join(f"{title:>{WIDTH}}" for title in TITLES.values()),
    ]
    for name, figures in trial.figures.items():
        cells = (f"{getattr(figures, column):>{WIDTH}.3f}" for column in TITLES)
        lines.append(f"{name:<{width}}" + "".join(cells))
    return "\n".join(lines)


def format_comparison(trials: Sequence[Trial]) -> str:
    """The average overlap of each searcher, a line for each sequence and one for their mean."""
    rows = list(trials[0].figures)
    titles = name_trials(trials)
    width, cell = max(map(len, rows)), max(WIDTH, *(len(title) + 2 for title in titles))
    lines = [f"{'AO':<{width}}" + "".join(f"{title:>{cell}}" for title in titles)]
    for row in rows:
        cells = (f"{trial.figures[row].ao:>{cell}.3f}" for trial in trials)
        lines.append(f"{row:<{width}}" + "".join(cells))
    return "\n".join(lines)


def name_trials(trials: Sequence[Trial]) -> list[str]:
    """What columns and curves are called: the searcher's name, numbered where there are several."""
    from mot_dinov3.data.single_object.base import number_doubles

    return number_doubles([trial.name.partition(":")[0] for trial in trials])


def write_files(args: argparse.Namespace, trials: Sequence[Trial], fact: str) -> None:
    """Write what `--json` and `--plot` ask for.

    Raises:
        OutputError: a file cannot be written.
    """
    from mot_dinov3.io.write.atomic import write_text

    if args.json:
        document = {"data": args.data, "searchers": [build_document(one) for one in trials]}
        write_text(args.json, json.dumps(document, indent=2, allow_nan=False))
    if args.plot:
        write_text(args.plot, draw_trials(trials, fact))


def build_document(trial: Trial) -> dict[str, Any]:
    """What `--json` says of a searcher."""
    sequences = {name: asdict(figures) for name, figures in trial.figures.items()}
    mean = sequences.pop(MEAN)
    return {
        "searcher": trial.name,
        "title": trial.searcher.title,
        "fingerprint": trial.searcher.fingerprint,
        "ms_per_frame": round(trial.ms_per_frame, 3),
        "frames": sum(map(len, trial.errors.values())),
        "mean": mean,
        "sequences": sequences,
    }


def draw_trials(trials: Sequence[Trial], fact: str) -> str:
    """Success and precision curves, the mean over sequences, as a page."""
    import numpy as np

    from mot_dinov3.evaluation.single_object import (
        DISTANCES_PX,
        OVERLAPS,
        find_precision,
        find_success,
    )
    from mot_dinov3.outputs.report.success_charts import render_success

    titles = name_trials(trials)
    success, precision = (
        {
            title: np.mean([find(one) for one in trial.errors.values()], axis=0)
            for title, trial in zip(titles, trials, strict=True)
        }
        for find in (find_success, find_precision)
    )
    return render_success([fact], (OVERLAPS, success), (DISTANCES_PX, precision))
