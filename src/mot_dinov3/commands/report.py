"""`python cli.py report`: a page that shows a run, or what a flag changed between runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mot_dinov3.commands import set_up_log
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.errors import EXIT_OK, InputError, UsageError
from mot_dinov3.wording import usage_name

if TYPE_CHECKING:
    from mot_dinov3.outputs.report.finding import RunFiles
    from mot_dinov3.outputs.report.recorder import RunData
    from mot_dinov3.outputs.report.video import ReportVideo

DESCRIPTION = """Show a run as one HTML page that works offline, made from the files of
--save-jsonl and --stats-json; also from one of them alone, and from what a killed run left.
Several runs are compared: which flags differ, and what that changed."""

DEFAULT = Path("outputs/report.html")
MOST_RUNS = 6


def parser() -> CommandParser:
    """The flags of the report."""
    out = CommandParser(prog=usage_name("report"), description=DESCRIPTION)
    add = out.add_argument
    add(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUN",
        help="file of --save-jsonl or --stats-json, or a directory with one run",
    )
    add("-o", "--out", type=Path, default=DEFAULT, metavar="FILE", help="page to write")
    add(
        "--video",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="videos of the runs, in order, where they were moved",
    )
    add("--no-pictures", action="store_true", help="do not cut pictures of identities")
    add("--no-clobber", action="store_true", help="refuse to replace an existing page")
    add("-q", "--quiet", action="store_true", help="print errors only")
    add("--debug", action="store_true", help="print the full traceback of an error")
    return out


def run(args: argparse.Namespace) -> int:
    """Find the runs, read them, write the page."""
    set_up_log(verbose=False, debug=args.debug, quiet=args.quiet)
    from mot_dinov3.io.write.atomic import write_text
    from mot_dinov3.outputs.report.finding import find_runs, join_runs, load_run
    from mot_dinov3.outputs.report.page import require_packages

    require_packages()
    files = find_runs(args.runs)
    check_page(args, files)
    loaded = join_runs([(one, load_run(one)) for one in files])
    if len(loaded) > MOST_RUNS:
        raise UsageError(
            f"{len(loaded)} runs are too many for one page.", fix=f"Give at most {MOST_RUNS}."
        )
    if len(args.video) > len(loaded):
        raise UsageError("--video names more files than there are runs.", fix="Give one each.")
    films = find_films(loaded, args.video)
    if len(loaded) > 1:
        from mot_dinov3.outputs.report.compare import compare_page

        page = compare_page([data for _, data in loaded], films, args.out)
    else:
        page = write_single_page(loaded[0], films[0], args)
    write_text(args.out, page)
    if not args.quiet:
        print(f"wrote {args.out}", file=sys.stderr)
    return EXIT_OK


def check_page(args: argparse.Namespace, files: list[RunFiles]) -> None:
    """Refuse a page that would replace what it is made from.

    Raises:
        UsageError: its name is not that of an HTML file.
        OutputError: it cannot or must not be written.
    """
    from mot_dinov3.io.write.paths import check_output

    if args.out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"'{args.out}' is not a name for a page.", fix="End it in .html.")
    inputs = [path for one in files for path in (one.frame_log, one.stats) if path]
    for path in [*inputs, *args.video]:
        check_output(args.out, path, args.no_clobber)


def find_films(runs: list[tuple[RunFiles, RunData]], named: list[Path]) -> list[ReportVideo | None]:
    """The video of every run: the one that was named, or the one it tells of.

    Raises:
        InputError: a named file is not a video that a page can show.
    """
    from mot_dinov3.outputs.report.video import (
        KINDS,
        ReportVideo,
        find_file,
        find_namesake,
        find_video,
        hides_people,
    )

    out: list[ReportVideo | None] = []
    for number, (files, data) in enumerate(runs):
        if number >= len(named):
            film = find_video(data, files.places)
            frame_log = None if hides_people(data) else files.frame_log
            out.append(film or (find_namesake(frame_log) if frame_log else None))
            continue
        path = find_file(str(named[number]), [Path()])
        if path is None:
            raise InputError(
                f"'{named[number]}' is not a video that a page can show.",
                fix=f"Give an existing file in one of: {' '.join(KINDS)}",
            )
        source = data.settings.get("source")
        out.append(ReportVideo(path, annotated=Path(str(source)).name != path.name))
    return out


def write_single_page(
    loaded: tuple[RunFiles, RunData], film: ReportVideo | None, args: argparse.Namespace
) -> str:
    """The page of one run, its pictures cut from the source where that is at hand."""
    from mot_dinov3.outputs.report.cutting import CutResult, cut_albums, cut_still
    from mot_dinov3.outputs.report.single import choose_shown_tracks, explain_no_pictures, run_page
    from mot_dinov3.outputs.report.video import find_video

    files, run = loaded
    cuttings, still, reason = CutResult({}), None, "--no-pictures was given."
    plain = None if args.video else find_video(run, files.places, plain_first=True)
    plain = plain or film
    if not args.no_pictures and plain is None:
        reason = "no video of the run was found; --video names one."
    elif not args.no_pictures and plain is not None:
        cuttings = cut_albums(run, choose_shown_tracks(run), plain)
        still = cut_still(run, plain)
        reason = "the video shows none of them."
    notices = explain_no_pictures(cuttings.albums, reason) if len(run.frames) else ()
    more = filter(None, [cuttings.notice])
    return run_page(run, cuttings.albums, film, args.out, (*notices, *more), still)
