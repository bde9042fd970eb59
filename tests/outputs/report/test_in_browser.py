"""The page in a real browser: charts are drawn, the video follows clicks, nothing foreign runs."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from helpers.browser import chromium, complaints, wait_until
from helpers.jobs import FRAMES, make_scene, replay, tiny_onnx
from helpers.report_names import HOSTILE, hostile_run
from mot_dinov3.commands import main
from mot_dinov3.lab.selftest.browser import describe_missing
from mot_dinov3.outputs.report import video_box
from mot_dinov3.outputs.report.compare import compare_page
from mot_dinov3.outputs.report.single import run_page

__all__ = ["chromium"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(describe_missing()), reason=describe_missing()),
]
pytest.importorskip("plotly")
FPS = 25
DRAG = "#chart-{} .nsewdrag"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A tracked scene with its report, made as a user would."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    place = make_scene(tmp_path_factory.mktemp("report"))
    model = tiny_onnx(place / "mean.onnx")
    words = replay(place, "--embedder", "onnx", "--embed-model", str(model), "-q",
                   "--embed-policy", "interval:3", "--output", str(place / "tracked.mp4"),
                   "--embed-budget-ms", "5000", "--save-jsonl", str(place / "run.jsonl"),
                   "--stats-json", str(place / "run.json"), "--report")  # fmt: skip
    assert main(words) == 0
    return place


def show(driver, page):
    """Open a page and wait until everything is drawn."""
    complaints(driver)
    driver.get(page.resolve().as_uri())
    wait_until(lambda: driver.execute_script("return document.documentElement.dataset.drawn"), 60)
    return driver


@pytest.fixture
def page(chromium, directory):
    return show(chromium, directory / "tracked.html")


def ready(driver, number=0):
    """Wait until a video can be played."""
    ask = f"const v = document.querySelectorAll('video')[{number}]; return v && v.readyState >= 2"
    wait_until(lambda: driver.execute_script(ask))


def seconds(driver, number=0):
    return driver.execute_script(f"return document.querySelectorAll('video')[{number}].currentTime")


def click(driver, element, share=0.5, height=0.5):
    """Click into an element at a share of its width and height, as a hand does."""
    from selenium.webdriver.common.action_chains import ActionChains

    driver.execute_script(
        "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element
    )
    box = element.rect
    x, y = (share - 0.5) * box["width"], (height - 0.5) * box["height"]
    ActionChains(driver).move_to_element_with_offset(element, round(x - 9), round(y)).pause(
        0.1
    ).move_to_element_with_offset(element, round(x), round(y)).pause(0.3).click().perform()


def find(driver, selector):
    return driver.find_element("css selector", selector)


def seeks_to(driver, frame, number=0):
    """Whether a video shows a frame: its own time, by half a frame."""
    wait_until(lambda: abs(seconds(driver, number) - (frame + 0.5) / FPS) < 0.6 / FPS)


def test_every_chart_is_drawn_and_nothing_complains(page):
    drawn = page.execute_script("""
        return [...document.querySelectorAll('.chart')].map(chart => [
            chart.dataset.chart,
            chart.querySelectorAll('.scatterlayer .trace, .barlayer .trace, .hm').length,
            chart.data.length,
            chart.getBoundingClientRect().width])""")
    assert [name for name, *_ in drawn] == [
        *("timeline", "fates", "gantt", "prediction", "heat", "ways")
    ]
    for name, shown, told, width in drawn:
        assert shown == told > 0, name
        assert width > 300
    assert complaints(page) == []


def test_nothing_is_asked_of_any_network(page):
    loaded = page.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    assert [name for name in loaded if not name.startswith(("data:", "blob:"))] == []


def test_the_video_is_inside_the_page_and_plays(page):
    ready(page)
    assert page.execute_script("return document.querySelector('video').src").startswith("blob:")
    page.execute_script("document.querySelector('video').play()")
    wait_until(lambda: seconds(page) > 0.2)
    wait_until(lambda: page.execute_script(
        "return !document.querySelector('.playhead').hidden"))  # fmt: skip


@pytest.mark.parametrize(("key", "share"), [("timeline", 0.2), ("timeline", 0.8), ("fates", 0.45)])
def test_a_click_on_a_chart_seeks_the_video(page, key, share):
    ready(page)
    click(page, find(page, DRAG.format(key)), share)
    seeks_to(page, round(share * (FRAMES - 1)))
    text = page.execute_script("return document.querySelector('[data-film-frame]').textContent")
    assert f"frame {round(share * (FRAMES - 1))} " in text.replace("\u00a0", " ")


def test_a_click_on_a_track_seeks_the_video(page):
    ready(page)
    click(page, find(page, DRAG.format("gantt")), 0.4, 0.3)
    wait_until(lambda: abs(seconds(page) * FPS - 0.4 * (FRAMES - 1)) < 1.5)


def test_a_click_on_a_cost_seeks_to_its_frame(page):
    ready(page)
    frame = page.execute_script("""
        const chart = document.getElementById('chart-prediction');
        const frame = chart.data[0].customdata[0];
        chart.emit('plotly_click', {points: [{customdata: frame}], event: {clientX: 0}});
        return frame""")
    seeks_to(page, frame)


def test_a_click_on_a_picture_seeks_to_its_frame(page):
    ready(page)
    crops = page.find_elements("css selector", ".crop img")
    assert len(crops) == 6
    page.execute_script("arguments[0].scrollIntoView()", crops[0])
    wait_until(lambda: page.execute_script("return arguments[0].naturalWidth", crops[0]) > 0)
    click(page, crops[2])
    seeks_to(page, FRAMES - 1)


def test_steps_lead_from_frame_to_frame(page):
    ready(page)
    page.execute_script("choose(10)")
    seeks_to(page, 10)
    find(page, '[data-step="1"]').click()
    seeks_to(page, 11)
    for _ in range(2):
        find(page, '[data-step="-1"]').click()
        page.execute_script("return 1")
    seeks_to(page, 9)


def test_zooming_one_time_axis_zooms_the_others(page):
    page.execute_script(
        "Plotly.relayout(document.getElementById('chart-timeline'), {'xaxis.range': [5, 15]})"
    )
    ask = "return document.getElementById('chart-gantt').layout.xaxis.range"
    wait_until(lambda: page.execute_script(ask) == [5, 15])


def test_the_theme_can_be_changed(page):
    colour = "return getComputedStyle(document.body).backgroundColor"
    before = page.execute_script(colour)
    find(page, "#theme").click()
    wait_until(lambda: page.execute_script(colour) != before)
    assert complaints(page) == []


def test_a_name_of_the_legend_hides_what_bears_it_also_in_another_theme(page):
    chip = find(page, "#section-timeline .legend button")
    assert chip.text == "embed"
    ask = "return document.getElementById('chart-timeline').data[0].visible"
    chip.click()
    wait_until(lambda: page.execute_script(ask) is False)
    find(page, "#theme").click()
    wait_until(lambda: page.execute_script(ask) is False)
    chip.click()
    wait_until(lambda: page.execute_script(ask) is True)


@contextmanager
def narrow_screen(driver, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("width", [390, 820])
def test_narrow_screens_need_no_sideways_scrolling(chromium, directory, width):
    with narrow_screen(chromium, width):
        show(chromium, directory / "tracked.html")
        assert chromium.execute_script("return document.documentElement.scrollWidth") <= width


def test_a_video_too_large_for_the_page_is_linked_and_missed_when_gone(
    chromium, directory, monkeypatch
):
    monkeypatch.setattr(video_box, "MOST_BYTES", 0)
    page = directory / "linked.html"
    assert main(["report", str(directory / "run.jsonl"), "-q", "-o", str(page)]) == 0
    show(chromium, page)
    ready(chromium)
    click(chromium, find(chromium, DRAG.format("timeline")), 0.6)
    seeks_to(chromium, round(0.6 * (FRAMES - 1)))
    video = directory / "tracked.mp4"
    moved = video.rename(directory / "elsewhere.mp4")
    try:
        show(chromium, page)
        wait_until(lambda: find(chromium, ".missing").is_displayed())
    finally:
        moved.rename(video)


def test_compared_runs_follow_one_click_together(chromium, directory):
    page = directory / "both.html"
    other = directory / "other"
    other.mkdir(exist_ok=True)
    for name in ("run.jsonl", "run.json"):
        (other / name).write_bytes((directory / name).read_bytes())
    assert main(["report", str(directory / "run.jsonl"), str(other / "run.jsonl"),
                 "-q", "-o", str(page)]) == 0  # fmt: skip
    show(chromium, page)
    for number in (0, 1):
        ready(chromium, number)
    click(chromium, find(chromium, DRAG.format("latency")), 0.55)
    for number in (0, 1):
        seeks_to(chromium, round(0.55 * (FRAMES - 1)), number)
    assert complaints(chromium) == []
    rows = "return [...document.querySelectorAll('.compare [scope=row]')].map(e => e.offsetHeight)"
    with narrow_screen(chromium, 390):
        assert max(chromium.execute_script(rows)) < 40, "a row's name stands in one line"


ALIVE = "return [window.owned, document.querySelectorAll('iframe, object, embed, form').length]"


@pytest.mark.parametrize("several", [False, True])
def test_fifty_hostile_names_run_nothing(chromium, tmp_path, several):
    assert len(HOSTILE) >= 50
    page, run = tmp_path / "hostile.html", hostile_run()
    runs = [run, hostile_run(calm=True)]
    page.write_text(compare_page(runs, [None] * 2, page) if several
                    else run_page(run, {}, None, page))  # fmt: skip
    show(chromium, page)
    chromium.execute_script("""
        for (const chart of document.querySelectorAll('.chart')) {
            const curves = chart.data.map((_, curve) => ({curveNumber: curve, pointNumber: 0}));
            for (const curve of curves.slice(0, 70)) Plotly.Fx.hover(chart, [curve]);
        }
        for (const details of document.querySelectorAll('details')) details.open = true;""")
    wait_until(lambda: chromium.execute_script("return document.readyState") == "complete")
    assert chromium.execute_script(ALIVE) == [None, 0]
    ask = "return document.querySelectorAll('a[href], [onclick], [onerror], [onload]').length"
    links = chromium.execute_script(ask)
    assert links == 0
    assert complaints(chromium) == []


def test_the_policy_stops_what_would_get_past_everything_else(chromium, tmp_path):
    page = tmp_path / "calm.html"
    page.write_text(run_page(hostile_run(calm=True), {}, None, page))
    show(chromium, page)
    chromium.execute_script("""
        const script = document.createElement('script');
        script.textContent = 'window.owned = 1';
        document.body.append(script);
        const image = document.createElement('img');
        image.setAttribute('onerror', 'window.owned = 2');
        image.src = 'http://127.0.0.1:9/x.png';
        document.body.append(image);""")
    refused = wait_until(lambda: complaints(chromium))
    assert chromium.execute_script("return window.owned") is None
    assert any("Content Security Policy" in text for text in refused)


def test_the_icons_of_a_chart_are_there_while_the_pointer_is_over_it(page):
    from selenium.webdriver.common.action_chains import ActionChains

    ask = "return getComputedStyle(document.querySelector('#chart-fates .modebar')).opacity"
    ActionChains(page).move_to_element(find(page, "h1")).perform()
    wait_until(lambda: page.execute_script(ask) == "0")
    ActionChains(page).move_to_element(find(page, DRAG.format("fates"))).perform()
    wait_until(lambda: page.execute_script(ask) == "1")
