"""`python cli.py completion bash`: lets the shell complete commands, flags, files and names."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable

from mot_dinov3.commands.factory import COMMANDS, DEFAULT_COMMAND
from mot_dinov3.commands.members import members_of
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.errors import EXIT_OK, UsageError, not_installed
from mot_dinov3.wording import usage_name

DESCRIPTION = """Print a script for a shell that completes the commands, their flags, files and
names. In bash: eval "$(mot-dinov3 completion bash)", also in ~/.bashrc."""

SHELLS = ("bash", "zsh", "tcsh")
PROGRAM = "mot-dinov3"
NAMES_OR_FILES = '{}() {{ compgen -W "{}" -- "$1"; compgen -f -- "$1"; }}'
"""A function of bash that offers the members of a table, and files."""


def parser() -> CommandParser:
    """The shell, and what the program is called there."""
    out = CommandParser(prog=usage_name("completion"), description=DESCRIPTION)
    add = out.add_argument
    add("shell", choices=SHELLS, help="shell to print the script for")
    add("--name", default=PROGRAM, metavar="WORD", help="complete after this word, or an alias")
    add("--debug", action="store_true", help="print the full traceback of an error")
    return out


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    if not re.fullmatch(r"[A-Za-z_][\w.-]{0,63}", args.name, re.ASCII):
        raise UsageError(
            f"--name must be a word of letters, digits, '.', '_' and '-', got {args.name!r}.",
            fix="Give the word that starts the program.",
        )
    print(build_script(args.shell, args.name))
    return EXIT_OK


def build_script(shell: str, name: str) -> str:
    """The script that completes after `name`.

    Raises:
        ModelError: shtab is not installed.
    """
    try:
        import shtab
    except ImportError as error:
        raise not_installed("shtab", "completion", "Shell completion") from error
    root = build_whole_parser(name)
    kinds = {"file": shtab.FILE, "directory": shtab.DIRECTORY}
    functions = []
    for one in list_parsers(root):
        for action in one._actions:  # noqa: SLF001 - argparse tells of its flags in no other way
            kind, names = kind_of(action), members_of(action.dest)
            if kind and names:  # only bash offers both
                function = f"_names_or_files_{action.dest}"
                functions.append(NAMES_OR_FILES.format(function, " ".join(names)))
                action.complete = kinds[kind] | {"bash": function}  # type: ignore[attr-defined]
            elif kind:
                action.complete = kinds[kind]  # type: ignore[attr-defined]
            else:
                action.choices = action.choices or tuple(names) or None
    return str(shtab.complete(root, shell=shell, preamble={"bash": "\n".join(functions)}))


def build_whole_parser(name: str) -> argparse.ArgumentParser:
    """All commands in one parser: the main job's flags, and a subparser per command word."""
    parsers = {word: COMMANDS.load(word).parser() for word in COMMANDS}
    root: argparse.ArgumentParser = COMMANDS.load(DEFAULT_COMMAND).parser()
    root.prog = name
    words = root.add_subparsers(metavar="COMMAND", parser_class=argparse.ArgumentParser)
    for word, one in parsers.items():
        words.add_parser(word, parents=[one], add_help=False, help=COMMANDS.help(word))
    return root


def list_parsers(root: argparse.ArgumentParser) -> Iterable[argparse.ArgumentParser]:
    """The parser and all below it."""
    yield root
    for action in root._actions:  # noqa: SLF001 - as above
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for one in action.choices.values():
                yield from list_parsers(one)


def kind_of(action: argparse.Action) -> str:
    """What an argument names in the file system: "file", "directory", or "" for neither."""
    if action.nargs == 0 or action.choices:
        return ""
    placeholder = action.metavar if isinstance(action.metavar, str) else ""
    if "FILE" in placeholder or placeholder in ("PATH", "SOURCE", "RUN"):
        return "file"
    return "directory" if placeholder == "DIR" else ""
