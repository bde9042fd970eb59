"""What the library says about a frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mot_dinov3.config import DrawConfig, flag_fields
from mot_dinov3.config.flat import key_of
from mot_dinov3.errors import UsageError
from mot_dinov3.runs.library.conversions import to_boxmot, to_pandas, to_supervision
from mot_dinov3.runs.library.settings import list_keys_of, read_settings
from mot_dinov3.values import (
    TENTATIVE,
    Detections,
    DoubleArray,
    EmbedCounts,
    Embeddings,
    FrameResult,
    Image,
    Tracks,
)

if TYPE_CHECKING:
    import pandas
    import supervision


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Result:
    """The tracks of one frame.

    A notebook shows it as the picture with its tracks.

    Attributes:
        frame_index: 0-based index of the frame in the video, or of the call.
        time_s: when the frame was taken, in seconds.
        tracks: the confirmed tracks that are seen in this frame; `tracks.detection` is the row
            of each one's detection.
        all_tracks: every track, also the lost ones at predicted places and the tentative ones.
        detections: what was seen, or what the caller brought.
        names: class id -> class name, as far as known.
        image: (H, W, 3) uint8 BGR, the array that was tracked and not a copy; None where boxes
            came without a picture.
        embed: what the embedding step did.
        stage_ms: stage name -> milliseconds.
        embeddings: what is known of each detection's appearance, None where nothing is.
        draw: how `plot` draws.
        past: the tracks of the frames before, as far as `plot` draws trails.
    """

    frame_index: int
    time_s: float
    tracks: Tracks
    all_tracks: Tracks
    detections: Detections
    names: Mapping[int, str]
    image: Image | None = None
    embed: EmbedCounts = field(default_factory=EmbedCounts)
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    embeddings: Embeddings | None = None
    draw: DrawConfig = field(default_factory=DrawConfig)
    past: tuple[FrameResult, ...] = ()

    def __len__(self) -> int:
        """How many tracks are seen."""
        return len(self.tracks)

    def __repr__(self) -> str:
        """A line of figures, where all arrays would fill a page."""
        ids = ", ".join(map(str, self.tracks.id[:8].tolist()))
        more = ", ..." if len(self.tracks) > 8 else ""
        return (
            f"<Result of frame {self.frame_index}, {self.time_s:.3f} s: "
            f"{len(self.detections)} detections, ids [{ids}{more}]>"
        )

    def plot(self, **flags: Any) -> Image:  # noqa: ANN401 - as many kinds as settings have
        """Draw the tracks.

        Args:
            flags: settings of drawing by the names of their flags, such as `font_scale=0.8` or
                `draw_lost=True`.

        Returns:
            (H, W, 3) uint8 BGR, a new picture.

        Raises:
            UsageError: there is no picture to draw on, or a setting is wrong.
        """
        from mot_dinov3.outputs.drawing import TrackPainter

        if self.image is None:
            raise UsageError(
                "This result has no picture to draw on.", fix="Give the image to update()."
            )
        painter = TrackPainter(self._choose_style(flags))
        for frame in self.past:
            painter.remember(frame)
        shown = self.all_tracks[self.all_tracks.state != TENTATIVE]
        frame = FrameResult(
            self.frame_index,
            self.time_s,
            self.detections,
            shown,
            self.embed,
            dict(self.stage_ms),
        )
        return painter.draw(self.image, frame, self.names)

    def _choose_style(self, flags: Mapping[str, Any]) -> DrawConfig:
        """The settings of drawing with those of a call.

        Raises:
            UsageError: a setting is wrong, or needs frames that were not kept.
        """
        chosen = read_settings("plot()", flags, list_keys_of("draw"))
        fields = {key_of(item): item.name for item in flag_fields(DrawConfig)}
        config = replace(self.draw, **{fields[key]: value for key, value in chosen.items()})
        if config.trails > self.draw.trails:
            raise UsageError(
                f"plot(trails={config.trails:g}) draws frames that were not kept.",
                fix=f"Give trails={config.trails:g} to Tracker() or track().",
            )
        return config

    def to_supervision(self) -> supervision.Detections:
        """The tracks as `supervision.Detections`, with `tracker_id` and the class names.

        Raises:
            ModelError: supervision is not installed.
        """
        return to_supervision(self.tracks, self.names)

    def to_pandas(self) -> pandas.DataFrame:
        """The tracks as a table, a row each, with the columns of `--save-csv` that apply.

        Raises:
            ModelError: pandas is not installed.
        """
        return to_pandas(self.tracks, self.names, self.frame_index, self.time_s)

    def to_boxmot(self) -> DoubleArray:
        """(M, 8) the tracks as BoxMOT gives them: x1 y1 x2 y2 id score class detection."""
        return to_boxmot(self.tracks)

    def _repr_png_(self) -> bytes | None:
        """What a notebook shows, None where there is no picture."""
        if self.image is None:
            return None
        import cv2

        return bytes(cv2.imencode(".png", self.plot())[1])


class ResultMaker:
    """Makes the results of one clip, and keeps of the last frames what trails need.

    Args:
        draw: how results are drawn.
    """

    def __init__(self, draw: DrawConfig) -> None:
        self._draw = draw
        self._past: tuple[FrameResult, ...] = ()

    def make(self, found: FrameResult, image: Image | None, names: Mapping[int, str]) -> Result:
        """The library's result of the next frame.

        Args:
            found: what the system says.
            image: the picture, None where there is none.
            names: class id -> class name.
        """
        tracks, past = found.tracks, self._past
        if self._draw.trails:
            own = FrameResult(found.frame_index, found.time_s, Detections.empty(), tracks)
            begin_s = found.time_s - self._draw.trails
            self._past = (*(one for one in past if one.time_s >= begin_s), own)
        return Result(
            frame_index=found.frame_index,
            time_s=found.time_s,
            tracks=tracks[tracks.present],
            all_tracks=tracks,
            detections=found.detections,
            names=names,
            image=image,
            embed=found.embed,
            stage_ms=found.stage_ms,
            embeddings=found.embeddings,
            draw=self._draw,
            past=past,
        )
