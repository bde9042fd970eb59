"""`python cli.py export`: a trained network as a file that other programs run."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.errors import EXIT_OK
from mot_dinov3.wording import usage_name

DESCRIPTION = """Write the network of a `train reid` run as an ONNX file with an open batch size.
The file holds mean, std and the cosine gate as notes, which --embedder onnx reads. Both networks
are compared before the file gets its name."""

SCALED_BY = 128
"""Pictures that the range of int8 numbers is read off."""


def parser() -> CommandParser:
    """The run, the file, and the numbers in it."""
    out = CommandParser(prog=usage_name("export"), description=DESCRIPTION)
    add = out.add_argument
    add("run", type=Path, metavar="DIR", help="folder of a training run or of a checkpoint")
    add("--onnx", type=Path, required=True, metavar="FILE", help="the file to write")
    add("--int8", action="store_true", help="make weights and maps int8; needs --data")
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of crops that int8 numbers are scaled by, and both networks are compared on",
    )
    add("--debug", action="store_true", help="show full tracebacks")
    return out


def run(args: argparse.Namespace) -> int:
    """Write the file and say how alike both are."""
    from mot_dinov3.data.reid.crops import require_pictures
    from mot_dinov3.errors import UsageError, not_installed
    from mot_dinov3.io.write.paths import check_output, publish, reserve_partial

    if args.int8 and args.data is None:
        raise UsageError(
            "--int8 scales numbers by what crops look like, and there are none.",
            fix="Add --data DIR with crops like those of your videos.",
        )
    for package in ("onnx", "onnxruntime"):
        if find_spec(package) is None:
            raise not_installed(package, "onnx", "export --onnx")
    from mot_dinov3.perception.features.reid_export import export_run

    check_output(args.onnx, None, no_clobber=False)
    found = require_pictures(args.data) if args.data else []
    step = max(1, len(found) // SCALED_BY)
    partial = reserve_partial(args.onnx)
    try:
        parity = export_run(args.run, partial, found[::step][:SCALED_BY], int8=args.int8)
        publish(partial, args.onnx, replace=True)
    finally:
        partial.unlink(missing_ok=True)
    size = args.onnx.stat().st_size / 1e6
    print(
        f"{args.onnx}: {size:.1f} MB, {'int8' if args.int8 else 'fp32'}; vectors differ by up to "
        f"{parity.largest:.1e}, mean cosine {parity.cosine:.4f}"
    )
    return EXIT_OK
