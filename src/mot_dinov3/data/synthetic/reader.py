"""A preset as a source of frames: `--source synthetic:NAME[:SEED]`."""

from __future__ import annotations

from collections.abc import Iterator

from mot_dinov3.config import SourceConfig
from mot_dinov3.data.synthetic.presets.factory import create_world
from mot_dinov3.data.synthetic.world import World
from mot_dinov3.errors import UsageError
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.io.read.standing import StandingReader
from mot_dinov3.values import Frame

PREFIX = "synthetic:"


def is_synthetic(source: str) -> bool:
    """Whether `--source` names a preset."""
    return source.startswith(PREFIX)


def open_world(source: str) -> World:
    """The world that `synthetic:NAME[:SEED]` names.

    Raises:
        UsageError: there is no such preset, or the seed is not a number that a preset takes.
    """
    name, _, seed = source.removeprefix(PREFIX).partition(":")
    if not seed:
        return create_world(name)
    if not (seed.isascii() and seed.isdigit()):
        raise UsageError(
            f"'{seed}' in --source {source} is not a seed.",
            fix=f"Give a whole number, or none: --source {PREFIX}{name}:7",
        )
    return create_world(name, seed=int(seed))


class SyntheticReader(StandingReader):
    """Draws the selected frames of a world, in order.

    Raises:
        InputError: at birth, when the clip ends before `--start-frame`.
    """

    partial = False

    def __init__(self, world: World, config: SourceConfig) -> None:
        super().__init__(config)
        clip = world.config
        self.selection.require_start(config.source, clip.frames)
        self.info = SourceInfo(
            name=config.source,
            width=clip.width,
            height=clip.height,
            fps=clip.fps,
            frame_count=clip.frames,
            is_live=False,
            path=None,
        )
        self.world = world

    def __iter__(self) -> Iterator[Frame]:
        for index in range(len(self.world)):
            if self.selection.is_past(index):
                return
            if self.selection.wants(index):
                yield self.world.frame(index)[0]
