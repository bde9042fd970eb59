"""Tables, crops and embeddings of runs that are stopped, killed or cut off by a full disk."""

from __future__ import annotations

import csv
import resource
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from helpers.clips import Clip, corners, make_clip, read_back
from helpers.jobs import cli, environment, make_scene, mot_rows, records, start
from helpers.places import ROOT
from mot_dinov3.config import SourceConfig
from mot_dinov3.runs.session import open_frames

FRAMES = 800
KEPT = ("--save-csv", "o.csv", "--save-embeddings", "o.npz", "--save-jsonl", "o.jsonl")
OUTPUTS = ("--no-video", "--save-crops", "crops", "--crops-per-id", "5000", *KEPT)


@pytest.fixture(scope="module")
def long_scene(tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("long"), FRAMES)


@pytest.fixture(scope="module")
def words(long_scene, mean_colour):
    """Arguments that track the long scene and embed everybody in every frame."""
    source, det = str(long_scene / "clip.mp4"), f"mot:{long_scene / 'det.txt'}"
    model = ("--embedder", "onnx", "--embed-model", str(mean_colour), "--backend", "onnx")
    return ["--source", source, "--det", det, "--device", "cpu", *model, "--embed-all"]


def start_and_wait(words, cwd, lines=60):
    """Start a long run and return once it has tracked `lines` frames."""
    process = start(*words, *OUTPUTS, cwd=cwd)
    growing = cwd / "o.partial.jsonl"
    for _ in range(3000):
        if growing.exists() and growing.read_text().count("\n") >= lines:
            return process
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    raise AssertionError("the run did not get going")


def read_frames(path):
    """The pictures that a run sees."""
    with open_frames(SourceConfig(source=str(path))) as reader:
        return [frame.image for frame in reader]


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def pictures(directory):
    """Every crop, decoded; one that is not whole fails."""
    found = {}
    for path in directory.rglob("*.jpg"):
        image = cv2.imread(str(path))
        assert image is not None, path
        found[f"{path.parent.name}/{path.name}"] = image
    return found


def test_what_a_kill_leaves_is_readable(words, long_scene, tmp_path):
    process = start_and_wait(words, tmp_path)
    process.kill()
    process.communicate()
    text = (tmp_path / "o.partial.csv").read_text()
    whole = text[: text.rindex("\n") + 1]
    assert len(text) - len(whole) < 200
    assert all(line.count(",") == 12 for line in whole.splitlines())
    assert len(pictures(tmp_path / "crops.partial")) > 100
    rows = np.load(tmp_path / "o.partial.npz")
    assert len(rows) > 100
    np.testing.assert_allclose(np.linalg.norm(rows["vectors"], axis=1), 1, atol=1e-5)
    clip = str(long_scene / "clip.mp4")
    again = ("render", "--jsonl", "o.partial.jsonl", "--source", clip, "--output", "o.mp4", "-q")
    code, _, err = cli(*again, cwd=tmp_path)
    assert code == 0, err
    assert len(read_back(tmp_path / "o.mp4")) == (tmp_path / "o.partial.jsonl").read_text().count(
        "\n"
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_everything(words, tmp_path, number, code):
    process = start_and_wait(words, tmp_path)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    lines = records(tmp_path / "o.jsonl")
    tracks = [(line["frame"], track) for line in lines for track in line["tracks"]]
    rows = rows_of(tmp_path / "o.csv")
    assert [int(row["frame"]) for row in rows] == [frame for frame, _ in tracks]
    fresh = [(track["id"], frame) for frame, track in tracks if track["fresh"]]
    arrays = np.load(tmp_path / "o.npz")
    assert list(zip(arrays["id"].tolist(), arrays["frame"].tolist(), strict=True)) == fresh
    names = {f"{identity}/frame_{frame:06d}.jpg" for identity, frame in fresh}
    assert set(pictures(tmp_path / "crops")) == names
    assert not list(tmp_path.glob("*.partial*"))


def test_crops_of_a_clip_that_lies_on_its_side_are_upright(track, tmp_path):
    make_clip(tmp_path / "clip.mp4", Clip(frames=2, size=(64, 48), rotation=90))
    (tmp_path / "det.txt").write_text("1,-1,0,0,48,64,0.9\n2,-1,0,0,24,32,0.9\n")
    box = ("--source", "clip.mp4", "--det", "mot:det.txt", "--embedder", "none", "--cpu")
    code, err = track(*box, "--no-video", "--save-crops", "crops", "--crops-of", "seen", "-q")
    assert (code, err) == (0, "")
    found = pictures(tmp_path / "crops")
    upright = read_frames(tmp_path / "clip.mp4")[0]
    crop = found["1/frame_000000.jpg"]
    assert crop.shape == upright.shape == (64, 48, 3)
    assert corners(crop) == corners(upright)


def run_with_little_room(words, cwd, limit):
    """Run with a limit on the size of every file, as a disk that fills up."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), *words, "--no-video"],
        cwd=cwd, env=environment(), capture_output=True, text=True, check=False, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_full_disk_cuts_the_table_and_keeps_the_tracks(words, tmp_path):
    err = run_with_little_room(
        [*words, "--save-csv", "o.csv", "--save-mot", "o.txt"], tmp_path, 60_000
    )
    assert "error: Cannot write 'o.csv'" in err
    assert not (tmp_path / "o.csv").exists()
    last = int(rows_of(tmp_path / "o.partial.csv")[-2]["frame"])
    assert mot_rows(tmp_path / "o.txt")[-1, 0] >= last


def test_a_full_disk_cuts_the_embeddings(words, tmp_path):
    err = run_with_little_room([*words, "--save-embeddings", "o.npz"], tmp_path, 6000)
    assert "error: Cannot write 'o.npz'" in err
    assert "numpy.load reads" in err
    assert not (tmp_path / "o.npz").exists()
    kept = np.load(tmp_path / "o.partial.npz")
    assert len(kept) > 50
    assert kept["frame"].tolist() == sorted(kept["frame"])


def test_a_full_disk_cuts_the_crops_and_keeps_the_tracks(words, tmp_path):
    err = run_with_little_room(
        [*words, "--save-crops", "crops", "--save-mot", "o.txt"], tmp_path, 400
    )
    assert "error: Cannot write 'crops'" in err
    assert not (tmp_path / "crops").exists()
    assert pictures(tmp_path / "crops.partial") == {}
    assert mot_rows(tmp_path / "o.txt")[0, 0] == 1
