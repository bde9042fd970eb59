"""What a pair of settings is that do not go together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mot_dinov3.config.tracking.outputs import VIDEO
from mot_dinov3.config.tracking.track import TrackConfig


@dataclass(frozen=True, slots=True)
class Situation:
    """What a row may look at.

    Attributes:
        config: all stages.
        live: whether a source is a camera or a stream, or may be one.
    """

    config: TrackConfig
    live: bool = False

    @property
    def draws(self) -> bool:
        """Whether tracks are drawn anywhere while the run goes on."""
        live = self.config.live
        return VIDEO in self.config.output.sinks or live.show or bool(live.serve)


@dataclass(frozen=True, slots=True)
class Need:
    """Flags that do nothing beside another setting, or contradict it.

    Attributes:
        flags: these flags.
        beside: the flag of the other setting; with "no " before it, one that has to be given.
        why: the end of the sentence that says so.
        applies: whether the other setting is so; None where a stage of the configuration, or the
            run itself, finds out and says so.
        refused: whether the run is refused; otherwise a line says what is ignored.
        words: a command line of the other setting, where `beside` alone is none.
        says: the whole sentence, where "does nothing" is not the word.
        fix: the remedy, where it is not to add the one or to leave out the other.
    """

    flags: tuple[str, ...]
    beside: str
    why: str
    applies: Callable[[Situation], bool] | None
    refused: bool = True
    words: str = ""
    says: str = ""
    fix: str = ""

    @property
    def lacks(self) -> str:
        """The flag that has to be given; empty where one must not be."""
        return self.beside.removeprefix("no ") if self.beside.startswith("no ") else ""

    @property
    def example(self) -> str:
        """A command line of the other setting; empty where it is one that lacks."""
        return "" if self.lacks else self.words or self.beside
