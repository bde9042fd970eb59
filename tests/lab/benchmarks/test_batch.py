from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.config import DeviceConfig, EmbedderConfig
from mot_dinov3.lab.benchmarks import batch
from mot_dinov3.lab.benchmarks.batch import AUTO_LABEL, summarise_ways, time_ways, ways_of


def test_figures_are_medians_a_crop_and_a_ratio_of_pairs(monkeypatch):
    monkeypatch.setattr(batch, "SIZES", (1, 4))
    base = np.array([[10, 20, 30], [8, 8, 8]], np.float32)
    ours = np.array([[5, 4, 3], [2, 4, 8]], np.float32)
    figures = summarise_ways(ours, base)
    assert (figures["ms1"], figures["ms4"]) == (4.0, 4.0)
    spread = (figures["speedup"], figures["least"], figures["most"])
    assert spread == (3.0, 1.0, 10.0)


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_the_plainest_way_comes_first_and_the_automatic_one_last(device):
    first, *_, last = ways_of(device)
    assert (first.backend, first.precision, first.on_device, first.graphs) == (
        "torch", "fp32", False, False,
    )  # fmt: skip
    assert (last.label, last.backend, last.precision) == (AUTO_LABEL, "auto", "auto")


def test_every_way_of_this_machine_is_measured_in_turn(monkeypatch, tmp_path):
    pytest.importorskip("torch")
    monkeypatch.setattr(batch, "SIZES", (1, 2))
    order = []

    def timed(work):
        order.append(work().shape)
        return 6.0

    monkeypatch.setattr(batch, "create_stopwatch", lambda device: timed)
    run = DeviceConfig(export_cache=str(tmp_path))
    samples = time_ways(EmbedderConfig(embed_model="demo"), run, "cpu", 2)
    labels = list(samples)
    assert labels[0] == "torch fp32"
    assert labels[-1] == AUTO_LABEL
    assert [n for n, _ in order] == [1] * 2 * len(labels) + [2] * 2 * len(labels)
    for values in samples.values():
        assert values.tolist() == [[6, 6], [3, 3]]
