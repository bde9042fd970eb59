"""Names to classes, imported only when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from mot_dinov3.errors import UnknownNameError, UsageError

Row = tuple[str, str]
"""What a table says of one member: its target "module:attribute", and its line for `--help`."""


class Registry:
    """The table of one plug-in room, `name -> (target, help)`; nothing is imported before `load`.

    Attributes:
        kind: what the members are, for messages.
        table: name -> row.
        habits: the beginning of a name elsewhere -> what says the same here.
    """

    def __init__(
        self, kind: str, table: Mapping[str, Row], habits: Mapping[str, str] | None = None
    ) -> None:
        self.kind = kind
        self.table = dict(table)
        self.habits = dict(habits or {})

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def __contains__(self, name: object) -> bool:
        return name in self.table

    def load(self, name: str) -> Any:  # noqa: ANN401 - any class or module may be registered
        """Import and return what `name` stands for.

        Raises:
            UnknownNameError: the name is not in the table; the message lists the known ones.
        """
        module, _, attribute = self._row(name)[0].partition(":")
        loaded = import_module(module)
        return getattr(loaded, attribute) if attribute else loaded

    def help(self, name: str) -> str:
        """The line that describes `name` to a user.

        Raises:
            UnknownNameError: the name is not in the table.
        """
        return self._row(name)[1]

    def _row(self, name: str) -> Row:
        if name not in self.table:
            raise UnknownNameError(self.kind, name, self.table, self.habits)
        return self.table[name]


def check_argument(flag: str, value: str, name: str, argument: str, wanted: str) -> None:
    """Refuse `FLAG NAME:ARGUMENT` where the argument is missing, or where none is taken.

    Args:
        flag: such as "--det".
        value: of it, as it was given.
        name: of the member in it.
        argument: what follows that name and the colon.
        wanted: what has to follow, such as "FILE"; "" for nothing.

    Raises:
        UsageError: see above.
    """
    if wanted and not argument.strip():
        raise UsageError(
            f"{flag} {value} names no {wanted.lower()}.", fix=f"Write {flag} {name}:{wanted}."
        )
    if argument and not wanted:
        raise UsageError(
            f"{flag} {name} takes nothing after its name, got '{argument}'.",
            fix=f"Write {flag} {name}.",
        )
