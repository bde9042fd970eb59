"""The annotated video."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self, cast

from mot_dinov3.config import DrawConfig, SourceConfig, TrackConfig
from mot_dinov3.config.tracking.outputs import VIDEO
from mot_dinov3.io.info import SourceInfo, sane_fps
from mot_dinov3.io.write.audio import has_sound
from mot_dinov3.io.write.encoders import format_of
from mot_dinov3.io.write.writer import VideoWriter, VideoWriterConfig
from mot_dinov3.outputs.drawing import TrackPainter
from mot_dinov3.outputs.sinks.base import FileSink, SinkRun
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame, FrameResult


class VideoSink(FileSink):
    """Draws each frame's tracks and hands the picture to a writer that encodes elsewhere.

    Attributes:
        path: the video's final name.
        writer: knows the codec, encoding times and what became of the sound.
    """

    from_frame_log = True

    def __init__(
        self,
        writer: VideoWriter,
        draw: DrawConfig,
        names: Mapping[int, str],
        timer: StageTimer,
        step_s: float = 0.0,
    ) -> None:
        """Wire drawing to writing; nothing is opened yet.

        Args:
            writer: not yet entered.
            draw: how tracks look.
            names: class id -> name.
            timer: where "draw" and "write" are booked.
            step_s: seconds from one output frame to the next, 0 to keep the source's times.
        """
        super().__init__(str(writer.config.path), writer, timer)
        self.writer = writer
        self._painter, self._names = TrackPainter(draw), names
        self._step_s = step_s
        self._shown = 0

    @classmethod
    def create(cls, path: str, run: SinkRun) -> Self:
        """A sink that will write to `path`, at the rate of the source or of `--fps`."""
        source, info = run.config.source, run.info
        target = VideoWriterConfig(
            path=Path(path),
            fps=source.fps or sane_fps(info.fps / source.vid_stride),
            audio_from=info.path if is_whole(source) and not info.is_live else None,
            replace=not run.config.output.no_clobber,
            pixel_aspect=info.pixel_aspect,
        )
        step_s = 1 / source.fps if source.fps else 0.0
        return cls(VideoWriter(target), run.config.draw, run.names, run.timer, step_s)

    @classmethod
    def check(cls, path: str, config: TrackConfig) -> None:
        """Refuse a name whose suffix is not that of a video.

        Raises:
            OutputError: it names those that can be written.
        """
        format_of(Path(path))

    @property
    def encoder(self) -> str:
        """The encoder that runs."""
        return self.writer.codec

    @property
    def waited_s(self) -> float:
        """Seconds in which the encoder had no room."""
        return self.writer.queue_wait_ms.total / 1000

    @property
    def threads_s(self) -> Mapping[str, float]:
        """What the encoder's thread did."""
        return {"encode": self.writer.encode_ms.total / 1000}

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Draw and queue one frame.

        Raises:
            OutputError: an earlier frame could not be written.
        """
        with self.timer("draw"):
            # A copy of the frame, which the tracker may still look at; the writer keeps it.
            picture = self._painter.draw(frame.image, result, self._names, self.timer.fps)
        with self.timer("write"):
            time_s = self._shown * self._step_s if self._step_s else frame.time_s
            self.writer.write(picture, time_s)
        self._shown += 1


def is_whole(source: SourceConfig) -> bool:
    """Whether every frame is shown at its own time, so that the source's sound fits."""
    return not find_cuts(source)


def find_cuts(source: SourceConfig) -> list[str]:
    """The flags that show frames at other times than their own, or not all of them."""
    cuts = {
        "--start-frame": source.start_frame > 0,
        "--end-frame": source.end_frame >= 0,
        "--max-frames": source.max_frames > 0,
        "--vid-stride": source.vid_stride > 1,
        "--fps": source.fps > 0,
    }
    return [flag for flag, given in cuts.items() if given]


def explain_lost_sound(config: TrackConfig, info: SourceInfo) -> str:
    """The sentence that says why the video will be silent; empty where it will not be.

    Args:
        config: all stages.
        info: the source.
    """
    cuts = find_cuts(config.source)
    silent = VIDEO not in config.output.sinks or info.path is None or info.is_live
    if not cuts or silent or not has_sound(cast("Path", info.path)):
        return ""
    return f"The video has no sound: that of the source does not fit with {' and '.join(cuts)}."
