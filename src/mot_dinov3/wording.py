"""Words that go with a number, and what this program is called where it was started."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

SCRIPT, MODULE, INSTALLED = "cli.py", "python -m mot_dinov3", "mot-dinov3"
CHECKOUT = Path(__file__).resolve().parents[2]
"""The directory of the project, where the package is used from a copy of its repository."""


def make_printable(text: str) -> str:
    """A text with `?` for each character that would steer a terminal rather than be seen.

    Line breaks and tabs count among them, as do marks that turn the direction of writing
    around, halves of characters, and blanks other than the usual one.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def name_class(class_id: int, names: Mapping[int, str]) -> str:
    """The name of a class, or its number where it has none: "person", "class 7"."""
    return names.get(class_id) or f"class {class_id}"


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what it counts: "1 frame", "0 frames", "2 identities".

    Args:
        number: how many.
        one: what a single one is called, in words that may go on: "box lies".
        many: what any other number of them is called; `one` with an s when left out.
    """
    return f"{number} {form_of(number, one, many)}"


def form_of(number: int, one: str, many: str = "") -> str:
    """The words of `counted` without the number."""
    return one if number == 1 else many or one + "s"


def program() -> str:
    """What to type to start this program, as it was started now.

    `python cli.py` (with the path that was typed), `mot-dinov3` or `python -m mot_dinov3`; another
    program that uses the package is told of the one that its installation has.
    """
    typed = sys.argv[0] if sys.argv else ""
    path = Path(typed)
    if path.name == SCRIPT:
        return f"python {shlex.quote(typed)}"
    if path.name == "__main__.py" and path.parent.name == Path(__file__).parent.name:
        return MODULE
    return INSTALLED if path.stem == INSTALLED or not in_checkout() else f"python {SCRIPT}"


def usage_name(word: str = "") -> str:
    """The program as a usage line begins, without the interpreter of a script.

    Args:
        word: the command.
    """
    typed = program()
    return f"{typed if typed in (MODULE, INSTALLED) else SCRIPT} {word}".rstrip()


def install_command(extra: str) -> str:
    """What installs the optional packages of an extra, here."""
    if in_checkout():
        return f"pip install -e '{'.' if Path().samefile(CHECKOUT) else CHECKOUT}[{extra}]'"
    return f"pip install '{INSTALLED}[{extra}]'"


def in_checkout() -> bool:
    """Whether the package is used from a copy of its repository."""
    return (CHECKOUT / SCRIPT).is_file() and (CHECKOUT / "pyproject.toml").is_file()
