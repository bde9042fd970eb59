"""Growth: the exponents, and each part of the benchmark in a size that ends in seconds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from helpers.fakes import boxes
from mot_dinov3.commands import bench
from mot_dinov3.lab.benchmarks import rounds, scale_frames, scale_objects, scale_pixels
from mot_dinov3.lab.benchmarks.bench import Bench
from mot_dinov3.lab.benchmarks.clip import ShortClip
from mot_dinov3.lab.benchmarks.growth import exponent, known
from mot_dinov3.lab.benchmarks.scale_frames import LengthMeter
from mot_dinov3.lab.benchmarks.scale_objects import Pass, growth_row, object_figures
from mot_dinov3.lab.recordings.tape import Tape
from mot_dinov3.values import Frame


def settings(tmp_path, *words):
    return bench.build_settings(bench.parser().parse_args(list(words)), tmp_path)


def test_the_exponent_is_that_of_the_power():
    sizes = [10, 50, 300]
    assert exponent(sizes, [3 * n**1.5 for n in sizes]) == pytest.approx(1.5)
    assert exponent(sizes, [7.0] * 3) == pytest.approx(0.0)
    assert exponent([10, 50, 300], [0.0, 50.0, 300.0]) == pytest.approx(1.0)  # nothing has no log
    assert math.isnan(exponent([10, 10], [1.0, 2.0]))


def test_only_numbers_reach_the_json():
    assert known({"a": 1.0, "b": math.nan, "c": math.inf}) == {"a": 1.0}


def test_the_bar_looks_at_fifty_to_three_hundred_objects():
    objects = (10, 50, 100, 300, 1000)
    middles = [1.0, 1.0, 2.0, 6.0, 1000.0]  # linear inside, steep outside
    row = growth_row("motion only", objects, middles)
    assert row.figures["growth_50_to_300"] == pytest.approx(1.0, abs=0.01)
    assert row.figures["growth"] > 1.3
    assert row.as_dict()["bar"]["met"] is True
    assert growth_row("x", objects, [n**1.4 for n in objects]).as_dict()["bar"]["met"] is False


def test_figures_of_objects_are_over_all_rounds():
    figures = object_figures([Pass([1.0, 2.0], 5.0), Pass([3.0, 4.0], 7.0), Pass([2.5], 6.0)])
    assert figures["p50_ms"] == pytest.approx(2.5)
    assert figures["rss_mb"] == pytest.approx(6.0)


@pytest.mark.slow
def test_objects_are_tracked_with_and_without_embeddings(tmp_path, monkeypatch):
    monkeypatch.setattr(rounds, "LEAST_ROUNDS", 1)
    monkeypatch.setattr(scale_objects, "OBJECTS", (3, 60))
    rows = scale_objects.object_rows(Bench(settings(tmp_path)))
    assert [row.label.split(",")[0] for row in rows][:3] == [
        "3 objects", "60 objects", "growth with objects",
    ]  # fmt: skip
    assert len(rows) == 6
    assert all(row.figures["p50_ms"] > 0 for row in rows if "objects," in row.label[:11])


def test_boxes_follow_the_size_of_the_clip(tmp_path):
    tape = Tape("x", {0: "person"}, frame_wh=(100, 50))
    tape.add(Frame(0, 0.0, np.zeros((50, 100, 3), np.uint8)), boxes((10, 10, 20, 30)))
    out = scale_pixels.resized(tape, ShortClip(tmp_path / "c.mp4", 1, (200, 100)))
    assert out.frame_wh == (200, 100)
    assert out.takes[0].detections.xyxy.tolist() == [[20, 20, 40, 60]]


@pytest.mark.slow
def test_more_pixels_are_read_drawn_and_encoded(tmp_path, monkeypatch):
    monkeypatch.setattr(scale_pixels, "WIDTHS", {"small": 160, "large": 320})
    rows = scale_pixels.pixel_rows(Bench(settings(tmp_path, "--frames", "10")))
    assert [row.label for row in rows] == [
        "small, 160x90", "large, 320x180", "growth with pixels", "detector by pixels",
    ]  # fmt: skip
    assert all(row.figures[name] > 0 for row in rows[:2] for name in ("read_ms", "encode_ms"))
    assert "--det WEIGHTS" in rows[-1].skipped


@pytest.mark.slow
def test_a_long_run_is_cut_at_its_lengths(tmp_path, monkeypatch):
    monkeypatch.setattr(scale_frames, "LENGTHS", (20, 60))
    rows = scale_frames.frame_rows(Bench(settings(tmp_path, "--frames", "60")))
    assert [row.label for row in rows] == ["20 frames", "60 frames", "growth with frames"]
    assert rows[1].figures["total_s"] >= rows[0].figures["total_s"]
    assert len((tmp_path / "long.jsonl").read_text().splitlines()) == 60


def test_the_meter_adds_up_and_starts_a_new_median():
    meter = LengthMeter()
    for spent_s in (0.001, 0.003):
        meter.add(spent_s)
    first = meter.figures()
    meter.add(0.5)
    second = meter.figures()
    assert first["p50_ms"] == pytest.approx(2.0)
    assert second["p50_ms"] == pytest.approx(500.0)
    assert second["total_s"] == pytest.approx(0.5, abs=0.01)
    assert meter.frames == 3
