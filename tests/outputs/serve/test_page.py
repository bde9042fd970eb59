"""The page from outside: who is let in, what is answered, and that nobody holds the loop up."""

from __future__ import annotations

import http.client
import json
import logging
import re
import socket
import threading
import time
from contextlib import suppress
from importlib.resources import files
from itertools import pairwise
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from helpers.fakes import blank_frame
from mot_dinov3.config import DrawConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.outputs.serve import handler, visitors
from mot_dinov3.outputs.serve.page import LivePage
from mot_dinov3.outputs.serve.view import PageSubject
from mot_dinov3.outputs.serve.visitors import MOST_STRANGERS
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.values import Detections, EmbedCounts, FrameResult, Tracks

LOCAL = ("127.0.0.1", 0)


def result_of(frame, **embed):
    return FrameResult(
        frame.index, frame.time_s, Detections.empty(), Tracks.empty(), EmbedCounts(**embed)
    )


@pytest.fixture
def stops():
    return []


@pytest.fixture
def page(stops):
    made = LivePage(LOCAL, DrawConfig(), lambda: stops.append(1))
    made.set_subject(
        PageSubject("rtsp://cam/1", 0, {}, lambda: "connected", lambda: {"dropped": 3})
    )
    with made:
        yield made


def show(page, *indices, width=64):
    statistics = RunStatistics()
    for index in indices:
        frame = blank_frame(index, width=width, height=48)
        result = result_of(frame, critical=2, embed_ms=4.0, budget_ms=10.0)
        statistics.add(result, {"detect": 5.0}, 12.0)
        page.write(frame, result)
        page.update(result, statistics)


def ask(page, place, method="GET", token=None, **headers):
    """(status, headers, body) of one request; `host` and other headers as they are given."""
    parts = urlsplit(page.url)
    headers.setdefault("Host", parts.netloc)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    prefix = parts.path if token is None else f"/{token}/"
    connection.putrequest(method, prefix + place, skip_host=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def test_the_page_and_its_parts_are_answered(page):
    for place, kind in [("", "text/html"), ("page.css", "text/css"), ("page.js", "text/javascript"),
                        ("icon.svg", "image/svg+xml"), ("state", "application/json")]:  # fmt: skip
        status, headers, body = ask(page, place)
        assert status == 200
        assert headers["Content-Type"].startswith(kind)
        assert int(headers["Content-Length"]) == len(body) > 0


def test_every_answer_keeps_the_address_to_itself(page):
    for place, token in (("", None), ("state", None), ("gone", None), ("", "wrong")):
        _, headers, body = ask(page, place, token=token)
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Python" not in headers["Server"]
        assert urlsplit(page.url).path.strip("/").encode() not in body


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(page):
    text = ask(page, "")[2].decode()
    assert not re.search(r"https?://|<script>|\son\w+=|style=", text)
    assert re.findall(r'(?:src|href)="([^"]+)"', text) == [
        "page.css", "icon.svg", "stream", "watch.js", "page.js"
    ]  # fmt: skip


def test_without_the_secret_there_is_nothing(page):
    secret = urlsplit(page.url).path.strip("/")
    assert len(secret) >= 22
    wrong = ["", "x", secret[:-1], secret + "x", secret.swapcase(), "..", "%2e%2e", "%C3%A9"]
    for token in wrong:
        for place in ("", "state", "stream", "stop", "page.js"):
            method = "POST" if place == "stop" else "GET"
            assert ask(page, place, method, token)[0] == 404
    assert ask(page, "../../etc/passwd")[0] == 404
    assert ask(page, "static/page.html")[0] == 404


def test_two_runs_have_two_secrets():
    pages = [LivePage(LOCAL, DrawConfig(), print) for _ in range(2)]
    assert len({urlsplit(page.url).path for page in pages}) == 2
    for page in pages:
        page.close()


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "{lan}:{port}",
        "127.0.0.1:{other}",
        "localhost.evil.example:{port}",
        "",
    ],
)
def test_another_host_name_is_refused_even_with_the_secret(page, host, stops):
    """A web site can make its own name point at this machine, and read what comes back."""
    port = urlsplit(page.url).port
    name = host.format(port=port, other=port + 1, lan="192.168.0.7")
    assert ask(page, "state", Host=name)[0] == 403
    assert ask(page, "stop", "POST", Host=name)[0] == 403
    assert not stops


def test_all_names_of_this_machine_are_known(page):
    port = urlsplit(page.url).port
    for host in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]"):
        assert ask(page, "state", Host=f"{host}:{port}")[0] == 200


def test_stop_is_heard_from_our_own_page_only(page, stops):
    parts = urlsplit(page.url)
    own = f"{parts.scheme}://{parts.netloc}"
    assert ask(page, "stop")[0] == 404, "a link or a picture must not end a run"
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"},
                    {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "none"}):  # fmt: skip
        assert ask(page, "stop", "POST", **headers)[0] == 403
    assert ask(page, "other", "POST")[0] == 404
    assert not stops
    assert ask(page, "stop", "POST", Origin=own, Sec_Fetch_Site="same-origin")[0] == 202
    assert stops == [1]
    assert json.loads(ask(page, "state")[2])["stopping"] is True


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_nothing_else_can_be_done(page, method, stops):
    assert ask(page, "stop", method)[0] == 501
    assert not stops


def test_the_state_tells_what_the_progress_line_and_the_summary_tell(page):
    assert "frame" not in json.loads(ask(page, "state")[2])
    show(page, 0, 1, 7)
    now = json.loads(ask(page, "state")[2])
    assert now["name"] == "rtsp://cam/1"
    assert now["condition"] == "connected"
    assert now["faults"] == {"dropped": 3}
    assert now["frame"]["index"] == 7
    assert (now["frame"]["computed"], now["frame"]["budget_ms"]) == (2, 10.0)
    assert now["recent"] == [[4.0, 10.0, 12.0]] * 3
    assert {"frames", "fps", "latency_ms", "stages", "embeddings", "budget"} <= now["run"].keys()
    assert not now["over"]


def pictures(stream, count):
    """The first JPEG pictures of a stream, decoded."""
    out = []
    while len(out) < count:
        while not (line := stream.readline()).lower().startswith(b"content-length"):
            assert line
        size = int(line.split(b":")[1])
        assert stream.readline() == b"\r\n"
        out.append(cv2.imdecode(np.frombuffer(stream.read(size), np.uint8), cv2.IMREAD_COLOR))
    return out


def open_stream(page, buffer=0):
    parts = urlsplit(page.url)
    raw = socket.socket()
    if buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    raw.settimeout(10)
    raw.connect((parts.hostname, parts.port))
    raw.sendall(f"GET {parts.path}stream HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
    return raw


def test_the_stream_shows_what_is_tracked(page):
    show(page, 0)
    with open_stream(page) as raw, raw.makefile("rb") as stream:
        assert b"200" in stream.readline()
        (first,) = pictures(stream, 1)
        assert first.shape == (48, 64, 3)
        bright = blank_frame(1, width=64, height=48)
        bright.image[:] = 255
        page.write(bright, result_of(bright))
        assert max(picture.mean() for picture in pictures(stream, 2)) > 250


def test_wide_pictures_are_scaled_down_for_the_page(page):
    show(page, 0, width=2560)
    with open_stream(page) as raw, raw.makefile("rb") as stream:
        assert pictures(stream, 1)[0].shape == (24, 1280, 3)


def test_nothing_is_drawn_while_nobody_looks(page, monkeypatch):
    drawn = []
    monkeypatch.setattr("mot_dinov3.outputs.drawing.TrackPainter.draw", lambda *_: drawn.append(1))
    show(page, *range(20))
    time.sleep(0.2)
    assert not drawn


def test_nothing_is_drawn_any_more_once_everybody_has_gone(page, monkeypatch):
    drawn = []

    def counting(self, image, *_):
        drawn.append(1)
        return image

    monkeypatch.setattr("mot_dinov3.outputs.drawing.TrackPainter.draw", counting)
    show(page, 0)
    with open_stream(page) as raw, raw.makefile("rb") as stream:
        pictures(stream, 1)
    index, until = 0, time.monotonic() + 10
    while page.picture._viewers and time.monotonic() < until:
        show(page, index := index + 1)
        time.sleep(0.02)
    before = len(drawn)
    for index in range(40):
        show(page, index)
        time.sleep(0.01)
    assert len(drawn) <= before + 1


def test_a_client_that_takes_nothing_holds_nobody_up_and_is_let_go(monkeypatch, stops):
    monkeypatch.setattr(handler.PageHandler, "timeout", 2.0)
    noise = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)
    with LivePage(LOCAL, DrawConfig(), print) as page, open_stream(page, buffer=4096):
        slowest_s = 0.0
        for index in range(40):
            frame = blank_frame(index)
            frame = type(frame)(index, index / 30, noise)
            started = time.perf_counter()
            page.write(frame, result_of(frame))
            slowest_s = max(slowest_s, time.perf_counter() - started)
            time.sleep(0.03)
        until = time.monotonic() + 10
        while page.picture._viewers and time.monotonic() < until:
            time.sleep(0.05)
        assert slowest_s < 1.0
        assert page.picture._viewers == 0


def test_there_is_room_for_so_many_clients_only(page, monkeypatch):
    parts = urlsplit(page.url)
    crowd = [socket.create_connection((parts.hostname, parts.port)) for _ in range(60)]
    time.sleep(0.3)
    assert threading.active_count() < MOST_STRANGERS + 20
    for one in crowd:
        one.close()
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if ask(page, "state")[0] == 200:
                break
        except OSError:
            time.sleep(0.05)
    assert ask(page, "state")[0] == 200


def connect(page):
    parts = urlsplit(page.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


def test_strangers_who_send_nothing_keep_nobody_with_the_secret_out(page):
    crowd = [connect(page) for _ in range(100)]
    try:
        for _ in range(10):
            assert ask(page, "state")[0] == 200
        assert any(one.recv(1) == b"" for one in crowd[:1])
    finally:
        for one in crowd:
            one.close()


def test_a_request_that_drips_in_is_cut_off(page, monkeypatch):
    monkeypatch.setattr(visitors, "HEAD_S", 0.5)
    with connect(page) as raw:
        began, until = time.monotonic(), time.monotonic() + 10
        with suppress(OSError):
            while time.monotonic() < until:
                raw.sendall(b"G")
                raw.settimeout(0.1)
                with suppress(TimeoutError):
                    if raw.recv(1) == b"":
                        break
        assert time.monotonic() - began < 5


def test_those_with_the_secret_have_places_of_their_own(page, monkeypatch):
    monkeypatch.setattr(visitors, "MOST_GUESTS", 2)
    show(page, 0)
    with open_stream(page) as one, open_stream(page) as two:
        for raw in (one, two):
            with raw.makefile("rb") as stream:
                pictures(stream, 1)
        assert ask(page, "state")[0] == 503
    until = time.monotonic() + 10
    while ask(page, "state")[0] != 200 and time.monotonic() < until:
        show(page, 1)
        time.sleep(0.05)
    assert ask(page, "state")[0] == 200


def test_a_stream_outlasts_the_time_of_strangers(page, monkeypatch):
    monkeypatch.setattr(visitors, "HEAD_S", 0.2)
    show(page, 0)
    with open_stream(page) as raw, raw.makefile("rb") as stream:
        pictures(stream, 1)
        time.sleep(0.6)
        show(page, 1)
        pictures(stream, 1)


def test_garbage_is_answered_or_hung_up_on_and_never_told(page, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    parts = urlsplit(page.url)
    secret = parts.path.strip("/")
    for words in (b"", b"\0" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                  b"GET " + b"x" * 70000 + b" HTTP/1.1\r\n\r\n",
                  b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
                  f"GET /{secret}/stream HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode(),
                  f"BAD /{secret}/ HTTP/1.0\r\n\r\n".encode()):  # fmt: skip
        with socket.create_connection((parts.hostname, parts.port)) as raw:
            raw.sendall(words)
            raw.shutdown(socket.SHUT_WR)
            time.sleep(0.02)
    assert ask(page, "state")[0] == 200
    time.sleep(0.2)
    said = "".join(capfd.readouterr()) + caplog.text
    assert secret not in said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_one_sentence(page):
    port = urlsplit(page.url).port
    with pytest.raises(UsageError, match=rf"--serve cannot listen on 127.0.0.1:{port}") as caught:
        LivePage(("127.0.0.1", port), DrawConfig(), print)
    assert caught.value.exit_code == 2
    assert "free one" in caught.value.fix


@pytest.mark.parametrize("host", ["203.0.113.9", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_is_one_sentence(host):
    with pytest.raises(UsageError, match="--serve cannot listen on"):
        LivePage((host, 0), DrawConfig(), print)


def test_an_address_open_to_the_network_is_warned_of(caplog):
    page = LivePage(("0.0.0.0", 0), DrawConfig(), print)
    assert "open to the network" in caplog.text
    assert urlsplit(page.url).path.strip("/") not in caplog.text
    port = urlsplit(page.url).port
    names = {f"192.168.0.7:{port}": True, f"evil.example:{port}": False, f"127.0.0.1:{port}": True}
    assert {name: page._server.is_ours(name) for name in names} == names
    page.close()


def test_loopback_is_not_warned_of(caplog):
    for host in ("127.0.0.1", "localhost"):
        LivePage((host, 0), DrawConfig(), print).close()
    assert not caplog.text


def test_whoever_watches_hears_the_end_and_the_port_is_free_again(stops):
    page = LivePage(LOCAL, DrawConfig(), print)
    heard = []

    def watch():
        while not heard or not heard[-1]["over"]:
            heard.append(json.loads(ask(page, "state")[2]))
            time.sleep(0.05)

    with page:
        show(page, 0)
        raw = open_stream(page)
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        time.sleep(0.3)
    watcher.join(5)
    assert heard[-1]["over"]
    assert heard[-1]["run"]["frames"] == 1
    raw.settimeout(5)
    while raw.recv(65536):
        pass
    raw.close()
    again = LivePage(("127.0.0.1", urlsplit(page.url).port), DrawConfig(), print)
    again.close()


def test_nobody_is_waited_for_where_nobody_watches():
    started = time.monotonic()
    with LivePage(LOCAL, DrawConfig(), print) as page:
        show(page, 0)
    assert time.monotonic() - started < 0.6


def test_the_newest_picture_comes_first_to_whoever_is_late(page):
    show(page, 0)
    with open_stream(page) as raw, raw.makefile("rb") as stream:
        pictures(stream, 1)
        for level in range(0, 250, 10):
            frame = blank_frame(level, width=64, height=48)
            frame.image[:] = level
            page.write(frame, result_of(frame))
            time.sleep(0.01)
        levels = [picture.mean() for picture in pictures(stream, 5)]
    assert all(a <= b + 1 for a, b in pairwise(levels))


def test_a_fate_has_the_colour_that_it_has_in_a_report():
    from mot_dinov3.outputs.report.time_charts import BUDGET, COLOURS, FATES

    style = (files("mot_dinov3.outputs.serve") / "static" / "page.css").read_text()
    shown = dict(re.findall(r"--(\w+): (#\w+);", style.partition("@media")[0]))
    assert {name: shown[name] for name in FATES} == FATES
    assert (shown["embed"], shown["budget"]) == (COLOURS["embed"], BUDGET)
