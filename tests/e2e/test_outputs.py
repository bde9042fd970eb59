"""What a run writes: frame numbers, times, names, figures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers.clips import read_back
from helpers.jobs import FRAMES, cli, mot_rows, records, replay

STABLE = {
    "latency_ms": {"mean", "p50", "p95", "p99"},
    "embeddings": {
        "computed", "critical", "refresh", "reused", "deferred", "starved", "per_frame",
    },
    "budget": {"ms", "frames_over", "worst_over_ms"},
    "tracks": {"born", "confirmed"},
}  # fmt: skip
STAGES = ("read", "detect", "embed", "track", "draw", "write")


@pytest.fixture
def outputs(track, scene, tmp_path):
    """Track the scene and read the results: (stats, MOT rows, JSON lines)."""

    def run(*words):
        files = ("--save-mot", "o.txt", "--save-jsonl", "o.jsonl", "--stats-json", "s.json")
        code, err = track(*replay(scene, *files, *words))
        assert code == 0, err
        stats = json.loads((tmp_path / "s.json").read_text())
        return stats, mot_rows(tmp_path / "o.txt"), records(tmp_path / "o.jsonl")

    return run


def test_two_walkers_keep_two_ids(outputs):
    stats, rows, lines = outputs("--no-video")
    assert stats["tracks"] == {"born": 2, "confirmed": 2}
    assert set(rows[:, 1]) == {1, 2}
    for number in (1, 2):
        own = rows[rows[:, 1] == number]
        assert own[:, 0].tolist() == list(range(1, FRAMES + 1))
        np.testing.assert_allclose(own[:, 2], 10 + 2 * np.arange(FRAMES), atol=0.02)
        assert len(set(own[:, 6])) == 1
    assert sorted(set(rows[:, 6])) == pytest.approx([0.8, 0.9])
    assert [line["frame"] for line in lines] == list(range(FRAMES))


@pytest.mark.parametrize(
    ("words", "frames"),
    [
        (("--max-frames", "4"), [0, 1, 2, 3]),
        (("--start-frame", "25"), [25, 26, 27, 28, 29]),
        (("--end-frame", "2"), [0, 1, 2]),
        (("--start-frame", "3", "--end-frame", "14", "--vid-stride", "4"), [3, 7, 11]),
        (("--start-frame", "3", "--vid-stride", "5", "--max-frames", "2"), [3, 8]),
        (("--start-frame", "29", "--end-frame", "999"), [29]),
    ],
)
def test_a_selection_keeps_the_source_frame_numbers(outputs, tmp_path, words, frames):
    stats, rows, lines = outputs("--output", "o.mp4", *words)
    assert stats["frames"] == len(frames)
    assert [line["frame"] for line in lines] == frames
    assert [line["time_s"] for line in lines] == pytest.approx([f / 25 for f in frames])
    assert sorted(set(rows[:, 0])) == [f + 1 for f in frames]
    assert len(read_back(tmp_path / "o.mp4")) == len(frames)


def test_fps_sets_the_times_of_the_output(outputs, tmp_path):
    outputs("--output", "o.mp4", "--fps", "10", "--max-frames", "5")
    times = [time_s for time_s, _ in read_back(tmp_path / "o.mp4")]
    assert times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-3)


def test_without_any_output_the_summary_is_enough(track, scene, tmp_path):
    code, err = track(*replay(scene, "--no-video"))
    assert code == 0
    assert "30 frames in" in err
    assert "wrote" not in err
    assert not list(tmp_path.iterdir())


def test_directories_are_made_and_old_results_replaced(track, scene, tmp_path):
    for _ in range(2):
        code, err = track(*replay(scene, "--output", "new/deep/o.mp4", "-q"))
        assert (code, err) == (0, "")
    assert [path.name for path in (tmp_path / "new" / "deep").iterdir()] == ["o.mp4"]


def test_stats_have_the_stable_names(outputs):
    stats, _, lines = outputs("--no-video")
    single = {"frames", "wall_s", "fps", "stages", "faults", "config", "versions", "device"}
    assert single | STABLE.keys() <= stats.keys()
    for group, names in STABLE.items():
        assert names <= stats[group].keys(), group
    assert tuple(stats["stages"]) == STAGES
    assert all(set(s) == {"mean_ms", "p95_ms", "share"} for s in stats["stages"].values())
    assert sum(s["share"] for s in stats["stages"].values()) == pytest.approx(1, abs=0.001)
    assert stats["frames"] == FRAMES == len(lines)
    assert stats["fps"] == pytest.approx(stats["frames"] / stats["wall_s"], rel=0.05)
    assert stats["faults"] == {}
    assert stats["config"]["save_jsonl"] == "o.jsonl"
    assert stats["versions"]["numpy"] == np.__version__


@pytest.mark.parametrize("way", ["--overlap", "--no-overlap"])
def test_latency_is_that_of_the_stages_and_of_waiting(outputs, way):
    stats, _, lines = outputs("--output", "o.mp4", way)
    total = sum(stage["mean_ms"] for stage in stats["stages"].values())
    assert total <= stats["latency_ms"]["mean"]
    assert stats["stages"]["draw"]["mean_ms"] > 0
    assert stats["stages"]["write"]["mean_ms"] > 0
    assert all(line["latency_ms"] >= sum(line["stage_ms"].values()) - 0.01 for line in lines)
    threads = {"main", "encode"} | ({"read", "sinks"} if way == "--overlap" else set())
    assert set(stats["threads"]) == threads
    assert all(0 < share <= 1.01 for share in stats["threads"].values())


ALL_FILES = ("--output", "o.mp4", "--save-mot", "o.txt", "--save-jsonl", "o.jsonl",
             "--save-trace", "o.trace")  # fmt: skip
TIMES = ("stage_ms", "latency_ms", "fps", "embed_ms", "critical_ms", "predicted_ms", "ms")


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("budget", [(), ("--embed-budget-crops", "1")])
def test_side_by_side_and_one_after_another_give_the_same(
    track, scene, tmp_path, mean_colour, budget
):
    embedder = ("--embedder", "onnx", "--embed-model", mean_colour)
    written = []
    for way in ("--overlap", "--no-overlap"):
        code, err = track(*replay(scene), *embedder, *budget, *ALL_FILES, way)
        assert code == 0, err
        lines = [*records(tmp_path / "o.jsonl"), *records(tmp_path / "o.trace")]
        whole = [(tmp_path / name).read_bytes() for name in ("o.txt", "o.mp4")]
        written.append((whole, without_times(lines)))
    assert written[0] == written[1]
    assert len(written[0][1]) > FRAMES


def test_classes_by_name_or_number_are_one(outputs):
    assert len(outputs("--no-video", "--classes", "person")[1]) == 2 * FRAMES
    assert len(outputs("--no-video", "--classes", "0")[1]) == 2 * FRAMES


def test_confidence_decides_who_may_start_a_track(outputs):
    _, rows, _ = outputs("--no-video", "--conf", "0.85")
    assert set(rows[:, 6]) == {0.9}


def test_greedy_assignment_finds_the_same_easy_tracks(outputs):
    _, best, _ = outputs("--no-video")
    _, greedy, _ = outputs("--no-video", "--no-hungarian")
    np.testing.assert_array_equal(best, greedy)


def test_boxes_and_counters_are_painted(outputs, tmp_path):
    outputs("--output", "plain.mp4", "--max-frames", "3", "--conf", "1")
    outputs("--output", "boxes.mp4", "--max-frames", "3", "--line-thickness", "3")
    outputs("--output", "hud.mp4", "--max-frames", "3", "--conf", "1", "--hud")
    plain, boxes, hud = (
        read_back(tmp_path / f"{name}.mp4")[2][1].astype(int) for name in ("plain", "boxes", "hud")
    )
    changed = np.abs(boxes - plain).max(axis=2) > 60
    assert changed[20:60, 13:17].mean() > 0.8, "the left edge of the upper box"
    assert changed[100:, 60:].mean() < 0.01
    assert (np.abs(hud - plain).max(axis=2) > 60)[:40, :60].any()


def test_lost_tracks_are_drawn_only_when_asked_for(track, scene, tmp_path):
    seen = [
        row for row in (scene / "det.txt").read_text().splitlines() if int(row.split(",")[0]) < 9
    ]
    (tmp_path / "half.txt").write_text("\n".join(seen))
    pictures = []
    for words in ((), ("--draw-lost",)):
        code, err = track(
            *replay(scene, "--det", "mot:half.txt", "--output", "o.mp4", "-q", *words)
        )
        assert code == 0, err
        pictures.append(read_back(tmp_path / "o.mp4")[12][1].astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() > 60


def test_a_directory_of_frames_is_a_source(track, scene, tmp_path):
    import cv2

    (tmp_path / "frames").mkdir()
    for index, (_, image) in enumerate(read_back(scene / "clip.mp4")[:12]):
        cv2.imwrite(str(tmp_path / "frames" / f"f{index}.png"), image)
    words = replay(scene, "--save-mot", "o.txt", "--no-video", "-q")
    for source in ("frames", "frames/*.png"):
        code, err = track("--source", source, *words[2:])
        assert (code, err) == (0, "")
        assert mot_rows(tmp_path / "o.txt")[:, 0].max() == 12


def test_results_can_go_to_a_pipe(scene, tmp_path):
    words = replay(scene, "--no-video", "-q", "--save-mot", "/dev/stdout", "--max-frames", "3")
    code, out, err = cli(*words, cwd=tmp_path)
    assert (code, err) == (0, "")
    assert [line.split(",")[0] for line in out.splitlines()] == ["1", "1", "2", "2", "3", "3"]
