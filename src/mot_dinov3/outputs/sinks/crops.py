"""Pictures of identities, cut out of the source: a folder for each identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from mot_dinov3.config import NO_EMBEDDER, OutputConfig, TrackConfig
from mot_dinov3.errors import UsageError, cannot_write
from mot_dinov3.io.write.crops import cut_box, encode_jpeg
from mot_dinov3.io.write.directories import AtomicDirectory
from mot_dinov3.outputs.sinks.base import FileSink, SinkRun
from mot_dinov3.outputs.sinks.renaming import NewOf
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame, FrameResult, Image, TrackState, follow_ids


class CropsSink(FileSink):
    """`DIR/ID/frame_N.jpg`, N the 0-based frame: the pixels of the box, not drawn on or resized.

    Only confirmed identities have a folder. The pictures of a tentative track are kept in memory
    until it is confirmed. Names hold nothing of the run but numbers.
    """

    is_directory = True
    needs_pixels = True
    from_frame_log = True

    def __init__(self, path: str, config: OutputConfig, timer: StageTimer) -> None:
        """Wire the sink to its directory, which is made when the run begins.

        Args:
            path: the new directory.
            config: says of which boxes there are crops, and how many of an identity.
            timer: where "write" is booked.
        """
        self._directory = AtomicDirectory(path)
        self._all = config.crops_of == "seen"
        self._most = config.crops_per_id
        self._frames: dict[int, EvenSelection] = {}
        self._waiting: dict[int, list[tuple[int, Image]]] = {}
        super().__init__(path, self._directory, timer)

    @classmethod
    def create(cls, path: str, run: SinkRun) -> Self:
        """A sink that will write into the new directory `path`."""
        return cls(path, run.config.output, run.timer)

    @classmethod
    def check(cls, path: str, config: TrackConfig) -> None:
        """Refuse pictures of people who must not be recognised, and boxes that are never embedded.

        Raises:
            UsageError: people are blurred, or the embedder is turned off.
        """
        if config.draw.blurs:
            raise UsageError(
                "--save-crops writes the pictures of people that --blur hides.",
                fix="Leave out one of them.",
            )
        if config.embedder.embedder == NO_EMBEDDER and config.output.crops_of == "embedded":
            raise UsageError(
                f"--save-crops has nothing to show with --embedder {NO_EMBEDDER}.",
                fix="Give --crops-of seen.",
            )

    @classmethod
    def rename_directory(cls, path: Path, new_of: NewOf, config: OutputConfig) -> bool:
        """Merge the folders of identities that are one.

        Raises:
            OutputError: the system refused.
        """
        merge_folders(path, new_of, config.crops_per_id)
        return True

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Cut this frame's crops.

        Raises:
            OutputError: a file cannot be written.
        """
        with self.timer("write"):
            tracks = result.tracks
            tentative = tracks.state == TrackState.TENTATIVE
            follow_ids(self._waiting, tracks)
            self._write_confirmed(
                set(tracks.id[tentative].tolist()), set(tracks.id[~tentative].tolist())
            )
            wanted = (tracks.detection >= 0) & (tracks.fresh | self._all)
            for row in np.flatnonzero(wanted).tolist():
                picture = cut_box(frame.image, tracks.xyxy[row])
                if not picture.size:
                    continue
                identity = int(tracks.id[row])
                if tentative[row]:
                    shots = self._waiting.setdefault(identity, [])
                    shots.append((frame.index, picture.copy()))
                else:
                    self._keep(identity, frame.index, picture)

    def _write_confirmed(self, tentative: set[int], confirmed: set[int]) -> None:
        """Write the pictures of tracks that were confirmed; drop those of tracks that are gone."""
        for identity in [known for known in self._waiting if known not in tentative]:
            shots = self._waiting.pop(identity)
            if identity in confirmed:
                for number, picture in shots:
                    self._keep(identity, number, picture)

    def _keep(self, identity: int, number: int, picture: Image) -> None:
        frames = self._frames.setdefault(identity, EvenSelection(self._most))
        if not frames.offer(number):
            return
        self._directory.write(str(identity), build_file_name(number), encode_jpeg(picture))
        for old in frames.drop_superfluous():
            self._directory.remove(str(identity), build_file_name(old))


@dataclass(slots=True)
class EvenSelection:
    """The frames of an identity that are kept: the first, and others evenly spread over time.

    When there are more than `most`, every second one is dropped, and from then on only every
    second one that is offered is taken.

    Attributes:
        most: frames that are kept, 0 for all.
        frames: those that are kept now.
    """

    most: int
    frames: list[int] = field(default_factory=list)
    _offered: int = 0
    _step: int = 1

    def offer(self, number: int) -> bool:
        """Take a frame or not, and say which."""
        taken = self._offered % self._step == 0
        self._offered += 1
        if taken:
            self.frames.append(number)
        return taken

    def drop_superfluous(self) -> list[int]:
        """Drop frames if there are too many, and return those."""
        if not self.most or len(self.frames) <= self.most:
            return []
        gone, self.frames = self.frames[1::2], self.frames[::2]
        self._step *= 2
        return gone


def build_file_name(number: int) -> str:
    """`frame_000012.jpg`: sorts by time for the first million frames."""
    return f"frame_{number:06d}.jpg"


def merge_folders(directory: Path, new_of: Mapping[int, int], most: int) -> None:
    """Move `directory/OLD/*` to `directory/NEW` and keep `most` pictures of each, evenly spread.

    The names of pictures are those of frames, and a track is in a frame once, so no two are equal.

    Args:
        directory: what `--save-crops` made.
        new_of: id that is given up -> the one that takes its place.
        most: pictures of a track, 0 for no limit.

    Raises:
        OutputError: the system refused.
    """
    try:
        for old, new in new_of.items():
            source, target = directory / str(old), directory / str(new)
            if source.is_dir():
                target.mkdir(exist_ok=True)
                for picture in sorted(source.iterdir()):
                    picture.replace(target / picture.name)
                source.rmdir()
        for new in set(new_of.values()):
            _thin_out(directory / str(new), most)
    except OSError as error:
        raise cannot_write(directory, error) from error


def _thin_out(folder: Path, most: int) -> None:
    pictures = sorted(folder.iterdir(), key=_by_frame) if folder.is_dir() else []
    if most and len(pictures) > most:
        kept = set(np.linspace(0, len(pictures) - 1, most).round().astype(int).tolist())
        for place, picture in enumerate(pictures):
            if place not in kept:
                picture.unlink()


def _by_frame(picture: Path) -> tuple[int, str]:
    """Sort key: names are filled up with zeros, so a longer one has a higher number."""
    return len(picture.name), picture.name
