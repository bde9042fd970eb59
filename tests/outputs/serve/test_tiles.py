"""The page of several cameras: a tile and a page for each, one secret, and who ends what."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from helpers.fakes import blank_frame
from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.serve.tiles import Tile, TilesPage
from mot_dinov3.outputs.serve.view import PageSubject
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.values import Detections, EmbedCounts, FrameResult, Tracks

LOCAL = ("127.0.0.1", 0)
NAMES = ("door", "yard", "gate")


@pytest.fixture
def stops():
    return []


@pytest.fixture
def page(stops):
    """Three cameras, of which the first has begun and the last one never answered."""
    tiles = [
        Tile(name, f"rtsp://{name}/1", DrawConfig(), lambda name=name: stops.append(name))
        for name in NAMES
    ]
    with TilesPage(LOCAL, tiles) as made, tiles[0], tiles[1]:
        subject = PageSubject("rtsp://door/1", 0, {}, lambda: "connected", lambda: {"dropped": 3})
        tiles[0].set_subject(subject)
        frame = blank_frame(0, width=64, height=48)
        counts = EmbedCounts(critical=2, embed_ms=4.0, budget_ms=10.0)
        result = FrameResult(0, 0.0, Detections.empty(), Tracks.empty(), counts)
        statistics = RunStatistics()
        statistics.add(result, {"detect": 5.0}, 12.0)
        tiles[0].write(frame, result)
        tiles[0].update(result, statistics)
        tiles[2].end("It cannot be opened.")
        yield made


def ask(page, place, method="GET", token=None, host=None):
    """(status, type, body) of one request."""
    parts = urlsplit(page.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    prefix = parts.path if token is None else f"/{token}/"
    connection.request(method, prefix + place, headers={"Host": host or parts.netloc})
    answer = connection.getresponse()
    return answer.status, answer.headers["Content-Type"], answer.read()


def test_the_page_of_tiles_and_that_of_each_camera_are_answered(page):
    for place in (
        "",
        "watch.js",
        "tiles.js",
        "tiles.css",
        "page.css",
        "1/",
        "2/page.js",
        "3/page.css",
    ):
        status, _, body = ask(page, place)
        assert (status, bool(body)) == (200, True), place
    assert b"tiles.js" in ask(page, "")[2]
    assert b'id="stream"' in ask(page, "1/")[2]
    assert b"tiles.js" not in ask(page, "1/")[2]


@pytest.mark.parametrize(
    "place",
    [
        "0/",
        "4/",
        "01/",
        "-1/",
        "1/2/",
        "x/",
        "1/tiles.js",
        "stream",
        "picture",
        "1/gone",
    ],
)
def test_other_places_do_not_exist(page, place):
    assert ask(page, place)[0] == 404


def test_without_the_secret_there_is_nothing(page, stops):
    for place in ("", "state", "1/", "1/state", "1/picture", "1/stream"):
        assert ask(page, place, token="wrong")[0] == 404
        assert ask(page, place, host="evil.example")[0] == 403
    for place in ("stop", "1/stop"):
        assert ask(page, place, "POST", token="wrong")[0] == 404
    assert not stops


def test_the_figures_of_all_and_of_one(page):
    state = json.loads(ask(page, "state")[2])
    assert [one["label"] for one in state["cameras"]] == list(NAMES)
    door, yard, gate = state["cameras"]
    assert door["frame"]["budget_ms"] == 10.0
    assert door["faults"] == {"dropped": 3}
    assert yard["name"] == "rtsp://yard/1", "known before it has begun"
    assert "frame" not in yard
    assert gate["reason"] == "It cannot be opened."
    assert json.loads(ask(page, "1/state")[2])["frame"] == door["frame"]


def test_a_picture_is_made_when_it_is_asked_for(page):
    status, kind, body = ask(page, "1/picture?7")
    assert (status, kind) == (200, "image/jpeg")
    picture = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (48, 64, 3)
    assert ask(page, "2/picture")[0] == 404, "it has no frame yet"


def test_the_last_picture_stays_when_a_camera_has_ended(page):
    page.tiles[0].__exit__()
    page.tiles[0].end("")
    assert ask(page, "1/picture")[0] == 200
    assert json.loads(ask(page, "1/state")[2])["reason"] == "It has ended."


def test_one_camera_is_ended_from_its_page_and_all_from_theirs(page, stops):
    assert ask(page, "2/stop", "POST")[0] == 202
    assert stops == ["yard"]
    assert ask(page, "stop", "POST")[0] == 202
    assert sorted(stops) == sorted((*NAMES, "yard"))
    assert json.loads(ask(page, "state")[2])["stopping"]
