"""`python cli.py synth`: worlds with exact ground truth, written as MOTChallenge sequences."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.errors import EXIT_OK, OutputError, UsageError, cannot_write
from mot_dinov3.wording import counted, usage_name

if TYPE_CHECKING:
    from mot_dinov3.data.synthetic.truth import GroundTruth
    from mot_dinov3.data.synthetic.world import World
    from mot_dinov3.values import Image

DESCRIPTION = """Draw worlds whose identities are known and write each as DIR/NAME: a video or
images, gt/gt.txt and seqinfo.ini, as eval reads them. A world can also be tracked without writing
it: --source synthetic:NAME or synthetic:NAME:SEED."""

ALL = "all"
HELD_OUT = 10
"""One still of so many is there to be measured on."""
IMAGES, SUFFIX, QUALITY = "img1", ".jpg", 95

Keep = Callable[["Image", int], None]
"""Stores one picture under its 0-based frame number."""


def parser() -> CommandParser:
    """The flags of the drawing."""
    out = CommandParser(prog=usage_name("synth"), description=DESCRIPTION)
    add = out.add_argument
    add(
        "--preset",
        nargs="+",
        metavar="NAME",
        default=[],
        help="worlds to draw; without it they are listed",
    )
    out.add_value("--out", Path("outputs/synth"), "DIR", "directory of the sequences")
    add("--frames", type=int, metavar="COUNT", help="length of each sequence")
    out.default_words["frames"] = "that of the preset"
    add(
        "--seed",
        type=int,
        metavar="NUMBER",
        help="draw other people in the same situation, into DIR/NAME-NUMBER",
    )
    add("--images", action="store_true", help="write img1/000001.jpg and so on, not a video")
    add(
        "--stills",
        type=int,
        metavar="COUNT",
        help="write so many pictures of random streets with boxes, and a tenth of it to measure "
        "on, as a data set for `train detector`",
    )
    add("-q", "--quiet", action="store_true", help="print errors only")
    add("--debug", action="store_true", help="print the full traceback of an error")
    return out


def run(args: argparse.Namespace) -> int:
    """Draw every preset that was named, or list them."""
    from mot_dinov3.data.synthetic.presets.factory import PRESETS, create_world

    if args.stills is not None:
        write_stills(args.out, args.stills, args.seed or 0)
        return EXIT_OK
    if not args.preset:
        print("\n".join(list_presets()))
        return EXIT_OK
    if args.frames is not None and args.frames < 1:
        raise UsageError(f"--frames must be at least 1, got {args.frames}.", fix="Leave it out.")
    names = list(PRESETS) if ALL in args.preset else list(dict.fromkeys(args.preset))
    given = {"frames": args.frames, "seed": args.seed}
    changes = {name: value for name, value in given.items() if value is not None}
    made = [(name, create_world(name, **changes)) for name in names]
    for name, world in made:
        place = args.out / (name if args.seed is None else f"{name}-{args.seed}")
        write_sequence(world, place, images=args.images)
        if not args.quiet:
            print(f"{place}: {describe_world(world)}", file=sys.stderr)
    return EXIT_OK


def write_stills(out: Path, count: int, seed: int) -> None:
    """Draw single pictures of streets; those to measure on are of streets that no one learns from.

    Raises:
        UsageError: there are none to write.
        OutputError: they cannot be written.
    """
    from mot_dinov3.data.detection.writing import write_detection_set
    from mot_dinov3.data.synthetic.truth import CLASS_NAMES
    from mot_dinov3.training.recipes.demo.scenes import draw_held_out_stills, draw_stills

    if count < 1:
        raise UsageError(f"--stills must be at least 1, got {count}.", fix="Give a larger number.")
    held_out = -(-count // HELD_OUT)
    splits = {"train": draw_stills(count, seed), "val": draw_held_out_stills(held_out)}
    write_detection_set(out, CLASS_NAMES, splits)
    learned = counted(count, "picture")
    print(f"{out / 'data.yaml'}: {learned} to learn from, {held_out} to measure on")


def list_presets() -> list[str]:
    """A line for each preset: name, default seed, length, and what happens in it."""
    from mot_dinov3.data.synthetic.presets.factory import PRESETS, load_preset

    lines = ["preset       seed   frames   fps  what happens"]
    for name in PRESETS:
        preset = load_preset(name)
        clip = preset.clip
        lines.append(f"{name:<11}{clip.seed:>6}{clip.frames:>9}{clip.fps:>6g}  {preset.title}")
    return lines


def describe_world(world: World) -> str:
    """A world in a few words."""
    clip = world.config
    return (
        f"{counted(clip.frames, 'frame')}, {clip.width}x{clip.height}, {clip.fps:g} a second, "
        f"{counted(len(world.actors), 'identity', 'identities')}"
    )


def write_sequence(world: World, place: Path, *, images: bool) -> None:
    """Draw a world into a MOTChallenge sequence in the directory `place`.

    Raises:
        OutputError: it cannot be written, or images are there already.
    """
    from mot_dinov3.data.synthetic.truth import as_table
    from mot_dinov3.io.formats.mot import write_ground_truth
    from mot_dinov3.io.write.atomic import write_text
    from mot_dinov3.io.write.paths import check_output

    info, truth = place / "seqinfo.ini", place / "gt" / "gt.txt"
    for path in (info, truth):
        check_output(path, None, no_clobber=False)
    known: list[GroundTruth] = []
    with _open_images(place) if images else _open_video(world, place) as keep:
        for frame, seen in world:
            keep(frame.image, frame.index)
            known.append(seen)
    write_ground_truth(truth, as_table(known))
    write_text(info, format_seqinfo(world, place.name))


def format_seqinfo(world: World, name: str) -> str:
    """The text of `seqinfo.ini`; format: https://motchallenge.net/instructions/."""
    clip = world.config
    keys = {
        "name": name,
        "imDir": IMAGES,
        "frameRate": f"{clip.fps:g}",
        "seqLength": clip.frames,
        "imWidth": clip.width,
        "imHeight": clip.height,
        "imExt": SUFFIX,
    }
    return "\n".join(["[Sequence]", *(f"{key}={value}" for key, value in keys.items()), ""])


@contextmanager
def _open_video(world: World, place: Path) -> Iterator[Keep]:
    from mot_dinov3.io.write.writer import VideoWriter, VideoWriterConfig

    fps = world.config.fps
    with VideoWriter(VideoWriterConfig(place / f"{place.name}.mp4", fps)) as writer:
        yield lambda image, index: writer.write(image, index / fps)


@contextmanager
def _open_images(place: Path) -> Iterator[Keep]:
    import cv2

    directory = place / IMAGES
    try:
        directory.mkdir(parents=True, exist_ok=True)
        there = next(directory.iterdir(), None)
    except OSError as error:
        raise cannot_write(directory, error) from error
    if there is not None:
        raise OutputError(
            f"'{directory}' holds images already, such as '{there.name}'.",
            fix="Remove them, or give another --out.",
        )

    def keep(image: Image, index: int) -> None:
        path = directory / f"{index + 1:06d}{SUFFIX}"
        _, data = cv2.imencode(SUFFIX, image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        try:
            path.write_bytes(data.tobytes())
        except OSError as error:
            raise cannot_write(path, error) from error

    yield keep
