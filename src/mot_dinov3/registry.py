"""Names to classes, imported only when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from mot_dinov3.errors import UnknownNameError


class Registry:
    """A table `name -> "module:attribute"`; nothing is imported before `load`."""

    def __init__(self, kind: str, table: Mapping[str, str]) -> None:
        self.kind = kind
        self.table = dict(table)

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def load(self, name: str) -> Any:  # noqa: ANN401 - any class or module may be registered
        """Import and return what `name` stands for.

        Raises:
            UnknownNameError: the name is not in the table; the message lists the known ones.
        """
        if name not in self.table:
            raise UnknownNameError(self.kind, name, self.table)
        module, _, attribute = self.table[name].partition(":")
        loaded = import_module(module)
        return getattr(loaded, attribute) if attribute else loaded
