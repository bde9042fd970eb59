"""`python cli.py eval FAMILY`: results against the truth; a new family is one file and one line."""

from __future__ import annotations

import argparse

from mot_dinov3.commands.member_parser import MEMBER, MemberParser
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.registry import Registry
from mot_dinov3.wording import usage_name

DESCRIPTION = """Compare results with a ground truth. The first word says of what: tracks where
there is none, that is, results and ground truth in MOTChallenge text, with HOTA, CLEAR and identity
figures by TrackEval, for each sequence and for all their frames together; detector is what finds
objects in single pictures; reid is a model that finds identities again in pictures of them; sot is
what follows one object from its first box; motion is what predicts where tracks will be."""

SYNOPSIS = f"""{usage_name("eval")} --gt DIR|FILE --pred DIR|FILE [FLAG ...]
       {usage_name("eval")} FAMILY [FLAG ...]"""

EVALUATIONS = Registry(
    "family",
    {
        "tracks": (
            "mot_dinov3.commands.eval_tracks",
            "identities over time, HOTA, CLEAR and identity figures by TrackEval",
        ),
        "detector": (
            "mot_dinov3.commands.eval_detector",
            "how well a detector finds objects in pictures: COCO's mAP and AR",
        ),
        "reid": (
            "mot_dinov3.commands.eval_reid",
            "how early a model finds an identity again: CMC, mAP and mINP",
        ),
        "sot": (
            "mot_dinov3.commands.eval_sot",
            "how well searchers follow one object: AO, success and precision",
        ),
        "motion": (
            "mot_dinov3.commands.eval_motion",
            "how well motion models predict tracks, seen and hidden",
        ),
    },
)
"""Word -> module with `add_flags(parser)` and `run(args) -> int`."""

DEFAULT = "tracks"


def parser() -> argparse.ArgumentParser:
    """The families, each with its own flags, and the flags of the default one."""
    out = MemberParser(
        EVALUATIONS, add_flags, prog=usage_name("eval"), synopsis=SYNOPSIS, description=DESCRIPTION
    )
    add_flags(out, DEFAULT)
    return out


def add_flags(parser: CommandParser, name: str) -> None:
    """Add the flags of the family `name`."""
    EVALUATIONS.load(name).add_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Measure what the family measures, and print it."""
    return int(EVALUATIONS.load(getattr(args, MEMBER) or DEFAULT).run(args))
