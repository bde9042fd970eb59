"""The parser of a command whose first word chooses a member with flags of its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.errors import UnknownNameError
from mot_dinov3.registry import Registry

MEMBER = "member"
"""Where the parsed arguments keep the word."""


class MemberParser(CommandParser):
    """Hands the arguments on to the parser of the member that the first word names.

    Without such a word the arguments are those of this parser itself. The members are also
    subparsers in the eyes of `argparse`, for help texts and for the completion of a shell.

    Attributes:
        members: name -> the parser of the member.
    """

    def __init__(
        self,
        table: Registry,
        fill: Callable[[CommandParser, str], None],
        **options: Any,  # noqa: ANN401 - handed on to argparse
    ) -> None:
        """Build the parsers of all members.

        Args:
            table: the members.
            fill: adds the flags of the member of a name to its parser.
            options: of the parser itself.
        """
        super().__init__(**options)
        self._table = table
        place = self.add_subparsers(
            metavar=table.kind.upper(),
            parser_class=CommandParser,
            help=f"the {table.kind}; `{self.prog} {table.kind.upper()} --help` shows its flags",
        )
        self.members: dict[str, CommandParser] = {}
        for name in table:
            line = table.help(name)
            member = place.add_parser(
                name, prog=f"{self.prog} {name}", help=line, description=sentence_of(line)
            )
            fill(member, name)
            self.members[name] = member

    def parse_args(  # type: ignore[override]  # one of several overloads is enough here
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Parse the words of a command line.

        Raises:
            UnknownNameError: the first word names no member.
            UsageError: something else is wrong with the words.
        """
        words = list(args or ())
        if not words or words[0].startswith("-"):
            found = super().parse_args(words, namespace)
            setattr(found, MEMBER, "")
            return found
        if words[0] not in self.members:
            raise UnknownNameError(self._table.kind, words[0], self._table)
        found = self.members[words[0]].parse_args(words[1:], namespace)
        setattr(found, MEMBER, words[0])
        return found


def sentence_of(line: str) -> str:
    """A table's line for `--help` as a sentence."""
    return f"{line[:1].upper()}{line[1:]}."


def format_members(table: Registry) -> str:
    """The members with their lines, one below the other."""
    width = max(map(len, table))
    return "\n".join(f"  {name:<{width}}  {table.help(name)}" for name in table)
