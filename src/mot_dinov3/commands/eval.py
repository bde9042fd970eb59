"""`python cli.py eval FAMILY`: results against the truth; a new family is one file and one line."""

from __future__ import annotations

import argparse

from mot_dinov3.commands.member_parser import MEMBER, MemberParser
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.registry import Registry

DESCRIPTION = """Compare results with a ground truth. The first word says of what: tracks where
there is none, that is, results and ground truth in MOTChallenge text, with HOTA, CLEAR and identity
figures by TrackEval, for each sequence and for all their frames together."""

EVALUATIONS = Registry(
    "family",
    {
        "tracks": (
            "mot_dinov3.commands.eval_tracks",
            "identities over time, HOTA, CLEAR and identity figures by TrackEval",
        ),
    },
)
"""Word -> module with `build_parser()` and `run(args) -> int`."""

DEFAULT = "tracks"


def parser() -> argparse.ArgumentParser:
    """The families, each with its own flags, and the flags of the default one."""
    return MemberParser(
        EVALUATIONS,
        _build_member,
        prog="cli.py eval",
        description=DESCRIPTION,
        parents=[_build_member(DEFAULT)],
    )


def _build_member(name: str) -> CommandParser:
    built: CommandParser = EVALUATIONS.load(name).build_parser()
    return built


def run(args: argparse.Namespace) -> int:
    """Measure what the family measures, and print it."""
    return int(EVALUATIONS.load(getattr(args, MEMBER) or DEFAULT).run(args))
