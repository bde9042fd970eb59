"""`python cli.py eval reid`: how early a model finds an identity again, by Market-1501's rule."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from mot_dinov3.commands.flags import add_model_flags
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.commands.progress import PictureBar
from mot_dinov3.errors import EXIT_OK, InputError
from mot_dinov3.wording import counted

if TYPE_CHECKING:
    from mot_dinov3.evaluation.reid.gate import Gate
    from mot_dinov3.evaluation.reid.ranking import Ranking
    from mot_dinov3.evaluation.reid.variants import EmbeddedSet
    from mot_dinov3.perception.features.base import Embedder

SWITCHES = {
    "flip": ("--flip", "add the vector of each picture's mirror image to its own"),
    "camera-norm": ("--camera-norm", "take each camera's mean vector away"),
    "jaccard": ("--rerank", "measure distances by shared neighbours (k-reciprocal Jaccard)"),
}
"""Row of the table -> flag and its meaning."""
COLUMNS = {
    "rank1": "rank-1",
    "rank5": "rank-5",
    "rank10": "rank-10",
    "mean_ap": "mAP",
    "mean_inp": "mINP",
}
WIDTH = 9


def add_flags(parser: CommandParser) -> None:
    """Add the flags: the model, the pictures, what is tried, and what is written."""
    add = parser.add_argument
    add(
        "--ckpt",
        required=True,
        metavar="DIR|FILE|NAME",
        help="folder of a training run, file .onnx or .xml, or embedder and model such as dino:DIR",
    )
    add(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with query and bounding_box_test, as Market-1501 has them",
    )
    for name, (flag, text) in SWITCHES.items():
        add(flag, dest=name, action="store_true", help=f"{text}; a row of its own")
    add_model_flags(parser)
    add("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    add("--debug", action="store_true", help="show full tracebacks")


def run(args: argparse.Namespace) -> int:
    """Embed query and gallery, rank, print the table."""
    from mot_dinov3.evaluation.reid.variants import rank_variants, suggest_gate_for

    if args.json:
        from mot_dinov3.io.write.paths import check_output

        model = Path(args.ckpt)
        check_output(args.json, model if model.is_file() else None, no_clobber=False)
    embedded, facts = read_and_embed(args)
    given = [name for name in SWITCHES if getattr(args, name)]
    rankings = rank_variants(embedded, given)
    gate = suggest_gate_for(embedded)
    print(format_table(rankings))
    print(format_notes(facts, gate, next(iter(rankings.values())).unmatched))
    if args.json:
        from mot_dinov3.io.write.atomic import write_text

        document = build_document(args, facts, rankings, gate)
        write_text(args.json, json.dumps(document, indent=2, allow_nan=False))
    return EXIT_OK


def read_and_embed(args: argparse.Namespace) -> tuple[EmbeddedSet, dict[str, Any]]:
    """The pictures that can be read, with their vectors; and what there was, for the notes.

    Raises:
        InputError: the set has nothing to find, or no query can be read.
        ModelError: the model cannot be loaded.
    """
    from mot_dinov3.config import DeviceConfig
    from mot_dinov3.data.reid.market import QUERY, SearchSet, read_search_set
    from mot_dinov3.evaluation.reid.ranking import find_pairs
    from mot_dinov3.evaluation.reid.variants import EmbeddedSet
    from mot_dinov3.perception.features.base import Placement
    from mot_dinov3.perception.features.factory import create_embedder
    from mot_dinov3.perception.features.pictures import choose_embedder
    from mot_dinov3.runtime.device import choose_device

    pictures = read_search_set(args.data)
    query, gallery = pictures.query, pictures.gallery
    find_pairs(query, gallery)
    run_on = DeviceConfig(device=args.device, precision=args.precision)
    place = Placement(choose_device(args.device), run_on)
    embedder = create_embedder(choose_embedder(args.ckpt), place)
    started_s = perf_counter()
    vectors = embed(embedder, [*query.paths, *gallery.paths], mirrored=args.flip)
    seconds = perf_counter() - started_s
    usable = np.isfinite(vectors).all(axis=(0, 2))
    if not usable[: len(query)].any():
        raise InputError(
            f"None of the {counted(len(query), 'picture')} of '{args.data / QUERY}' can be read.",
            fix="Check that they are whole and open in an image viewer.",
        )
    kept = SearchSet(query[usable[: len(query)]], gallery[usable[len(query) :]])
    both = vectors[:, usable]
    identity = np.concatenate((kept.query.identity, kept.gallery.identity))
    camera = np.concatenate((kept.query.camera, kept.gallery.camera))
    embedded = EmbeddedSet(kept, both[0], both[1] if args.flip else None)
    facts = {
        "model": embedder.title,
        "seconds": round(seconds, 2),
        "queries": len(kept.query),
        "gallery": len(kept.gallery),
        "identities": len(np.unique(identity)),
        "cameras": len(np.unique(camera)),
        "unreadable": int((~usable).sum()),
        "neighbourhoods": embedded.neighbourhoods,
    }
    return embedded, facts


def embed(embedder: Embedder, paths: list[Path], *, mirrored: bool) -> np.ndarray[Any, Any]:
    """(1 or 2, N, D) vectors of files and of their mirror images; shows how it goes on."""
    from mot_dinov3.perception.features.pictures import embed_files

    with PictureBar(len(paths)) as bar:
        vectors = embed_files(embedder, paths, mirrored=mirrored, report=bar)
    return vectors if mirrored else vectors[None]


def format_table(rankings: Mapping[str, Ranking]) -> str:
    """The figures, a line for each way to measure, aligned for people."""
    width = max(map(len, rankings))
    lines = [" " * width + "".join(f"{title:>{WIDTH}}" for title in COLUMNS.values())]
    for name, ranking in rankings.items():
        cells = (f"{getattr(ranking, column):>{WIDTH}.3f}" for column in COLUMNS)
        lines.append(f"{name:<{width}}" + "".join(cells))
    return "\n".join(lines)


def format_notes(facts: Mapping[str, Any], gate: Gate, unmatched: int) -> str:
    """What was compared, with what, and which gate follows."""
    pictures = facts["queries"] + facts["gallery"]
    queries = counted(facts["queries"], "query", "queries")
    left_out = f", {unmatched} of them without a match to find" if unmatched else ""
    unreadable = facts["unreadable"]
    skipped = f"; {counted(unreadable, 'picture')} unreadable" if unreadable else ""
    return "\n".join(
        [
            f"{queries}{left_out}, {counted(facts['gallery'], 'gallery picture')}, "
            f"{counted(facts['identities'], 'identity', 'identities')}, "
            f"{counted(facts['cameras'], 'camera')}{skipped}",
            f"{facts['model']}: {pictures} pictures in {facts['seconds']:.1f} s",
            f"cosine gate {gate.cosine:.3f}: {gate.splits:.1%} of the matches lie below it, "
            f"{gate.merges:.1%} of the strangers do not",
        ]
    )


def build_document(
    args: argparse.Namespace,
    facts: Mapping[str, Any],
    rankings: Mapping[str, Ranking],
    gate: Gate,
) -> dict[str, Any]:
    """What `--json` writes."""
    k1, k2 = facts["neighbourhoods"]
    shown = {name: value for name, value in facts.items() if name != "neighbourhoods"}
    return {
        "ckpt": args.ckpt,
        "data": str(args.data),
        **shown,
        "k1": k1,
        "k2": k2,
        "rankings": {name: asdict(ranking) for name, ranking in rankings.items()},
        "cosine_gate": asdict(gate),
    }
