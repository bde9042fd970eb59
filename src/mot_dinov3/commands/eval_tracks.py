"""`python cli.py eval tracks`: how well identities were kept, measured by TrackEval."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.errors import EXIT_OK
from mot_dinov3.wording import counted

if TYPE_CHECKING:
    from mot_dinov3.evaluation.cases import Loaded, Request
    from mot_dinov3.evaluation.figures import Figures
    from mot_dinov3.evaluation.preprocessing import ScoredSequence

log = logging.getLogger("mot_dinov3")

FAMILIES = ("hota", "clear", "identity")
RULES = ("auto", "mot17", "mot20", "none")
COMBINED = "COMBINED"
WIDTH, COUNTS = 7, ("idsw", "frag", "mt", "pt", "ml")


def add_flags(parser: CommandParser) -> None:
    """Add the flags of the evaluation: what is compared, which part of it, and what is written."""
    add = parser.add_argument
    add(
        "--gt",
        type=Path,
        required=True,
        metavar="DIR|FILE",
        help="DIR with SEQ/gt/gt.txt and SEQ/seqinfo.ini, one such SEQ, or a gt.txt",
    )
    add(
        "--pred",
        type=Path,
        required=True,
        metavar="DIR|FILE",
        help="DIR with SEQ.txt, or one file, as --save-mot writes it",
    )
    add(
        "--metrics",
        nargs="+",
        choices=FAMILIES,
        default=list(FAMILIES),
        metavar="NAME",
        help="what to measure: hota, clear, identity (default: all)",
    )
    _add_selection_flags(parser)
    add("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    add("--debug", action="store_true", help="show full tracebacks")


def _add_selection_flags(parser: CommandParser) -> None:
    """Add the flags that say which boxes, frames and sequences count."""
    add = parser.add_argument
    add(
        "--preprocess",
        choices=RULES,
        default="auto",
        help="which boxes count: mot17 and mot20 score pedestrians and leave distractors out, "
        "none scores all; auto sees by classes and marks of each ground truth "
        "(default: auto)",
    )
    add(
        "--frames",
        default="",
        metavar="FIRST:LAST",
        help="score a part only, counted from 1; also first-half and second-half",
    )
    add(
        "--renumbered",
        action="store_true",
        help="results count their frames from 1 where that part begins",
    )
    add(
        "--min-visibility",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="do not ask for what is less visible, where the ground truth says it (default: 0)",
    )
    add(
        "--allow-missing",
        action="store_true",
        help="leave out sequences without a result, and say which",
    )


def run(args: argparse.Namespace) -> int:
    """Read both sides, measure, print the table."""
    from mot_dinov3.evaluation.cases import Request, load
    from mot_dinov3.evaluation.figures import measure
    from mot_dinov3.evaluation.preprocessing import preprocess

    if args.json:
        from mot_dinov3.io.write.paths import check_output, require_other

        results = sorted(args.pred.glob("*.txt")) if args.pred.is_dir() else [args.pred]
        require_other(args.json, results)
        check_output(args.json, args.gt if args.gt.is_file() else None, no_clobber=False)
    request = Request(
        args.gt,
        args.pred,
        args.preprocess,
        args.frames,
        args.renumbered,
        args.allow_missing,
        args.min_visibility,
    )
    loaded = load(request)
    warn(loaded)
    single, combined = measure(preprocess(loaded.cases), args.metrics)
    print(format_table(single, combined))
    print(format_footnote(loaded))
    if args.json:
        from mot_dinov3.io.write.atomic import write_text

        document = build_document(request, loaded, single, combined)
        write_text(args.json, json.dumps(document, indent=2, allow_nan=False))
    return EXIT_OK


def warn(loaded: Loaded) -> None:
    """Say what was not compared, or only in part."""
    if loaded.left_out:
        log.warning("left out, no result: %s.", ", ".join(loaded.left_out))
    if loaded.extra:
        log.warning("not scored, no ground truth: %s.", ", ".join(loaded.extra))
    for sentence in loaded.silent:
        log.warning("%s.", sentence)


def format_table(single: Mapping[str, Figures], combined: Figures) -> str:
    """The figures, one line a sequence and the combination last, aligned for people."""
    rows = {**single, COMBINED: combined}
    width = max(len(name) for name in rows)
    lines = [" " * width + "".join(f"{name.upper():>{WIDTH}}" for name in combined)]
    for name, figures in rows.items():
        cells = (
            f"{value:d}" if key in COUNTS else f"{value:.2f}" for key, value in figures.items()
        )
        lines.append(f"{name:<{width}}" + "".join(f"{cell:>{WIDTH}}" for cell in cells))
    return "\n".join(lines)


def format_footnote(loaded: Loaded) -> str:
    """How many frames were scored, and by which rules."""
    frames = sum(case.frames for case in loaded.cases)
    count, rules = len(loaded.cases), sorted({case.rule for case in loaded.cases})
    scored = f"{counted(count, 'sequence')}, {counted(frames, 'frame')}"
    return f"{scored}; preprocessing: {', '.join(rules)}"


def _result_span(case: ScoredSequence, first_frame: int) -> list[int]:
    """First and last frame that the result has boxes in, counted as the ground truth does."""
    return [int(case.result.frame_index[i]) + first_frame for i in (0, -1) if len(case.result)]


def build_document(
    request: Request, loaded: Loaded, single: Mapping[str, Figures], combined: Figures
) -> dict[str, Any]:
    """What `--json` writes."""
    sequences = {
        case.name: {
            "frames": case.frames,
            "first_frame": loaded.parts[case.name].first,
            "preprocess": case.rule,
            "result_frames": _result_span(case, loaded.parts[case.name].first),
            **single[case.name],
        }
        for case in loaded.cases
    }
    return {
        "gt": str(request.truth),
        "pred": str(request.result),
        "min_visibility": request.min_visibility,
        "trackeval": version("trackeval"),
        "combined": combined,
        "sequences": sequences,
        "left_out": loaded.left_out,
        "not_scored": loaded.extra,
    }
