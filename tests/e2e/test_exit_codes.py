from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from helpers.clips import Clip, make_clip, read_back
from helpers.jobs import cli, replay
from helpers.places import ROOT

MOTION = ("--det", "motion", "--embedder", "none", "--device", "cpu")
MODEL_CODE, DEVICE_CODE = 6, 7


def is_sentence_and_remedy(err):
    """One error line, indented remedies, nothing else."""
    first, *rest = err.strip().splitlines()
    return (
        first.startswith("error: ")
        and bool(rest)
        and all(line.startswith("  ") for line in rest)
        and "Traceback" not in err
    )


def cut_clip(path, share=0.66):
    """A clip with its index in front, so that what is left of it can be read."""
    whole = make_clip(path, Clip(frames=100, muxer_options=(("movflags", "faststart"),)))
    data = whole.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize(("name", "code"), [("a.bmp", 3), ("a.tif", 4)])
def test_codecs_of_pictures_say_nothing_of_their_own(tmp_path, name, code):
    rng = np.random.default_rng(1)
    pages = [Image.fromarray(rng.integers(0, 255, (60, 80, 3), np.uint8)) for _ in range(4)]
    more = {"save_all": True, "append_images": pages[1:]} if name == "a.tif" else {}
    pages[0].save(tmp_path / name, **more)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) * 3 // 4])
    words = [sys.executable, str(ROOT / "cli.py"), "--source", name, *MOTION, "--no-video", "-q"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == code
    assert is_sentence_and_remedy(done.stderr)


def test_a_whole_run_returns_0_and_says_what_it_wrote(scene, tmp_path):
    code, out, err = cli(*replay(scene, "--output", "o.mp4", "--save-mot", "o.txt"), cwd=tmp_path)
    assert (code, out) == (0, "")
    assert "30 frames in" in err
    assert err.strip().endswith("wrote o.mp4, o.txt")
    assert len(read_back(tmp_path / "o.mp4")) == 30


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "--source is missing"),
        (("--sorce", "x"), "Did you mean --source"),
        (("trakc",), "Did you mean track"),
        (("--source", "x", "--conf", "high"), "--conf: invalid float"),
        (("--source", "x", "--conf", "2"), "--conf must be between 0 and 1, got 2.0"),
        (("--source", "x", "--config", "no.toml"), "no.toml cannot be read"),
        (("--source", "x", "--conf", "0.3", "more"), "Unrecognized arguments: more"),
        (("--source", "x", "--embed-budget-ms", "5", "--embed-budget-crops", "2"), "Keep one"),
        (("--source", "x", "--embed-hard-budget"), "no budget to enforce"),
        (("--source", "x", "--cpu", "--device", "cuda"), "--cpu must be left out"),
    ],
)
def test_usage_is_2(track, words, says):
    code, err = track(*words)
    assert code == 2
    assert says in err
    assert is_sentence_and_remedy(err)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.mp4", None, "does not exist"),
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"these are words\n" * 9, "not a video"),
        ("nothing_*.jpg", None, "Nothing matches"),
    ],
)
def test_input_is_3(track, tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    code, err = track("--source", name, *MOTION)
    assert code == 3
    assert says in err
    assert is_sentence_and_remedy(err)
    assert not (tmp_path / "outputs").exists()


def test_sound_without_pictures_is_3(track, tmp_path):
    make_clip(tmp_path / "sound.mp4", Clip(audio="aac", video=False))
    code, err = track("--source", "sound.mp4", *MOTION)
    assert (code, "no video stream" in err) == (3, True)


def test_a_directory_without_images_is_3(track, tmp_path):
    (tmp_path / "frames").mkdir()
    code, err = track("--source", "frames", *MOTION)
    assert (code, "has no images" in err) == (3, True)


def test_no_frame_left_after_selection_is_3(track, scene, tmp_path):
    code, err = track(*replay(scene, "--start-frame", "30", "--output", "o.mp4", "-q"))
    assert code == 3
    assert "before --start-frame 30" in err
    assert not list(tmp_path.glob("o*"))


def test_a_cut_file_is_4_and_its_output_is_kept(track, tmp_path):
    cut_clip(tmp_path / "cut.mp4")
    words = ("--output", "o.mp4", "--stats-json", "s.json")
    code, err = track("--source", "cut.mp4", *MOTION, *words)
    assert code == 4
    assert "frames in" in err
    assert "missing frames" in err
    assert "damaged or cut short" in err
    assert "\n  Copy or record it again to track the rest.\n" in err
    assert 0 < len(read_back(tmp_path / "o.mp4")) < 100
    assert (tmp_path / "s.json").exists()


def test_a_cut_file_says_so_even_when_quiet(track, tmp_path):
    cut_clip(tmp_path / "cut.mp4")
    code, err = track("--source", "cut.mp4", *MOTION, "--no-video", "-q")
    assert code == 4
    assert err.startswith("error: 'cut.mp4' is damaged")


@pytest.mark.parametrize("linked", [False, True])
def test_the_output_is_never_the_input(track, scene, tmp_path, linked):
    source = tmp_path / "clip.mp4"
    source.write_bytes((scene / "clip.mp4").read_bytes())
    before = source.read_bytes()
    target = tmp_path / "link.mp4" if linked else source
    if linked:
        target.symlink_to(source)
    code, err = track("--source", source, *MOTION, "--output", target)
    assert code == 5
    assert "is the input itself" in err
    assert source.read_bytes() == before


@pytest.mark.parametrize("flag", ["--output", "--save-mot", "--save-jsonl", "--stats-json"])
def test_no_clobber_protects_every_output(track, scene, tmp_path, flag):
    (tmp_path / "old.mp4").write_text("old")
    code, err = track(*replay(scene, flag, "old.mp4", "--no-clobber"))
    assert (code, "--no-clobber is set" in err) == (5, True)
    assert (tmp_path / "old.mp4").read_text() == "old"


@pytest.mark.parametrize("flag", ["--save-mot", "--save-jsonl", "--stats-json"])
def test_a_full_disk_is_5(track, scene, flag):
    code, err = track(*replay(scene, "--no-video", "-q", flag, "/dev/full"))
    assert code == 5
    assert "No space left on device" in err
    assert is_sentence_and_remedy(err)


def test_figures_that_cannot_be_written_do_not_hide_the_summary(track, scene):
    code, err = track(*replay(scene, "--no-video", "--stats-json", "/dev/full"))
    assert code == 5
    assert "30 frames in" in err
    assert "error: Cannot write '/dev/full'" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission_is_5(track, scene, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o555)
    code, err = track(*replay(scene, "--output", "locked/o.mp4"))
    assert (code, "no permission" in err) == (5, True)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--output", "o.xyz"), 5, "Use one of: .mp4"),
        (("--output", ""), 2, "--output is empty"),
        (("--output", "a.mp4", "--save-mot", "a.mp4"), 2, "name the same file"),
        (("--embedder", "dimo"), 2, "Choose one of: clip, dense, detector, dino, none"),
    ],
)
def test_cheap_checks_come_before_any_model(track, scene, monkeypatch, words, code, says):
    def no_model(*_):
        raise AssertionError("a model was loaded first")

    monkeypatch.setattr("mot_dinov3.perception.detectors.factory.create_detector", no_model)
    got, err = track(*replay(scene, *words))
    assert got == code
    assert says in err


def test_unknown_classes_are_named_with_what_is_near(track, scene):
    code, err = track(*replay(scene, "--classes", "persn"))
    assert code == 2
    assert "no class 'persn'" in err
    assert "Did you mean person?" in err


@pytest.mark.slow
def test_weights_out_of_reach_are_6_and_offer_what_needs_none(scene, tmp_path):
    words = ("--source", scene / "clip.mp4", "--det", "yolov8n.pt", "--device", "cpu")
    code, _, err = cli(*words, cwd=tmp_path, HF_HUB_OFFLINE=1, HOME=tmp_path, YOLO_OFFLINE=1)
    assert code == MODEL_CODE
    assert is_sentence_and_remedy(err)
    assert re.search(r"--det motion --embed-model demo", err)
    assert not list(tmp_path.glob("outputs/*"))


@pytest.mark.slow
def test_an_embedder_out_of_reach_is_6(scene, tmp_path):
    words = ("--source", scene / "clip.mp4", "--det", "motion", "--device", "cpu")
    code, _, err = cli(*words, cwd=tmp_path, HF_HUB_OFFLINE=1, HOME=tmp_path)
    assert code == MODEL_CODE
    assert is_sentence_and_remedy(err)
    assert "facebook/dinov3-vitb16-pretrain-lvd1689m" in err


@pytest.mark.slow
def test_a_missing_device_is_7(scene, tmp_path):
    code, _, err = cli(*replay(scene), "--device", "cuda:9", cwd=tmp_path)
    assert code == DEVICE_CODE
    assert "--device cuda:9 was asked for" in err
    assert is_sentence_and_remedy(err)


def test_debug_shows_the_traceback(track):
    code, err = track("--source", "missing.mp4", "--debug")
    assert code == 3
    assert "Traceback (most recent call last)" in err
    assert "error: 'missing.mp4' does not exist." in err


def test_debug_is_heard_from_the_environment_too(track, monkeypatch):
    monkeypatch.setenv("MOT_DEBUG", "1")
    _, err = track("--source", "missing.mp4")
    assert "Traceback (most recent call last)" in err
