"""`python cli.py sample`: writes pictures that a trained generator draws."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config.fields import require
from mot_dinov3.errors import EXIT_OK, cannot_write
from mot_dinov3.wording import counted, usage_name

if TYPE_CHECKING:
    from mot_dinov3.training.recipes.gan.data import Pictures
    from mot_dinov3.values import Image

DESCRIPTION = """Draw pictures with a generator that `train gan` made. Their names are those of
Market-1501 for boxes that show no known identity, so that no command takes them for a person."""

NAME = "-1_c0s1_{number:06d}_00.png"
GRID_COLUMNS, GRID_ROWS = 16, 6


def parser() -> CommandParser:
    """The checkpoint, how many pictures, and where to."""
    out = CommandParser(prog=usage_name("sample"), description=DESCRIPTION)
    out.add_argument("checkpoint", type=Path, metavar="DIR", help="folder of a run of `train gan`")
    out.add_argument("-n", "--count", type=int, default=100, metavar="COUNT", help="pictures")
    out.default_words["count"] = "100"
    out.add_argument("--out", type=Path, metavar="DIR", help="new folder of the pictures")
    out.default_words["out"] = "DIR/samples"
    out.add_argument(
        "--grid", type=Path, metavar="FILE", help="also write the first of them side by side"
    )
    out.add_value("--seed", 0, "NUMBER", "draw other pictures")
    out.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    out.add_argument("--debug", action="store_true", help="print the full traceback of an error")
    return out


def run(args: argparse.Namespace) -> int:
    """Draw and write."""
    require(args.count >= 1, "--count", "at least 1", args.count)
    require(args.seed >= 0, "--seed", "at least 0", args.seed)
    from mot_dinov3.io.write.paths import check_output, check_output_directory
    from mot_dinov3.training.recipes.gan.sampling import draw_pictures, load_generator

    generator = load_generator(args.checkpoint)
    out = args.out or args.checkpoint / "samples"
    check_output_directory(out)
    if args.grid:
        check_output(args.grid, None, no_clobber=False)
    pictures = draw_pictures(generator, args.count, args.seed)
    write_pictures(pictures, out)
    if args.grid:
        write_picture(arrange(pictures), args.grid)
    if not args.quiet:
        print(f"{counted(len(pictures), 'picture')} in {out}", file=sys.stderr)
    return EXIT_OK


def write_pictures(pictures: Pictures, folder: Path) -> None:
    """Write one file a picture into a new folder.

    Raises:
        OutputError: it cannot be written.
    """
    from mot_dinov3.io.write.directories import AtomicDirectory

    with AtomicDirectory(folder) as place:
        for number, picture in enumerate(pictures):
            place.write("", NAME.format(number=number), encode(picture))


def write_picture(picture: Image, path: Path) -> None:
    """Write a picture, in the place of the one that may be there.

    Raises:
        OutputError: it cannot be written.
    """
    from mot_dinov3.io.write.paths import publish, reserve_partial

    partial = reserve_partial(path)
    try:
        partial.write_bytes(encode(picture))
    except OSError as error:
        raise cannot_write(path, error) from error
    publish(partial, path, replace=True)


def arrange(pictures: Pictures) -> Image:
    """The first pictures side by side, row by row; what is left of the last row is black."""
    shown = pictures[: GRID_COLUMNS * GRID_ROWS]
    columns = min(GRID_COLUMNS, len(shown))
    empty = np.zeros((-len(shown) % columns, *shown.shape[1:]), np.uint8)
    cells = np.concatenate([shown, empty]).reshape(-1, columns, *shown.shape[1:])
    rows, _, height, width, _ = cells.shape
    return cells.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, 3)


def encode(picture: Image) -> bytes:
    """A BGR picture as PNG."""
    return bytes(cv2.imencode(".png", picture)[1])
