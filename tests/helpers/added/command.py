"""A command that is added by this file and one line of the table: it says a word."""

from __future__ import annotations

import sys

from mot_dinov3.commands.parsing import CommandParser

LINE = ("helpers.added.command", "say a word a few times")


def parser():
    out = CommandParser(prog="cli.py echo", description="Say a word a few times.")
    out.add_value("--times", 2, "COUNT", "how often the word is said")
    return out


def run(args):
    sys.stdout.write(" ".join(["echo"] * args.times) + "\n")
    return 0
