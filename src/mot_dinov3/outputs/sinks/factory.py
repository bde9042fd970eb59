"""The outputs that a configuration asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mot_dinov3.config import SourceConfig, TrackConfig
from mot_dinov3.io.info import SourceInfo, sane_fps
from mot_dinov3.outputs.sinks.base import FileSink
from mot_dinov3.runtime.timing import StageTimer


def create_sinks(
    config: TrackConfig, info: SourceInfo, names: Mapping[int, str], timer: StageTimer
) -> list[FileSink]:
    """Build one sink per output that was asked for, none of them opened yet.

    Args:
        config: all stages; `output` says what to write, `draw` how, `source` at what rate.
        info: the source, for its frame rate and its sound.
        names: class id -> name, from the detector.
        timer: where the sinks book "draw" and "write".
    """
    out, sinks = config.output, list[FileSink]()
    if not out.no_video:
        sinks.append(_video(config, info, names, timer))
    if out.save_mot:
        from mot_dinov3.outputs.sinks.mot_text import MotTextSink

        sinks.append(MotTextSink(out.save_mot, timer))
    if out.save_jsonl:
        from mot_dinov3.outputs.sinks.jsonl import JsonLinesSink

        sinks.append(JsonLinesSink(out.save_jsonl, names, timer))
    if out.save_csv:
        from mot_dinov3.outputs.sinks.csv_table import CsvSink

        sinks.append(CsvSink(out.save_csv, names, timer))
    if out.save_crops:
        from mot_dinov3.outputs.sinks.crops import CropsSink

        sinks.append(CropsSink(out, timer))
    if out.save_embeddings:
        from mot_dinov3.outputs.sinks.embeddings import EmbeddingsSink

        sinks.append(EmbeddingsSink(out.save_embeddings, names, timer))
    if out.save_trace:
        from mot_dinov3.outputs.sinks.trace import TraceSink

        sinks.append(TraceSink(out.save_trace, timer))
    return sinks


def _video(
    config: TrackConfig, info: SourceInfo, names: Mapping[int, str], timer: StageTimer
) -> FileSink:
    from mot_dinov3.io.write.writer import VideoWriter, VideoWriterConfig
    from mot_dinov3.outputs.sinks.video import VideoSink

    source, out = config.source, config.output
    target = VideoWriterConfig(
        path=Path(out.output),
        fps=source.fps or sane_fps(info.fps / source.vid_stride),
        audio_from=info.path if is_whole(source) and not info.is_live else None,
        replace=not out.no_clobber,
        pixel_aspect=info.pixel_aspect,
    )
    return VideoSink(
        VideoWriter(target), config.draw, names, timer, 1 / source.fps if source.fps else 0.0
    )


def is_whole(source: SourceConfig) -> bool:
    """Whether every frame is shown at its own time, so that the source's sound fits."""
    part = source.start_frame or source.end_frame >= 0 or source.max_frames
    return not part and source.vid_stride == 1 and not source.fps
