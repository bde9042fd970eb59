"""The page as people see it: a whole run, watched and ended from a browser."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest

from helpers.browser import open_browser
from helpers.jobs import environment
from helpers.places import ROOT
from mot_dinov3.lab.selftest.browser import describe_missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(describe_missing()), reason=describe_missing() or "chromium is here"),
]
COMMAND = ("--source", "synthetic:street", "--det", "motion", "--embedder", "none", "--no-video",
           "--no-overlap", "--serve")  # fmt: skip


@pytest.fixture
def running(tmp_path):
    """A run that is being served, and its address."""
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), *COMMAND, "--stats-json", "stats.json"],
            cwd=tmp_path, env=environment(), stdout=out, stderr=out, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 60
        while not (found := re.search(r"http://\S+", log.read_text())) and time.monotonic() < until:
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        try:
            yield process, found[0], log
        finally:
            process.kill()
            process.wait()


def text_of(driver, name):
    return driver.find_element("id", name).text


def wait_for(check, within_s=20.0):
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if answer := check():
            return answer
        time.sleep(0.05)
    raise AssertionError("nothing of the kind happened")


def test_a_run_is_seen_counted_and_ended_from_its_page(running, tmp_path):
    process, url, log = running
    with open_browser(1400, 900) as driver:
        driver.get(url)
        wait_for(lambda: text_of(driver, "state") == "running")
        width = "return document.getElementById('stream').naturalWidth"
        wait_for(lambda: driver.execute_script(width) > 100)
        frame = re.compile(r"frame ([\d,]+)")
        first = wait_for(lambda: frame.search(text_of(driver, "progress")))[1]
        wait_for(lambda: frame.search(text_of(driver, "progress"))[1] != first)
        assert "synthetic:street" in text_of(driver, "name")
        assert float(text_of(driver, "fps")) > 0
        assert "detect" in text_of(driver, "stages")
        button = driver.find_element("id", "stop")
        button.click()
        assert "again" in button.text
        assert process.poll() is None, "one click by mistake ends nothing"
        button.click()
        wait_for(lambda: text_of(driver, "state") == "ended")
        assert not button.is_enabled()
        assert driver.get_log("browser") == []
    assert process.wait(20) == 0
    assert (tmp_path / "stats.json").is_file()
    secret = url.rstrip("/").rpartition("/")[2]
    assert log.read_text().count(secret) == 1
    assert secret not in (tmp_path / "stats.json").read_text()


def test_hostile_names_run_nothing_on_the_page():
    from helpers.fakes import blank_frame
    from mot_dinov3.config import DrawConfig
    from mot_dinov3.outputs.serve.page import LivePage
    from mot_dinov3.outputs.serve.view import PageSubject
    from mot_dinov3.runtime.statistics import RunStatistics
    from mot_dinov3.values import Detections, FrameResult, Tracks

    name = "</h1><img src=x onerror=window.hit=1><script>window.hit=1</script>"
    page, statistics = LivePage(("127.0.0.1", 0), DrawConfig(), print), RunStatistics()
    page.set_subject(PageSubject(name, 0, {0: name}, lambda: name, lambda: {name: 1}))
    with page, open_browser(1000, 800) as driver:
        frame = blank_frame(0)
        result = FrameResult(0, 0.0, Detections.empty(), Tracks.empty())
        statistics.add(result, {name: 1.0}, 1.0)
        page.write(frame, result)
        page.update(result, statistics)
        driver.get(page.url)
        wait_for(lambda: name in text_of(driver, "name"))
        wait_for(lambda: name in text_of(driver, "faults"))
        assert driver.execute_script("return window.hit") is None


def test_every_camera_has_a_tile_and_behind_it_its_page():
    from helpers.fakes import blank_frame
    from mot_dinov3.config import DrawConfig
    from mot_dinov3.outputs.serve.tiles import Tile, TilesPage
    from mot_dinov3.outputs.serve.view import PageSubject
    from mot_dinov3.runtime.statistics import RunStatistics
    from mot_dinov3.values import Detections, FrameResult, Tracks

    name = "</h2><img src=x onerror=window.hit=1><script>window.hit=1</script>"
    stops = []
    tiles = [
        Tile(label, f"rtsp://{label}/1", DrawConfig(), lambda label=label: stops.append(label))
        for label in ("door", name)
    ]
    result, statistics = FrameResult(0, 0.0, Detections.empty(), Tracks.empty()), RunStatistics()
    statistics.add(result, {"detect": 1.0}, 1.0)
    with TilesPage(("127.0.0.1", 0), tiles) as page, open_browser(1000, 800) as driver:
        for tile in tiles:
            tile.set_subject(PageSubject(name, 0, {}, lambda: "connected", lambda: {"dropped": 4}))
        with tiles[0], tiles[1]:
            for tile in tiles:
                tile.write(blank_frame(0), result)
                tile.update(result, statistics)
            driver.get(page.url)
            wait_for(lambda: text_of(driver, "name") == "2 cameras")
            widths = "return [...document.querySelectorAll('.tile img')].map(i => i.naturalWidth)"
            wait_for(lambda: driver.execute_script(widths) == [640, 640])
            wait_for(lambda: text_of(driver, "tiles").count("dropped") == 2)
            assert name in text_of(driver, "tiles")
            assert driver.execute_script("return window.hit") is None
            driver.find_element("css selector", ".tile").click()
            wait_for(lambda: name in text_of(driver, "name"))
            driver.back()
            wait_for(lambda: text_of(driver, "state") == "live")
            button = driver.find_element("id", "stop")
            button.click()
            assert "again" in button.text
            button.click()
            wait_for(lambda: len(stops) == 2)
            assert button.text == "Stop all"
        tiles[0].end("")
        tiles[1].end("It broke.")
        wait_for(lambda: text_of(driver, "state") == "ended")
        assert "It broke." in text_of(driver, "tiles")


def test_the_last_pictures_stay_when_the_page_is_gone():
    from helpers.fakes import blank_frame
    from mot_dinov3.config import DrawConfig
    from mot_dinov3.outputs.serve.tiles import Tile, TilesPage
    from mot_dinov3.outputs.serve.view import PageSubject
    from mot_dinov3.runtime.statistics import RunStatistics
    from mot_dinov3.values import Detections, FrameResult, Tracks

    tile = Tile("door", "rtsp://door/1", DrawConfig(), print)
    tile.set_subject(PageSubject("door", 0, {}, lambda: "connected", dict))
    result, statistics = FrameResult(0, 0.0, Detections.empty(), Tracks.empty()), RunStatistics()
    statistics.add(result, {"detect": 1.0}, 1.0)
    with open_browser(1000, 800) as driver:
        page = TilesPage(("127.0.0.1", 0), [tile])
        with page, tile:
            tile.write(blank_frame(0), result)
            tile.update(result, statistics)
            driver.get(page.url)
            width = "return document.querySelector('.tile img').naturalWidth"
            wait_for(lambda: driver.execute_script(width) == 640)
        wait_for(lambda: text_of(driver, "state") == "ended")
        time.sleep(1.5)
        assert driver.execute_script(width) == 640


def test_one_slow_frame_does_not_flatten_the_chart_and_is_counted():
    from helpers.fakes import blank_frame
    from mot_dinov3.config import DrawConfig
    from mot_dinov3.outputs.serve.page import LivePage
    from mot_dinov3.outputs.serve.view import PageSubject
    from mot_dinov3.runtime.statistics import RunStatistics
    from mot_dinov3.values import Detections, EmbedCounts, FrameResult, Tracks

    page, statistics = LivePage(("127.0.0.1", 0), DrawConfig(), print), RunStatistics()
    page.set_subject(PageSubject("walk.mp4", 0, {}, lambda: "", dict))
    with page, open_browser(1000, 800) as driver:
        for index in range(40):
            counts = EmbedCounts(embed_ms=4.0 if index else 900.0, budget_ms=10.0)
            result = FrameResult(index, 0.0, Detections.empty(), Tracks.empty(), counts)
            statistics.add(result, {"detect": 5.0}, 20.0 if index else 3000.0)
            page.write(blank_frame(index), result)
            page.update(result, statistics)
        driver.get(page.url)
        wait_for(lambda: text_of(driver, "beyond") == "2 beyond the axis")
        top = "return usualTop(arguments[0], 10)"
        assert driver.execute_script(top, [900.0, *[4.0] * 39]) == 12.5
        assert driver.execute_script(top, [20.0, *[4.0] * 39]) == 21.0
        assert driver.get_log("browser") == []
