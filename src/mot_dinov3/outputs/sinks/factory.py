"""The table of sinks, and those of them that a configuration asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mot_dinov3.config import OutputConfig, TrackConfig
from mot_dinov3.config.tracking.outputs import VIDEO, flag_of_sink
from mot_dinov3.registry import Registry

if TYPE_CHECKING:
    from mot_dinov3.io.info import SourceInfo
    from mot_dinov3.outputs.sinks.base import FileSink
    from mot_dinov3.runtime.timing import StageTimer
    from mot_dinov3.values import EmbedderMark

SINKS = Registry(
    "output",
    {
        VIDEO: (
            "mot_dinov3.outputs.sinks.video:VideoSink",
            "the video with the tracks drawn into it",
        ),
        "mot": (
            "mot_dinov3.outputs.sinks.mot_text:MotTextSink",
            "confirmed tracks as MOTChallenge text",
        ),
        "jsonl": (
            "mot_dinov3.outputs.sinks.jsonl:JsonLinesSink",
            "a frame log: one JSON line a frame",
        ),
        "csv": (
            "mot_dinov3.outputs.sinks.csv_table:CsvSink",
            "a table with one row a track and frame",
        ),
        "coco": (
            "mot_dinov3.outputs.sinks.coco:CocoSink",
            "confirmed tracks as COCO-VID JSON",
        ),
        "cvat": (
            "mot_dinov3.outputs.sinks.cvat:CvatSink",
            "confirmed tracks as XML for the annotation tool CVAT",
        ),
        "crops": (
            "mot_dinov3.outputs.sinks.crops:CropsSink",
            "pictures of identities in a new directory",
        ),
        "embeddings": (
            "mot_dinov3.outputs.sinks.embeddings:EmbeddingsSink",
            "every embedding that was computed, as .npz",
        ),
        "events": (
            "mot_dinov3.outputs.sinks.events:EventsSink",
            "crossings of lines, and visits to zones, as they happen",
        ),
        "trace": (
            "mot_dinov3.outputs.sinks.trace:TraceSink",
            "one JSON line for every embedding decision",
        ),
    },
)


@dataclass(frozen=True, slots=True)
class SinkOrder:
    """A sink that a configuration asks for.

    Attributes:
        name: of the sink in the table.
        kind: its class.
        path: the file or directory that it will write.
    """

    name: str
    kind: type[FileSink]
    path: str

    @property
    def flag(self) -> str:
        """The flag that asks for it."""
        return flag_of_sink(self.name)


def list_sink_orders(output: OutputConfig) -> list[SinkOrder]:
    """The sinks that are asked for, in the order of the table.

    Raises:
        UnknownNameError: `--save` names a sink that does not exist.
    """
    kinds = {name: SINKS.load(name) for name in output.sinks}
    return [SinkOrder(name, kinds[name], output.sinks[name]) for name in SINKS if name in kinds]


def flags_needing_pixels(output: OutputConfig) -> list[str]:
    """The flags of the sinks that are asked for and look at the pictures of the source."""
    return [order.flag for order in list_sink_orders(output) if order.kind.needs_pixels]


def create_sinks(
    config: TrackConfig,
    info: SourceInfo,
    names: Mapping[int, str],
    timer: StageTimer,
    mark: EmbedderMark | None = None,
) -> list[FileSink]:
    """Build one sink per output that was asked for, none of them opened yet.

    Args:
        config: all stages; `output` says what to write, `draw` how, `source` at what rate.
        info: the source, for its frame rate and its sound.
        names: class id -> name.
        timer: where the sinks book "draw" and "write".
        mark: of the embedder, for the sinks that store its vectors.
    """
    from mot_dinov3.outputs.sinks.base import SinkRun

    run = SinkRun(config, info, names, timer, mark)
    return [order.kind.create(order.path, run) for order in list_sink_orders(config.output)]
