"""Runs with a real (if tiny) embedder: stars, counts and repeatable budgets."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from helpers.jobs import records, replay
from mot_dinov3.lab.selftest.determinism import drop_times


@pytest.fixture
def run(track, scene, mean_colour, tmp_path):
    """Track with the tiny embedder: (stats, JSON lines, MOT bytes)."""

    def with_words(*words):
        model = ("--embedder", "onnx", "--embed-model", mean_colour, "--no-video", "-q")
        files = ("--save-mot", "o.txt", "--save-jsonl", "o.jsonl", "--stats-json", "s.json")
        code, err = track(*replay(scene, *model, *files, *words))
        assert (code, err) == (0, "")
        stats = json.loads((tmp_path / "s.json").read_text())
        return stats, records(tmp_path / "o.jsonl"), (tmp_path / "o.txt").read_bytes()

    return with_words


RULE = ("--embed-policy", "continuity")
"""Its crops can be counted by hand."""


def stars(lines):
    return [sum(track["fresh"] for track in line["tracks"]) for line in lines]


def test_stars_are_exactly_the_embeddings_computed(run):
    stats, lines, _ = run()
    assert stars(lines) == [line["embed"]["computed"] for line in lines]
    counts = stats["embeddings"]
    assert counts["computed"] == counts["critical"] + counts["refresh"] == sum(stars(lines))
    assert counts["per_frame"] == pytest.approx(counts["computed"] / stats["frames"], abs=0.001)


def test_steady_walkers_are_embedded_at_birth_and_every_fifth_frame(run):
    stats, lines, _ = run(*RULE)
    assert [i for i, n in enumerate(stars(lines)) if n] == [0, 5, 10, 15, 20, 25]
    assert stats["embeddings"]["critical"] == 2
    _, lines, _ = run(*RULE, "--embed-refresh", "10")
    assert [i for i, n in enumerate(stars(lines)) if n] == [0, 10, 20]


def test_every_detection_has_one_fate_and_the_trace_the_same(run, tmp_path):
    trace = tmp_path / "trace.jsonl"
    words = ("--embed-budget-crops", "1", "--embed-hard-budget", "--save-trace", str(trace))
    stats, lines, _ = run(*RULE, *words)
    counts = stats["embeddings"]
    outcomes = Counter(json.loads(line)["outcome"] for line in trace.read_text().splitlines())
    assert outcomes.total() == stats["detections"] == 60
    for name in ("computed", "reused", "deferred", "starved"):
        assert outcomes[name] == counts[name]
    assert counts["starved"] > 0
    assert max(stars(lines)) == 1


def test_what_has_no_star_was_computed_without_a_track(run, scene, tmp_path):
    weak = "".join(f"{index + 1},-1,100,10,20,40,0.4\n" for index in range(0, 30, 3))
    found = tmp_path / "det.txt"
    found.write_text((scene / "det.txt").read_text() + weak)
    files = ("--save-embeddings", "e.npz", "--save-trace", "t.jsonl")
    stats, lines, _ = run("--det", f"mot:{found}", "--embed-all", *files)
    counts, lone = stats["embeddings"], stats["embeddings"]["without_track"]
    trace = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    computed = [one["track"] for one in trace if one["outcome"] == "computed"]
    with np.load(tmp_path / "e.npz") as kept:
        assert len(kept["id"]) == sum(stars(lines)) == counts["computed"] - lone
    assert counts["computed"] == len(computed) == 70
    assert lone == computed.count(None) == sum(one["embed"]["without_track"] for one in lines) == 10


def test_a_budget_in_crops_repeats_byte_for_byte(run):
    words = (*RULE, "--embed-budget-crops", "1", "--embed-refresh", "2")
    stats, first, mot = run(*words)
    _, second, again = run(*words)
    assert mot == again
    assert list(map(drop_times, first)) == list(map(drop_times, second))
    assert stats["embeddings"]["deferred"] > 0


def test_the_default_learns_steady_walkers_and_then_lets_them_be(run):
    stats, lines, _ = run()
    assert stars(lines)[0] == 0, "nobody is confirmed yet, and nobody can return"
    assert sum(stars(lines)[:10]) >= 6, "three embeddings each"
    assert stats["embeddings"]["computed"] <= 15, "of 60"


def test_embed_all_is_the_baseline_without_scheduling(run):
    stats, lines, _ = run("--embed-all")
    assert set(stars(lines)) == {2}
    assert stats["embeddings"]["critical"] == 60
    assert stats["embeddings"]["reused"] == 0


def test_without_an_embedder_nothing_is_computed(run):
    stats, lines, _ = run("--embedder", "none", "--embed-model", "")
    assert stats["embeddings"]["computed"] == sum(stars(lines)) == 0
    assert stats["tracks"] == {"born": 2, "confirmed": 2}


def test_the_budget_is_reported(run):
    stats, _, _ = run("--embed-budget-ms", "1000")
    assert stats["budget"]["ms"] == 1000
    assert (stats["budget"]["frames_over"], stats["budget"]["worst_over_ms"]) == (0, 0.0)
    assert stats["embeddings"]["deferred"] == 0
    stats, _, _ = run("--embed-budget-ms", "0.000001")
    assert stats["budget"]["frames_over"] >= 1
    assert stats["budget"]["worst_over_ms"] > 0
    assert stats["embeddings"]["deferred"] > 0


def test_a_person_reads_the_same_figures(track, scene, mean_colour):
    model = ("--embedder", "onnx", "--embed-model", mean_colour, "--no-video")
    _, err = track(*replay(scene, *model, *RULE, "--embed-budget-ms", "1000"))
    assert "embeddings   12 of 60 crops embedded (20 %), 0.40 a frame\n" in err
    assert "             2 critical, 10 refresh; reused 48\n" in err
    assert "budget       1000 ms:" in err
    assert "p99" in err
