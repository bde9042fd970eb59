"""`python cli.py completion bash`: lets the shell complete commands, flags, files and names."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from importlib import import_module

from mot_dinov3.commands import COMMANDS
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.errors import EXIT_OK, UsageError, not_installed

DESCRIPTION = """Print a script for a shell that completes the commands, their flags, files and
names. In bash: eval "$(mot-dinov3 completion bash)", also in ~/.bashrc."""

SHELLS = ("bash", "zsh", "tcsh")
PROGRAM = "mot-dinov3"
FILES = frozenset({"source", "output", "det", "embed_model", "runs"})
"""Where a file may stand though the flag's placeholder does not say so."""
DIRECTORIES = frozenset({"export_cache"})


def parser() -> argparse.ArgumentParser:
    """The shell, and what the program is called there."""
    out = CommandParser(prog="cli.py completion", description=DESCRIPTION)
    out.add_argument("shell", choices=SHELLS, help="for which shell")
    out.add_argument("--name", default=PROGRAM, metavar="WORD",
                     help="complete after this word, such as an alias of your own "
                     f"(default: {PROGRAM})")  # fmt: skip
    out.add_argument("--debug", action="store_true", help="show full tracebacks")
    return out


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    if not re.fullmatch(r"[A-Za-z_][\w.-]{0,63}", args.name, re.ASCII):
        raise UsageError(
            f"--name must be a word of letters, digits, '.', '_' and '-', got {args.name!r}.",
            fix="Give the word that starts the program.",
        )
    print(script(args.shell, args.name))
    return EXIT_OK


def script(shell: str, name: str) -> str:
    """The script that completes after `name`.

    Raises:
        ModelError: shtab is not installed.
    """
    try:
        import shtab
    except ImportError as error:
        raise not_installed("shtab", "completion", "Shell completion") from error
    root = whole_parser(name)
    kinds = {"file": shtab.FILE, "directory": shtab.DIRECTORY}
    for one in every_parser(root):
        for action in one._actions:  # noqa: SLF001 - argparse tells of its flags in no other way
            kind = kind_of(action)
            if kind:
                action.complete = kinds[kind]  # type: ignore[attr-defined]
            else:
                action.choices = action.choices or names_of(action.dest) or None
    return str(shtab.complete(root, shell=shell))


def whole_parser(name: str) -> argparse.ArgumentParser:
    """All commands in one parser: the main job's flags, and a subparser per command word."""
    parsers = {word: import_module(module).parser() for word, module in COMMANDS.items()}
    root = import_module(COMMANDS["track"]).parser()
    root.prog = name
    words = root.add_subparsers(metavar="COMMAND")
    for word, one in parsers.items():
        about = " ".join((one.description or "").split()).partition(".")[0]
        words.add_parser(word, parents=[one], add_help=False, help=about)
    return root  # type: ignore[no-any-return]


def every_parser(root: argparse.ArgumentParser) -> Iterable[argparse.ArgumentParser]:
    """The parser and all below it."""
    yield root
    for action in root._actions:  # noqa: SLF001 - as above
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for one in action.choices.values():
                yield from every_parser(one)


def kind_of(action: argparse.Action) -> str:
    """What an argument names in the file system: "file", "directory", or "" for neither."""
    if action.nargs == 0 or action.choices:
        return ""
    placeholder = action.metavar if isinstance(action.metavar, str) else ""
    if "FILE" in placeholder or placeholder in ("PATH", "SOURCE") or action.dest in FILES:
        return "file"
    return "directory" if placeholder == "DIR" or action.dest in DIRECTORIES else ""


def names_of(dest: str) -> tuple[str, ...]:
    """The names that a flag knows where it takes others too, such as those with an argument."""
    from mot_dinov3.config import NO_EMBEDDER
    from mot_dinov3.config.presets import PRESETS
    from mot_dinov3.data.synthetic.presets.factory import PRESETS as WORLDS
    from mot_dinov3.perception.features.factory import EMBEDDERS
    from mot_dinov3.scheduling.policies.factory import POLICIES
    from mot_dinov3.tracking.camera.factory import FLOW, NONE

    known: dict[str, Iterable[str]] = {
        "embedder": (*EMBEDDERS, NO_EMBEDDER),
        "embed_policy": POLICIES,
        "tracker": PRESETS,
        "cmc": (NONE, FLOW),
        "preset": (*WORLDS, "all"),
        "device": ("auto", "cpu", "cuda", "mps"),
    }
    return tuple(known.get(dest, ()))
