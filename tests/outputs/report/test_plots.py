"""A page of plots: whole, and without a place for what only a run has."""

from __future__ import annotations

import json

import pytest

from helpers.browser import chromium, complaints, wait_until
from mot_dinov3.outputs.report.charts import Chart, draw_line
from mot_dinov3.outputs.report.plots import render_plots

pytest.importorskip("jinja2")
pytest.importorskip("plotly")

__all__ = ["chromium"]


def plots():
    dots = {"type": "scatter", "mode": "markers", "name": "dots", "x": [1, 2], "y": [3, 4],
            "marker": {"color": "@ink", "line": {"color": ["@ink", "@card"]}}}  # fmt: skip
    line = draw_line("line", [1, 2], [4, 3], line={"color": "#0072b2"})
    charts = [Chart(key, f"Plot {key}", "A note.", [dots, line], over_frames=False) for key in "ab"]
    return render_plots("A & B", "replay", ["2 frames"], charts)


def test_the_page_has_its_title_and_its_plots():
    page = plots()
    assert "<h1>A &amp; B</h1>" in page
    assert "<span>replay</span>" in page
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert [chart["key"] for chart in data["charts"]] == ["a", "b"]
    assert {chart["seek"] for chart in data["charts"]} == {"points"}
    assert "<video" not in page


@pytest.mark.slow
def test_a_browser_draws_them_and_a_click_does_nothing(chromium, tmp_path):
    path = tmp_path / "plots.html"
    path.write_text(plots())
    complaints(chromium)
    chromium.get(path.as_uri())
    wait_until(
        lambda: chromium.execute_script("return document.documentElement.dataset.drawn") == "2"
    )
    shown = "return document.querySelectorAll('.scatterlayer .trace').length"
    assert chromium.execute_script(shown) == 4
    chromium.find_element("css selector", ".nsewdrag").click()
    assert complaints(chromium) == []
