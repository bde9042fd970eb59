"""How a field of a configuration becomes a flag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, field, fields
from typing import Any

from mot_dinov3.errors import UsageError

SEVERAL = "several"
"""Key in the metadata of a field whose flag takes several values."""


def flag(
    default: Any,  # noqa: ANN401 - a field's default has the field's own type
    name: str,
    help: str,  # noqa: A002 - the word argparse uses
    *,
    metavar: str = "",
    choices: Sequence[str] = (),
    bare: object = "",
) -> Any:  # noqa: ANN401 - dataclasses.field is typed the same way
    """A dataclass field that is also a command-line flag, an environment variable and a config key.

    Args:
        default: the value where the user gives none; its type is the type of the field.
        name: the flag, such as "--embed-budget-ms".
        help: what the flag means, in words that need no other flag's text; no default.
        metavar: the unit or kind of the value: SECONDS, PIXELS, SHARE, FILE ...; a switch and a
            flag with `choices` have none.
        choices: all possible values, where they can be listed.
        bare: the value of the flag when it stands without one; empty where it needs one. With it a
            switch takes a text, which the command makes sense of.
    """
    metadata: dict[str, Any] = {
        "flag": name,
        "help": help,
        "metavar": metavar,
        "choices": tuple(choices),
    }
    metadata["bare"] = bare
    return field(default=default, metadata=metadata)


def repeatable_flag(name: str, help: str, *, metavar: str) -> Any:  # noqa: A002, ANN401 - as above
    """A flag that takes several values, and may be repeated for more.

    The field is a text in which they are separated by commas, empty for none.

    Args:
        name: the flag.
        help: what the flag means.
        metavar: the kind of one value.
    """
    usual = flag("", name, help, metavar=metavar)
    return field(default="", metadata={**usual.metadata, SEVERAL: True})


def flag_fields(config: type) -> list[Field[Any]]:
    """The fields of a stage that the user can set."""
    return [item for item in fields(config) if "flag" in item.metadata]


def require(ok: bool, name: str, rule: str, value: object) -> None:
    """Raise a `UsageError` naming the flag when a value breaks its rule."""
    if not ok:
        raise UsageError(f"{name} must be {rule}, got {value}.", fix=f"Give {name} another value.")
