"""The table of sinks: a new one is a class and a line."""

from __future__ import annotations

import pytest

from helpers.added.sink import LINE, IdsSink
from mot_dinov3.config import OutputConfig, TrackConfig
from mot_dinov3.errors import UnknownNameError
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.outputs.sinks.base import FileSink
from mot_dinov3.outputs.sinks.factory import (
    SINKS,
    create_sinks,
    flags_needing_pixels,
    list_sink_orders,
)
from mot_dinov3.runtime.timing import StageTimer

INFO = SourceInfo("clip", 64, 48, 25.0, 100, False, None)


@pytest.fixture
def table(monkeypatch):
    monkeypatch.setitem(SINKS.table, "ids", LINE)


def test_a_sink_that_is_added_to_the_table_is_made_and_describes_itself(table, tmp_path):
    output = OutputConfig(no_video=True, save=f"ids={tmp_path / 'i.txt'}")
    (sink,) = create_sinks(TrackConfig(output=output), INFO, {}, StageTimer())
    assert isinstance(sink, IdsSink)
    assert flags_needing_pixels(output) == ["--save ids"]


def test_sinks_are_made_in_the_order_of_the_table():
    output = OutputConfig(output="a.mp4", save_trace="t", save_csv="c", save="mot=m")
    assert [order.name for order in list_sink_orders(output)] == ["video", "mot", "csv", "trace"]


def test_an_unknown_sink_is_refused():
    with pytest.raises(UnknownNameError, match="Unknown output 'paint'"):
        list_sink_orders(OutputConfig(save="paint=a.png"))


@pytest.mark.parametrize("name", [*SINKS])
def test_every_sink_of_the_table_says_what_it_is(name):
    kind = SINKS.load(name)
    assert issubclass(kind, FileSink)
    assert SINKS.help(name)
    assert kind.is_directory is (name == "crops")
    logged = ("video", "mot", "csv", "crops", "coco", "cvat", "events")
    assert kind.from_frame_log is (name in logged)


def test_every_sink_can_be_put_under_other_identities():
    """Rewritten, merged, or drawn again from a frame log."""
    for name in SINKS:
        kind = SINKS.load(name)
        merges = kind.rename_directory is not FileSink.rename_directory
        assert kind.rename is not None or kind.from_frame_log or (kind.is_directory and merges), (
            name
        )
