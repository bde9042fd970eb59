"""`cache` and `replay` as a user runs them, and what they say of wrong input."""

from __future__ import annotations

import json
import os

import pytest

from helpers.jobs import FRAMES, make_scene, tiny_onnx
from mot_dinov3.commands import main
from mot_dinov3.commands.replay import sweep
from mot_dinov3.errors import EXIT_INPUT, EXIT_OK, EXIT_USAGE
from mot_dinov3.io.read.sources import plain_name
from mot_dinov3.lab.recordings.store import read_recording

pytest.importorskip("onnx", reason="the extra [dev] is not installed")
pytest.importorskip("onnxruntime", reason="the extra [onnx] is not installed")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in os.environ:
        if name.startswith("MOT_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    directory = make_scene(tmp_path_factory.mktemp("scene"))
    tiny_onnx(directory / "a.onnx")
    rows = [f"{n + 1},{k + 1},{10 + 2 * n},{top},20,40,1,1,1"
            for n in range(FRAMES) for k, top in enumerate((20, 70))]  # fmt: skip
    (directory / "gt.txt").write_text("\n".join(rows) + "\n")
    return directory


def cached(scene, out, *words):
    return main(["cache", str(scene / "clip.mp4"), "--det", f"mot:{scene / 'det.txt'}",
                 "--embedder", "onnx", "--embed-model", str(scene / "a.onnx"), "--device", "cpu",
                 "--truth", str(scene / "gt.txt"), "--out", str(out), *words])  # fmt: skip


@pytest.fixture(scope="module")
def kept(scene, tmp_path_factory):
    out = tmp_path_factory.mktemp("cache")
    assert cached(scene, out, "-q") == EXIT_OK
    return out


def replayed(kept, out, *words):
    return main(["replay", "--cache", str(kept), "--out", str(out), "-q", *words])


def test_a_cache_holds_the_clip_and_its_truth(kept):
    cache = read_recording(kept / "clip.npz")
    assert cache.origin.frames == len(cache.clip) == FRAMES
    assert cache.dim == 3
    assert len(cache.truth) == 2 * FRAMES
    assert cache.setup.embedder.startswith("a.onnx")
    assert cache.setup.detector == "stored detections"
    assert cache.costs.embed_ms[1] > 0


def test_what_is_there_is_kept_untouched(scene, kept, capsys):
    before = (kept / "clip.npz").stat().st_mtime_ns
    assert cached(scene, kept) == EXIT_OK
    assert capsys.readouterr().out.startswith("kept ")
    assert (kept / "clip.npz").stat().st_mtime_ns == before


def test_other_settings_weights_boxes_or_pictures_are_refused(scene, kept, tmp_path, capsys):
    assert cached(scene, kept, "--crop-pad", "0.5") == EXIT_USAGE
    assert "crop_pad 0.12 and 0.5" in capsys.readouterr().err
    assert cached(scene, kept, "--max-frames", "5") == EXIT_USAGE
    assert "(5 frames of" in capsys.readouterr().err
    other = make_scene(tmp_path, frames=12)
    data = (scene / "a.onnx").read_bytes()
    (other / "a.onnx").write_bytes(data.replace(b"mean_colour", b"lean_colour"))
    (other / "gt.txt").write_text("1,1,10,20,20,40,1,1,1\n")
    assert cached(other, kept) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "(30 frames of 160x120" in said
    assert "(12 frames of 160x120" in said
    assert "with other weights" in said
    assert "other detections" in said
    assert "--replace" in said
    assert read_recording(kept / "clip.npz").origin.frames == FRAMES


def test_replace_records_again(scene, tmp_path):
    assert cached(scene, tmp_path, "-q", "--max-frames", "4") == EXIT_OK
    assert cached(scene, tmp_path, "-q", "--replace") == EXIT_OK
    assert read_recording(tmp_path / "clip.npz").origin.frames == FRAMES


def test_a_damaged_cache_is_a_sentence_for_both_commands(scene, kept, tmp_path, capsys):
    (tmp_path / "clip.npz").write_bytes((kept / "clip.npz").read_bytes()[:700])
    assert replayed(tmp_path, tmp_path / "out") == EXIT_INPUT
    assert "not a usable cache: it is cut short or damaged" in capsys.readouterr().err
    assert cached(scene, tmp_path) == EXIT_INPUT


def test_a_replay_writes_a_table_a_document_and_a_picture_the_same_every_time(
    kept, tmp_path, capsys
):
    pytest.importorskip("trackeval", reason="the extra [eval] is not installed")
    words = ("--policies", "continuity", "interval:1,4", "oracle", "--budgets", "0", "9",
             "--crops", "1", "--keep-mot")  # fmt: skip
    texts = []
    for name in "ab":
        assert replayed(kept, tmp_path / name, *words) == EXIT_OK
        texts.append(capsys.readouterr().out)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert {str(file) for file in files} >= {"table.txt", "replay.json", "replay.html"}
    assert len(files) == 3 + 2 + 4 * 3
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file
    assert texts[0] == texts[1] == (tmp_path / "a" / "table.txt").read_text()
    source = json.loads((tmp_path / "a" / "replay.json").read_text())["sources"]["clip"]
    assert source["quality"] == "HOTA"
    assert {row["policy"] for row in source["points"]} == {
        "never", "always", "continuity", "interval:1", "interval:4", "oracle"
    }  # fmt: skip


def test_always_is_the_main_job_with_embed_all(scene, kept, tmp_path):
    pytest.importorskip("trackeval", reason="the extra [eval] is not installed")
    assert main(["--source", str(scene / "clip.mp4"), "--det", f"mot:{scene / 'det.txt'}",
                 "--embedder", "onnx", "--embed-model", str(scene / "a.onnx"), "--embed-all",
                 "--device", "cpu", "--no-video", "-q",
                 "--save-mot", str(tmp_path / "all.txt")]) == EXIT_OK  # fmt: skip
    assert replayed(kept, tmp_path / "r", "--policies", "always", "--keep-mot") == EXIT_OK
    played = tmp_path / "r" / "mot" / "clip" / "always.txt"
    assert played.read_bytes() == (tmp_path / "all.txt").read_bytes()
    assert len(played.read_bytes()) > 1000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--policies", "nevr"], "Did you mean never?", id="an unknown policy"),
        pytest.param(["--policies", "interval:x"], "needs a number", id="a wrong argument"),
        pytest.param(["--budgets", "-1"], "must be 0 or more", id="a negative budget"),
        pytest.param(["--budgets", "nan"], "must be 0 or more", id="no number"),
        pytest.param(["--shares", "120"], "percentages", id="a share over 100"),
        pytest.param(["--embed-policy", "never"], "does not take --embed-policy", id="own flag"),
        pytest.param(["--embed-hard-budget"], "has no budget to enforce", id="hard without"),
    ],
)
def test_wrong_words_are_told_before_anything_is_played(words, said, kept, tmp_path, capsys):
    assert replayed(kept, tmp_path / "out", *words) == EXIT_USAGE
    out = capsys.readouterr()
    assert said in out.err
    assert out.out == ""
    assert not (tmp_path / "out").exists()


def test_caches_of_other_settings_are_not_put_into_one_table(scene, kept, tmp_path, capsys):
    assert cached(scene, tmp_path, "-q", "--crop-pad", "0.4") == EXIT_OK
    (tmp_path / "clip.npz").rename(tmp_path / "padded.npz")
    assert main(["replay", "--cache", str(kept), str(tmp_path), "-q"]) == EXIT_USAGE
    assert "cannot be compared: crop_pad 0.12 and 0.4" in capsys.readouterr().err


def test_a_preset_with_camera_motion_is_recorded_without_pictures(scene, tmp_path, capsys):
    words = ["--tracker", "strongsort", "--embedder", "none"]
    (tmp_path / "seqinfo.ini").write_text(
        "[Sequence]\nname=s\nframeRate=25\nseqLength=9\nimWidth=640\nimHeight=480\n"
    )
    code = main(["cache", f"mot:{tmp_path}", "--det", f"mot:{scene / 'det.txt'}",
                 "--out", str(tmp_path), *words])  # fmt: skip
    assert code == EXIT_OK
    assert "wrote" in capsys.readouterr().out


def test_a_source_is_recorded_the_same_whatever_came_before_it(tmp_path):
    """A background is learned anew: without one, a first picture shows nothing that moves."""
    words = ("--det", "motion", "--embedder", "none", "--device", "cpu", "--max-frames", "30")
    sources = ("synthetic:crossings", "synthetic:pan")
    for directory, names in (("both", sources), ("alone", sources[1:])):
        out = tmp_path / directory
        assert main(["cache", *names, "--out", str(out), "-q", *words]) == EXIT_OK
    kept = [read_recording(tmp_path / name / "pan.npz") for name in ("both", "alone")]
    frames = [recording.clip.frames for recording in kept]
    assert len(frames[0][0].detections) == 0
    after, alone = ([take.detections.xyxy.tolist() for take in one.values()] for one in frames)
    assert after == alone
    assert set(kept[0].truth.frame_index) <= set(frames[0]), "no frame is drawn for its truth alone"


def test_an_empty_place_says_how_to_make_a_cache(tmp_path, capsys):
    assert replayed(tmp_path, tmp_path / "out") == EXIT_INPUT
    assert "python cli.py cache --source video.mp4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([], "--source is missing", id="no source"),
        pytest.param(["a.mp4", "b.mp4", "--truth", "gt.txt"], "belongs to one source", id="truth"),
        pytest.param(["none.mp4"], "does not exist", id="no such file"),
    ],
)
def test_wrong_sources_are_told(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["cache", *words, "--out", "kept"]) != EXIT_OK
    assert said in capsys.readouterr().err
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("clips/walk one.mp4", "walk-one"),
        ("MOT17-04-FRCNN/", "MOT17-04-FRCNN"),
        ("mot:data/seq.7", "seq.7"),
        ("synthetic:crossings", "crossings"),
        ("synthetic:crossings:7", "crossings-7"),
        ("///", "source"),
    ],
)
def test_a_cache_is_named_after_its_source(source, name):
    assert plain_name(source) == name


def test_commas_sweep_an_argument():
    assert sweep(["interval:1,2", "never", "value", "interval:2"]) == [
        "interval:1", "interval:2", "never", "value"
    ]  # fmt: skip


@pytest.mark.parametrize("words", [["--cmc", "flow"], ["--tracker", "strongsort"]])
def test_a_recording_has_no_pictures_to_follow_the_camera_in(kept, tmp_path, capsys, words):
    assert replayed(kept, tmp_path, "--policies", "never", *words) == EXIT_USAGE
    told = capsys.readouterr().err.splitlines()
    assert "no pictures for --cmc flow" in told[0]
    assert "--cmc none" in told[1]
    assert replayed(kept, tmp_path, "--policies", "never", *words, "--cmc", "none") == EXIT_OK
