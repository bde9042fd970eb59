"""The pages of docs/ that are made from the code, whole or in part.

docs/reference/flags.md, needs.md and commands.md come from the parsers and their tables, and the
picture of the rooms in docs/develop/design.md from the plan of the floors and from the imports.

    PYTHONPATH=src:tests python -m helpers.reference_pages

writes them again; a test holds them against the code.
"""

from __future__ import annotations

import argparse
import sys

from helpers.floors import draw_floors
from helpers.places import ROOT
from mot_dinov3.commands.factory import COMMANDS, DEFAULT_COMMAND
from mot_dinov3.commands.flags import COMMON
from mot_dinov3.commands.member_parser import MemberParser
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config.needs.table import NEEDS

DOCS = ROOT / "docs"
DESIGN = "develop/design.md"
BEGIN, END = "<!-- floors: generated from the code -->\n", "<!-- end of floors -->\n"
"""Marks in `DESIGN`; what stands between them is replaced."""
RENEW = "PYTHONPATH=src:tests python -m helpers.reference_pages"
"""The command that writes the pages again."""

NOTE = "<!-- Generated from the code; see CONTRIBUTING.md. -->"
LEFT_OUT = ("-h", "--help", "--help-all", "--debug")
"""Flags that need no line under a command: every command has them, or they are the main job's."""


OWN = ("arguments", "flags", "settings")
"""Groups of flags that a command has for itself."""


def render_pages() -> dict[str, str]:
    """Path below docs/ -> text of every page that is generated, whole or in part."""
    return {
        "reference/flags.md": render_flags(),
        "reference/needs.md": render_needs(),
        "reference/commands.md": render_commands(),
        DESIGN: renew_design((DOCS / DESIGN).read_text(encoding="utf-8")),
    }


def renew_design(page: str) -> str:
    """The page about the design with the floors as they are now.

    Raises:
        ValueError: a mark is missing.
    """
    before, old = page.split(BEGIN)
    _, after = old.split(END)
    return f"{before}{BEGIN}{draw_floors()}{END}{after}"


def render_flags() -> str:
    """The page of all flags of the main job, a table for each group."""
    parser = COMMANDS.load(DEFAULT_COMMAND).parser()
    lines = [
        "# Flags",
        NOTE,
        "",
        "Every flag is also an environment variable (`--embed-refresh` is `MOT_EMBED_REFRESH`) and",
        "a key in a TOML file for `--config` (`embed_refresh = 5`): see [Settings](settings.md).",
        f"The {len(COMMON)} flags that most people use are in bold: `python cli.py --help` shows",
        "these, and `--help-all` shows every flag. Other commands share many of them: see",
        "[Commands](commands.md).",
    ]
    for title, text, actions in parser.sections():
        lines += ["", f"## {title.capitalize()}", "", *([text, ""] if text else [])]
        lines += table_of(parser, actions, bold=COMMON)
        lines += names_of(parser, actions)
    return "\n".join(lines) + "\n"


def render_needs() -> str:
    """The page of flags that do nothing beside another setting."""
    lines = [
        "# Flags that need others",
        NOTE,
        "",
        "What stands in the first column does nothing beside, or without, what stands in the",
        "second one. A run that was surely meant otherwise is refused; else a line says what is",
        "ignored. Flags, variables and files count alike; a default or a preset never does, and a",
        "file is not refused for what the command line makes idle.",
        "",
        "| flag | beside | what happens | why |",
        "|---|---|---|---|",
    ]
    for need in NEEDS:
        flags = " ".join(f"`{flag}`" for flag in need.flags)
        beside = f"without `{need.lacks}`" if need.lacks else f"`{need.example}`"
        beside = beside if "--" in beside else need.beside
        happens = "refused" if need.refused else "said"
        lines.append(f"| {flags} | {beside} | {happens} | {need.why} |")
    return "\n".join(lines) + "\n"


def render_commands() -> str:
    """The page of all commands: what each does, its usage and its own flags."""
    lines = [
        "# Commands",
        NOTE,
        "",
        "`python cli.py` without a command word tracks. An installed `mot-dinov3` is the same",
        "program. `python cli.py COMMAND --help` shows the flags of a command; where a command",
        "shares flags of [the main job](flags.md), `--help-all` shows those too.",
        "",
        "| command | what it does |",
        "|---|---|",
    ]
    lines += [f"| [`{word}`](#{word}) | {COMMANDS.help(word)} |" for word in COMMANDS]
    for word in COMMANDS:
        lines += ["", f"## {word}", "", *render_command(word)]
    return "\n".join(lines) + "\n"


def render_command(word: str) -> list[str]:
    """The lines of one command on the page of commands."""
    parser = COMMANDS.load(word).parser()
    usage = " ".join(parser.format_usage().split()).removeprefix("usage: ")
    if word == DEFAULT_COMMAND:
        return [" ".join(parser.description.split()), "", "Its flags: [Flags](flags.md)."]
    own, shared = [], []
    for title, _, actions in parser.sections():
        place = own if title in OWN else shared
        place += [action for action in actions if not set(action.option_strings) & {*LEFT_OUT}]
    lines = [
        f"`{usage}`",
        "",
        " ".join(parser.description.split()),
    ]
    if own:
        lines += ["", *table_of(parser, own), *names_of(parser, own)]
    if shared:
        groups = [title for title, _, _ in parser.sections() if title not in OWN]
        links = [f"[{title}](flags.md#{title})" for title in dict.fromkeys(groups)]
        lines += ["", f"It shares flags of the main job: {', '.join(links)}."]
    return lines + render_members(word, parser)


def render_members(word: str, parser: CommandParser) -> list[str]:
    """A section for each member of a command that has members with flags of their own."""
    if not isinstance(parser, MemberParser):
        return []
    lines, own = [], flags_of(parser)
    for name, member in parser.members.items():
        if flags_of(member) == own:  # the member that the command stands for without a word
            continue
        actions = [action for _, _, some in member.sections() for action in some]
        shown = [action for action in actions if not set(action.option_strings) & {*LEFT_OUT}]
        lines += ["", f"### {word} {name}", "", " ".join((member.description or "").split())]
        lines += ["", *table_of(member, shown), *names_of(member, shown)]
    return lines


def flags_of(parser: CommandParser) -> set[str]:
    """The words of all flags of a parser."""
    actions = [action for _, _, some in parser.sections() for action in some]
    return {word for action in actions for word in action.option_strings}


def table_of(
    parser: CommandParser, actions: list[argparse.Action], bold: tuple[str, ...] = ()
) -> list[str]:
    """A table of arguments: how each is written, its default, what it means."""
    rows = ["| flag | default | value | meaning |", "|---|---|---|---|"]
    for action in actions:
        names = " ".join(f"`{word}`" for word in action.option_strings)
        names = names or f"`{action.metavar or action.dest}`"
        if bold and action.option_strings[0] in bold:
            names = f"**{names}**"
        text, _, default = parser.text_of(action).partition("\n")[0].partition(" (default: ")
        default = default.rstrip("):")
        cells = (names, f"`{default}`" if default else "", value_of(action), text.rstrip(":"))
        escaped = [cell.replace("|", r"\|") for cell in cells]
        rows.append(f"| {' | '.join(escaped)} |".replace("|  |", "| |").replace("|  |", "| |"))
    return rows


def names_of(parser: CommandParser, actions: list[argparse.Action]) -> list[str]:
    """A paragraph of the names that each argument knows, below its table."""
    lines = []
    for action in actions:
        entries = [entry.split(maxsplit=1) for entry in parser.text_of(action).split("\n")[1:]]
        if entries:
            name = (action.option_strings or [str(action.metavar)])[0]
            known = ", ".join(f"`{word}` ({text})" for word, text in entries)
            lines += ["", f"`{name}` knows {known}."]
    return lines


def value_of(action: argparse.Action) -> str:
    """The unit or kind of an argument's value, or its choices."""
    if action.choices:
        return ", ".join(f"`{choice}`" for choice in action.choices)
    return str(action.metavar) if action.metavar and action.option_strings else ""


def main() -> int:
    """Write the pages."""
    for name, text in render_pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
