"""What the flags of detection and search may say."""

from __future__ import annotations

import pytest

from mot_dinov3.commands import track
from mot_dinov3.commands.flags import resolve
from mot_dinov3.config import SearchConfig, TrackConfig
from mot_dinov3.errors import UsageError


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"det_every": "0"}, "--det-every must be a number of frames from 1 on, or auto, got 0"),
        ({"det_every": "-3"}, "--det-every"),
        ({"det_every": "2.5"}, "--det-every"),
        ({"det_every": "often"}, "--det-every"),
        ({"det_every": ""}, "--det-every"),
        ({"det_every": "03"}, "--det-every"),
        ({"det_every": "99999"}, "--det-every"),
        ({"det_max": 1}, "--det-max must be at least 2, got 1"),
        ({"rescue_max": 0}, "--rescue-max must be at least 1"),
        ({"rescue_budget_ms": -0.1}, "--rescue-budget-ms must be 0 or more"),
        ({"rescue_budget_ms": float("nan")}, "--rescue-budget-ms"),
    ],
)
def test_wrong_values_are_refused(values, said):
    with pytest.raises(UsageError, match=said):
        SearchConfig(**values)


@pytest.mark.parametrize(
    ("values", "skips", "wanted"),
    [
        ({}, False, False),
        ({"det_every": "1"}, False, False),
        ({"det_every": "2"}, True, True),
        ({"det_every": "9999"}, True, True),
        ({"det_every": "auto"}, True, True),
        ({"rescue": True}, False, True),
        ({"searcher": "nano:a,b", "save_searched": True}, False, False),
    ],
)
def test_what_is_searched_at_all(values, skips, wanted):
    config = SearchConfig(**values)
    assert (config.skips, config.wanted) == (skips, wanted)


def read(*words):
    args = vars(track.parser().parse_args(["--source", "a.mp4", *words]))
    chosen = {key: value for key, value in args.items() if key not in ("config", "print_config")}
    return resolve(TrackConfig, chosen).search


def test_the_command_line_sets_them():
    given = read("--det-every", "auto", "--det-max", "20", "--searcher", "nano:a.onnx,b.onnx",
                 "--rescue", "--rescue-max", "30", "--rescue-budget-ms", "2.5",
                 "--save-searched")  # fmt: skip
    assert given == SearchConfig("auto", 20, "nano:a.onnx,b.onnx", True, 30, 2.5, True)
    assert read() == SearchConfig()
    assert read("--det-every", "3").det_every == "3"
    with pytest.raises(UsageError, match="--det-every"):
        read("--det-every", "sometimes")


def test_a_file_may_hold_the_number_as_a_number():
    assert resolve(TrackConfig, {"source": ["a.mp4"], "det_every": 3}).search.det_every == "3"
