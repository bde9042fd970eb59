"""What is asked for, and where it goes."""

from __future__ import annotations

import pytest

from mot_dinov3.config import OutputConfig
from mot_dinov3.config.tracking.outputs import flag_of_sink
from mot_dinov3.errors import UsageError


def test_the_places_are_everything_that_will_be_written():
    asked = OutputConfig(output="a.mp4", save_mot="b.txt", stats_json="c.json", report="auto")
    assert asked.places == {
        "--output": "a.mp4", "--save-mot": "b.txt", "--report": "a.html", "--stats-json": "c.json",
    }  # fmt: skip
    assert OutputConfig(no_video=True).places == {}


def test_a_sink_is_asked_for_by_its_flag_or_by_its_name():
    by_flag = OutputConfig(no_video=True, save_mot="a.txt", save_csv="a.csv")
    by_name = OutputConfig(no_video=True, save="mot=a.txt,csv=a.csv")
    assert by_flag.sinks == by_name.sinks == {"mot": "a.txt", "csv": "a.csv"}
    assert by_name.places == {"--save-mot": "a.txt", "--save-csv": "a.csv"}
    assert OutputConfig(save="video=a.mp4").sinks == {"video": "a.mp4"}


def test_a_sink_without_a_flag_of_its_own_is_named_by_save():
    asked = OutputConfig(no_video=True, save="mine=a.xyz")
    assert asked.places == {"--save mine": "a.xyz"}
    assert flag_of_sink("video") == "--output"


@pytest.mark.parametrize("save", ["mot", "mot=", "=a.txt", "csv=a,csv=b"])
def test_what_save_cannot_mean_is_refused(save):
    with pytest.raises(UsageError, match="--save must be"):
        OutputConfig(save=save)
    with pytest.raises(UsageError, match="--save must be"):
        OutputConfig(save_mot="a.txt", save="mot=b.txt")


def test_all_outputs_move_together():
    asked = OutputConfig(output="a.mp4", save_mot="b.txt", report="auto", save="mine=d,csv=e")
    moved = asked.relocate(lambda place: f"x/{place}")
    assert moved.places == {flag: f"x/{place}" for flag, place in asked.places.items()}
    silent = OutputConfig(output="a.mp4", no_video=True).relocate(lambda place: f"x/{place}")
    assert (silent.output, silent.places) == ("x/a.mp4", {})
