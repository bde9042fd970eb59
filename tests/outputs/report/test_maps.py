"""Maps of a run: they show what was counted, in the pixels of the picture, and stay small."""

from __future__ import annotations

import json

import numpy as np

from helpers.results import FPS, Seen, result_at
from mot_dinov3.outputs.drawing import choose_colour
from mot_dinov3.outputs.report.maps import MOST_POINTS, draw_heat, draw_ways
from mot_dinov3.outputs.report.places import make_still
from mot_dinov3.outputs.report.recorder import RunData, RunRecorder
from mot_dinov3.outputs.report.track_history import MOST_STEPS
from mot_dinov3.values import TrackState

SIZE = (640, 320)
LOST = Seen(99, (0, 0, 1, 1), state=TrackState.LOST, seen=False)


def recorded(*frames, names=None, size=SIZE):
    recorder = RunRecorder()
    for index, tracks in enumerate(frames):
        recorder.add(result_at(index, *tracks), {}, 1.0, (), size)
    run = RunData("run", recorder.frames, recorder.tracks, names or {0: "person"})
    run.places = recorder.places
    return run


def walker(index, track_id=5, **more):
    return Seen(track_id, (10 + 4 * index, 20, 30 + 4 * index, 100), **more)


def test_the_heat_is_the_seconds_in_each_place():
    run = recorded(*[[walker(0)]] * 50)
    chart = draw_heat(run, None)
    (heat,) = chart.traces
    z = np.array(heat["z"])
    assert z.sum() == z.max() == 50 / FPS
    down, across = np.unravel_index(z.argmax(), z.shape)
    assert heat["x0"] + across * heat["dx"] == 25
    assert heat["y0"] + down * heat["dy"] == 105
    assert heat["customdata"][down][across] == 49
    assert chart.title == "Where people were"
    assert not chart.over_frames
    assert chart.layout["yaxis"]["range"] == [SIZE[1], 0]


def test_a_way_goes_from_first_to_last_with_gaps_where_it_was_lost():
    run = recorded(
        *[[walker(n)] for n in range(10)], *[[LOST]] * 5, *[[walker(n)] for n in range(15, 20)]
    )
    (way,) = draw_ways(run, None).traces
    assert way["x"] == [
        *(20 + 4 * n for n in range(10)),
        None,
        *(20 + 4 * n for n in range(15, 20)),
    ]
    assert set(way["y"]) == {100, None}
    assert way["customdata"] == [*range(10), None, *range(15, 20)]
    blue, green, red = choose_colour(5)
    assert way["line"]["color"] == f"#{red:02x}{green:02x}{blue:02x}"
    assert way["name"] == "ID 5 person"


def test_what_was_never_confirmed_has_no_place_and_no_way():
    run = recorded(*[[walker(n, state=TrackState.TENTATIVE)] for n in range(9)])
    assert draw_heat(run, None) is None
    assert draw_ways(run, None) is None
    assert draw_heat(RunData("figures alone"), None) is None
    assert draw_ways(RunData("figures alone"), None) is None


def test_a_frame_log_without_sizes_has_no_maps():
    run = recorded(*[[walker(n)] for n in range(9)], size=None)
    assert draw_heat(run, None) is None
    assert draw_ways(run, None) is None


def test_other_classes_are_objects():
    run = recorded([walker(0)], [walker(1), Seen(7, class_id=2)], names={0: "person", 2: "car"})
    assert draw_heat(run, None).title == "Where objects were"


def test_both_lie_over_the_still():
    run = recorded([walker(0)])
    still = make_still(np.zeros((320, 640, 3), np.uint8))
    for chart in (draw_heat(run, still), draw_ways(run, still)):
        (image,) = chart.layout["images"]
        assert image["source"] == still.address
        assert (image["sizex"], image["sizey"]) == SIZE
        assert (image["layer"], image["xref"], image["yref"]) == ("below", "x", "y")


def test_the_maps_of_a_long_run_with_many_tracks_are_small():
    rng = np.random.default_rng(0)
    frames = []
    for index in range(1500):
        corner = rng.uniform(0, 300, (40, 2))
        first = 40 * (index // 250)
        frames.append(
            [Seen(first + n + 1, (x, y, x + 9, y + 9)) for n, (x, y) in enumerate(corner.tolist())]
        )
    run = recorded(*frames)
    assert max(len(track.way) for track in run.tracks.values()) <= MOST_STEPS
    heat, ways = draw_heat(run, None), draw_ways(run, None)
    assert len(ways.traces) == 200
    assert sum(len(trace["x"]) for trace in ways.traces) <= 2 * MOST_POINTS
    assert len(json.dumps([heat.as_dict(), ways.as_dict()])) < 450_000
    for track in run.tracks.values():
        assert track.path[0][0] == track.begins
        assert track.path[-1][0] == track.ends


def test_an_odd_box_does_not_reach_the_page():
    run = recorded([Seen(5, (np.nan, 0, 1, 2))], [Seen(5, (0, 0, np.inf, 2))], [walker(3)])
    for chart in (draw_heat(run, None), draw_ways(run, None)):
        json.dumps(chart.as_dict(), allow_nan=False)
