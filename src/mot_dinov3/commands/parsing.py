"""The parser of every command: a short help and a whole one, and one sentence for a wrong word."""

from __future__ import annotations

import argparse
import copy
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from shutil import get_terminal_size
from typing import Any, NoReturn

from mot_dinov3.commands.habits import hints_for, is_source
from mot_dinov3.commands.members import members_of
from mot_dinov3.errors import UsageError, nearest
from mot_dinov3.runtime.limits import INT64
from mot_dinov3.wording import program, usage_name

WIDTH = 96
"""Columns of a help text where there is room."""
HELP_ALL = "--help-all"
NEGATIVE = re.compile(r"-\.?\d[\d.,-]*$")
"""Numbers of which the first is below 0: a value, not a flag."""
MOST_DIGITS = 40
"""Characters of a whole number; longer ones are not even tried."""


class CommandParser(argparse.ArgumentParser):
    """An `ArgumentParser` with two help texts, that guesses what a wrong word was meant to be.

    `--help` shows the command's own flags and the shared ones that most people use; `--help-all`
    shows every flag, in groups. Defaults, and the names that a flag knows, are added to its text.

    Attributes:
        default_words: name of an argument -> its default as a help text shows it, for an argument
            whose `default` is not its real one.
        words: the commands of the program with a line each, for the parser that shows them.
        synopsis: the usage lines without the word "usage"; empty for one made from the arguments.
        given: the words that were parsed last.
        loose: name of the argument that takes sources without a flag; empty for none.
    """

    def __init__(
        self,
        *,
        words: Mapping[str, str] | None = None,
        synopsis: str = "",
        **options: Any,  # noqa: ANN401 - handed on to argparse
    ) -> None:
        self.words = dict(words or {})
        self.synopsis = synopsis
        self.default_words: dict[str, str] = {}
        self.given: tuple[str, ...] = ()
        self.loose = ""
        self._rare: list[argparse.Action] = []
        options.setdefault("formatter_class", _Formatter)
        super().__init__(allow_abbrev=False, add_help=False, **options)
        self.register("type", int, parse_whole)
        self._negative_number_matcher = NEGATIVE  # argparse knows one number, but not a box
        self._positionals.title, self._optionals.title = "arguments", "flags"
        self.add_argument("-h", "--help", action="help", help="show this help")

    def parse_known_args(  # type: ignore[override]  # one of several overloads is enough here
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse the words that are known; sources that stand alone are some of them."""
        self.given = tuple(args or ())
        found, rest = super().parse_known_args(args, namespace)
        if self.loose and rest and all(is_source(word) and not word.isdecimal() for word in rest):
            setattr(found, self.loose, [*getattr(found, self.loose, ()), *rest])
            return found, []
        return found, rest

    def add_value(self, name: str, default: object, metavar: str, text: str) -> None:
        """Add a flag whose value has the type of its default; a list makes one with several values.

        Args:
            name: the flag, such as "--frames".
            default: its value when it is not given; a list must not be empty.
            metavar: the unit or kind of the value, such as "COUNT".
            text: what the flag means.
        """
        several = isinstance(default, list)
        kind = type(default[0] if isinstance(default, list) else default)
        self.add_argument(
            name,
            type=kind,
            default=default,
            metavar=metavar,
            help=text,
            nargs="+" if several else None,
        )

    def move_to_help_all(self, action: argparse.Action) -> None:
        """Show an argument in `--help-all` only."""
        if not self._rare:
            self.add_argument(HELP_ALL, action=_WholeHelp, help="show every flag, in groups")
        self._rare.append(action)

    @property
    def hides_flags(self) -> bool:
        """Whether `--help` leaves flags to `--help-all`."""
        return bool(self._rare)

    def format_help(self) -> str:
        """The short help: what most people need, in one list."""
        actions = [action for action in self._actions if action not in self._rare]
        last = [action for action in actions if action.dest in ("help", "version", "help_all")]
        formatter = self._get_formatter()
        self._open(formatter)
        rest = [action for action in actions if action not in last]
        sections = {
            "arguments": [action for action in rest if not action.option_strings],
            "flags": [*(action for action in rest if action.option_strings), *last],
        }
        for title, shown in sections.items():
            formatter.start_section(title)
            formatter.add_arguments([self._with_text(action) for action in shown])
            formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()

    def format_whole_help(self) -> str:
        """The help with every flag, in the groups that they were added in."""
        formatter = self._get_formatter()
        self._open(formatter)
        for title, text, actions in self.sections():
            formatter.start_section(title)
            formatter.add_text(text)
            formatter.add_arguments([self._with_text(action, whole=True) for action in actions])
            formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()

    def sections(self) -> list[tuple[str, str | None, list[argparse.Action]]]:
        """Title, text and arguments of each group that has any, in the order of the whole help."""
        return [
            (group.title or "", group.description, group._group_actions)  # noqa: SLF001
            for group in self._action_groups
            if group._group_actions  # noqa: SLF001 - argparse tells of its groups in no other way
        ]

    def format_usage(self) -> str:
        """The usage alone."""
        formatter = self._get_formatter()
        self._add_usage(formatter)
        return formatter.format_help()

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the whole usage.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", fix=self._hint(message))

    def text_of(self, action: argparse.Action, *, whole: bool = True) -> str:
        """What the help says of an argument: its text, the names it knows, its default.

        Args:
            action: one of the parser's arguments.
            whole: whether each name has a line of its own, which says what it means.
        """
        text = (action.help or "").replace("%%", "%")
        names = {} if action.choices else members_of(action.dest)
        default = self._default_of(action)
        default = f" (default: {default})" if default else ""
        if names and (whole or not action.option_strings):
            width = max(map(len, names))
            lines = [f"  {name:<{width}}  {line}" for name, line in names.items()]
            return "\n".join([f"{text}{default}:", *lines])
        return f"{text}: {_join_names(names)}{default}" if names else f"{text}{default}"

    def _default_of(self, action: argparse.Action) -> str:
        if action.dest in self.default_words:
            return self.default_words[action.dest]
        value = action.default
        said = not action.help or "(default" in action.help
        if said or value is None or value is argparse.SUPPRESS or isinstance(value, bool):
            return ""
        return format_default(value)

    def _with_text(self, action: argparse.Action, *, whole: bool = False) -> argparse.Action:
        shown = copy.copy(action)
        shown.help = self.text_of(action, whole=whole).replace("%", "%%")
        return shown

    def _open(self, formatter: argparse.HelpFormatter) -> None:
        """The usage, what the command does, and the commands where the parser shows them."""
        self._add_usage(formatter)
        formatter.add_text(self.description)
        formatter.start_section("commands")
        formatter.add_arguments([_stand_in(word, line) for word, line in self.words.items()])
        formatter.end_section()

    def _add_usage(self, formatter: argparse.HelpFormatter) -> None:
        needed = [a for a in self._actions if a.required or not a.option_strings]
        usage = self.synopsis or None
        formatter.add_usage(usage, [*needed, _stand_in("[FLAG ...]", "")], [])

    def _hint(self, message: str) -> str:
        wrong = re.search(r"unrecognized arguments: (--[\w-]+)", message)
        known = [word for action in self._actions for word in action.option_strings]
        if hints := hints_for(message, known, self.given):
            return "\n".join(hints)
        near = nearest(wrong.group(1), known) if wrong else []
        words = self.prog.removeprefix(usage_name())
        ask = f"See: {program()}{words} {HELP_ALL if self.hides_flags else '--help'}"
        return f"Did you mean {' or '.join(near)}?" if near else ask


def parse_whole(text: str) -> int:
    """A whole number that an array can hold.

    Raises:
        ValueError: it is not a whole number.
        argparse.ArgumentTypeError: it is too large.
    """
    if len(text) > MOST_DIGITS or abs(int(text)) > INT64:
        raise argparse.ArgumentTypeError(f"{text[:MOST_DIGITS]} is too large a number")
    return int(text)


def format_default(value: object) -> str:
    """A default as a help text shows it; empty for an empty text or list."""
    if isinstance(value, list):
        return " ".join(map(format_default, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


class _WholeHelp(argparse.Action):
    """Print the help with every flag, and end the program."""

    def __init__(self, option_strings: list[str], dest: str, **options: Any) -> None:  # noqa: ANN401
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it."""
        if isinstance(parser, CommandParser):
            print(parser.format_whole_help(), end="")
            parser.exit()


class _Formatter(argparse.HelpFormatter):
    """Help as wide as the terminal, up to what is good to read; keeps the lines of a list."""

    def __init__(self, prog: str) -> None:
        width = min(WIDTH, get_terminal_size((WIDTH + 2, 24)).columns - 2)
        super().__init__(prog, max_help_position=min(30, width // 3), width=width)

    def _split_lines(self, text: str, width: int) -> list[str]:
        """Wrap a text; every line after the first is an entry of a list, wrapped by itself."""
        head, *entries = text.split("\n")
        lines = self._wrap(head, width)
        for entry in entries:
            name = re.match(r"\s*\S+\s*", entry)
            start = name[0] if name else ""
            wrapped = self._wrap(entry[len(start) :], max(width - len(start), 20))
            lines += [start + wrapped[0], *(" " * len(start) + line for line in wrapped[1:])]
        return lines

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Wrap a paragraph."""
        return "\n".join(indent + line for line in self._wrap(text, width - len(indent)))

    def _wrap(self, text: str, width: int) -> list[str]:
        """Wrap between words only, so that a flag with a hyphen stays whole."""
        words = " ".join(text.split())
        return textwrap.wrap(words, width, break_on_hyphens=False, break_long_words=False) or [""]


def _stand_in(word: str, line: str) -> argparse.Action:
    """An argument that is only shown."""
    return argparse.Action([], word, metavar=word, help=line)


def _join_names(names: Iterable[str]) -> str:
    """`a, b or c`."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
