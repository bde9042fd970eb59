"""What is painted: labels, colours, line styles, and nothing outside the frame."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.drawing import (
    build_hud_lines,
    build_label,
    choose_colour,
    choose_text_colour,
    draw_tracks,
)
from mot_dinov3.outputs.drawing.sizes import choose_sizes
from mot_dinov3.values import Detections, EmbedCounts, FrameResult, Tracks, TrackState

GREY = 60
NAMES = {0: "person"}
CONFIRMED, LOST, TENTATIVE = TrackState.CONFIRMED, TrackState.LOST, TrackState.TENTATIVE
SEARCHED = TrackState.SEARCHED


def tracks_at(*boxes, ids=None, state=CONFIRMED, fresh=False):
    n = len(boxes)
    return Tracks(
        id=np.array(ids or range(1, n + 1), np.int64),
        xyxy=np.array(boxes, np.float32).reshape(n, 4),
        score=np.full(n, 0.9, np.float32),
        class_id=np.zeros(n, np.int64),
        state=np.full(n, state, np.int8),
        fresh=np.full(n, fresh, np.bool_),
        detection=np.full(n, -1 if state in (LOST, SEARCHED) else 0, np.int64),
    )


def draw(tracks, width=320, height=240, **settings):
    image = np.full((height, width, 3), GREY, np.uint8)
    result = FrameResult(0, 0.0, Detections.empty(), tracks)
    return draw_tracks(image, result, NAMES, DrawConfig(**settings))


def painted(image):
    """Rows and columns that differ from the background."""
    return np.nonzero((image != GREY).any(axis=2))


@pytest.mark.parametrize("state", [CONFIRMED, TENTATIVE])
def test_the_star_stands_exactly_with_fresh_embeddings(state):
    fresh = tracks_at((0, 0, 9, 9), ids=[7], fresh=True, state=state)
    reused = tracks_at((0, 0, 9, 9), ids=[7], fresh=False, state=state)
    assert build_label(fresh, 0, NAMES) == "ID 7 * person"
    assert build_label(reused, 0, NAMES) == "ID 7 person"
    assert build_label(fresh, 0, {}) == "ID 7 *"


def test_half_a_character_in_a_name_is_drawn_as_a_question_mark():
    one = tracks_at((0, 0, 9, 9), ids=[7])
    assert build_label(one, 0, {0: "a\ud800b"}) == "ID 7 a?b"


def test_a_lost_track_is_called_lost():
    assert build_label(tracks_at((0, 0, 9, 9), ids=[7], state=LOST), 0, NAMES) == "ID 7 lost"


def test_a_track_that_was_searched_has_a_mark_before_its_label():
    searched = tracks_at((0, 0, 9, 9), ids=[7], state=SEARCHED, fresh=True)
    assert build_label(searched, 0, NAMES) == "~ ID 7 person"
    assert build_label(searched, 0, NAMES, ("class",)) == "~ person"


def test_a_searched_track_is_drawn_thin_and_without_being_asked_for():
    box, rows = (100, 100, 150, 200), {}
    for state in (CONFIRMED, SEARCHED):
        out = draw(tracks_at(box, state=state), line_thickness=12)
        rows[state] = (out[180:220, 125] != GREY).any(axis=1).sum()
        assert (out[200, 100:151] != GREY).any(axis=1).all(), "without gaps"
    assert rows[CONFIRMED] > 1.5 * rows[SEARCHED] > 0


def test_the_counters_count_what_was_searched_and_not_what_is_lost():
    for state, count in ((SEARCHED, 2), (LOST, 0)):
        tracks = tracks_at((0, 0, 9, 9), (5, 5, 9, 9), state=state)
        lines = build_hud_lines(FrameResult(0, 0.0, Detections.empty(), tracks), 0)
        assert lines[1] == f"tracks {count}   detections 0"


def test_the_frame_itself_is_left_alone():
    image = np.full((240, 320, 3), GREY, np.uint8)
    image.flags.writeable = False
    result = FrameResult(0, 0.0, Detections.empty(), tracks_at((50, 50, 100, 200)))
    out = draw_tracks(image, result, NAMES, DrawConfig(hud=True))
    assert out is not image
    assert (image == GREY).all()


def test_a_box_is_outlined_in_its_colour():
    out = draw(tracks_at((100, 100, 150, 200), ids=[5]), line_thickness=1)
    assert (out[200, 100:151] == choose_colour(5)).all()
    assert (out[100:201, 150] == choose_colour(5)).all()
    assert (out[150, 110:140] == GREY).all()


def test_confirmed_lines_are_thicker_than_tentative_ones():
    box, rows = (100, 100, 150, 200), {}
    for state in (CONFIRMED, TENTATIVE):
        out = draw(tracks_at(box, state=state), line_thickness=12)
        rows[state] = (out[180:220, 125] != GREY).any(axis=1).sum()
    assert rows[CONFIRMED] > 1.5 * rows[TENTATIVE] > 0


def test_lost_tracks_are_dashed_and_only_on_demand():
    lost = tracks_at((100, 100, 150, 200), state=LOST)
    assert len(painted(draw(lost))[0]) == 0
    bottom = (draw(lost, draw_lost=True)[200, 100:151] != GREY).any(axis=1)
    assert 0.3 < bottom.mean() < 0.8


def test_removed_tracks_are_never_drawn():
    removed = tracks_at((100, 100, 150, 200), state=TrackState.REMOVED)
    assert len(painted(draw(removed, draw_lost=True))[0]) == 0


@pytest.mark.parametrize(
    "box", [(-20, -20, 30, 40), (300, 220, 400, 300), (0, 0, 320, 240), (310, 2, 318, 8)]
)
def test_the_label_stays_inside_the_frame(box):
    out = draw(tracks_at(box, ids=[123]), line_thickness=1)
    label = (out == choose_colour(123)).all(axis=2) | (
        out == choose_text_colour(choose_colour(123))
    ).all(axis=2)
    rows = np.flatnonzero(label.sum(axis=1) > 40)
    assert len(rows) >= 10, "a whole label is seen"


@pytest.mark.parametrize(
    "box", [(-90, 10, -5, 60), (400, 10, 500, 60), (np.nan, 0, 5, 5), (0, 0, np.inf, 5)]
)
def test_what_is_out_of_sight_is_not_drawn(box):
    assert len(painted(draw(tracks_at(box)))[0]) == 0


def test_boxes_beyond_all_bounds_do_no_harm():
    draw(tracks_at((-1e30, -1e30, 1e30, 1e30), state=LOST), draw_lost=True)
    draw(tracks_at((5, 5, 5, 5), (9, 9, 3, 3)))
    draw(tracks_at((0, 0, 1, 1)), width=2, height=2, hud=True, font_scale=3.0)


def test_the_counters_say_what_the_frame_did():
    tracks = tracks_at((0, 0, 9, 9), (5, 5, 9, 9))
    embed = EmbedCounts(2, 3, reused=4, deferred=1, starved=6, budget_ms=20, embed_ms=12.34)
    lines = build_hud_lines(FrameResult(41, 1.0, Detections.empty(), tracks, embed), 29.97)
    assert lines == [
        "frame 41   30.0 fps",
        "tracks 2   detections 0",
        "embedded 5: 2 critical, 3 refresh",
        "reused 4   deferred 1   starved 6",
        "embed 12.3 / 20 ms",
    ]
    lent = EmbedCounts(budget_ms=22.497, embed_ms=12.34)
    lines = build_hud_lines(FrameResult(41, 1.0, Detections.empty(), tracks, lent), 29.97)
    assert lines[-1] == "embed 12.3 / 22.5 ms"


def test_the_counters_say_what_has_no_star():
    embed = EmbedCounts(2, 1, without_track=1)
    lines = build_hud_lines(FrameResult(0, 0.0, Detections.empty(), Tracks.empty(), embed), 0)
    assert lines[2] == "embedded 3: 2 critical, 1 refresh   without a track 1"


def test_the_counters_are_shown_only_on_demand():
    assert len(painted(draw(Tracks.empty()))[0]) == 0
    rows, columns = painted(draw(Tracks.empty(), hud=True))
    assert len(rows) > 1000
    assert rows.min() == columns.min() == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("id", "class", "score"), "ID 7 * person 0.90"),
        (("score", "id"), "0.90 * ID 7"),
        (("class",), "person *"),
        ((), ""),
    ],
)
def test_a_label_says_what_is_asked_for(words, said):
    one = tracks_at((0, 0, 9, 9), ids=[7], fresh=True)
    assert build_label(one, 0, NAMES, words) == said


def test_a_track_without_an_identity_yet_is_called_new():
    one = tracks_at((0, 0, 9, 9), ids=[-3], state=TENTATIVE)
    assert build_label(one, 0, NAMES) == "new person"


def test_without_labels_there_are_boxes_alone():
    box = (100, 100, 150, 200)
    rows, _ = painted(draw(tracks_at(box), labels="none", line_thickness=1))
    assert rows.min() == 100
    assert painted(draw(tracks_at(box), line_thickness=1))[0].min() < 95


@pytest.mark.parametrize(
    ("height", "line_px", "letters_px"), [(360, 2, 8), (720, 2, 9), (1080, 3, 14), (2160, 6, 29)]
)
def test_sizes_follow_the_picture(height, line_px, letters_px):
    sizes = choose_sizes(np.zeros((height, height * 16 // 9, 3), np.uint8), DrawConfig())
    assert sizes.line_px == line_px
    assert int(21 * sizes.font_scale) == letters_px
    fixed = choose_sizes(np.zeros((height, 9, 3)), DrawConfig(line_thickness=5, font_scale=0.7))
    assert (fixed.line_px, fixed.font_scale) == (5, 0.7)


def test_an_upright_picture_has_the_sizes_of_a_broad_one():
    config, broad = DrawConfig(), np.zeros((1080, 1920, 3), np.uint8)
    assert choose_sizes(broad, config) == choose_sizes(broad.transpose(1, 0, 2), config)


@pytest.mark.parametrize("style", ["box", "ellipse", "corner"])
@pytest.mark.parametrize("state", [CONFIRMED, TENTATIVE, LOST])
def test_every_style_draws_every_state(style, state):
    box = (100, 60, 150, 200)
    looks = {"style": style, "labels": "none", "draw_lost": True, "line_thickness": 4}
    rows, columns = painted(draw(tracks_at(box, state=state), **looks))
    assert len(rows) > 20
    assert 95 <= columns.min() < columns.max() <= 155
    assert rows.max() <= 215


def test_an_ellipse_lies_at_the_feet_and_corners_leave_the_sides_free():
    box = (100, 60, 150, 200)
    rows, _ = painted(draw(tracks_at(box), style="ellipse", labels="none"))
    assert rows.min() > 180
    corners = draw(tracks_at(box), style="corner", labels="none")
    assert (corners[130, 95:155] == GREY).all()
    assert (corners[62, 95:155] != GREY).any()


@pytest.mark.parametrize("style", ["box", "ellipse", "corner"])
def test_odd_boxes_do_no_harm_in_any_style(style):
    for box in ((-1e30, -1e30, 1e30, 1e30), (5, 5, 5, 5), (9, 9, 3, 3), (np.nan, 0, 5, 5)):
        for state in (CONFIRMED, LOST):
            draw(tracks_at(box, state=state), style=style, draw_lost=True)


def test_the_labels_of_a_crowd_are_all_seen():
    boxes = [(100 + 6 * n, 100 + n, 130 + 6 * n, 180 + n) for n in range(8)]
    out = draw(tracks_at(*boxes), width=640, height=360, line_thickness=1)
    for number in range(1, 9):
        label = (out == choose_colour(number)).all(axis=2)
        label |= (out == choose_text_colour(choose_colour(number))).all(axis=2)
        assert label.sum() > 500, f"label {number}"
