"""`crops`: from a video, a frame log or a ground truth to folders of identities."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.clips import Clip, make_clip
from helpers.jobs import make_scene, replay
from mot_dinov3.commands import main
from mot_dinov3.data.reid.crops import read_crops
from mot_dinov3.data.reid.tracklets import find_cannot_links
from mot_dinov3.errors import EXIT_INPUT, EXIT_OK, EXIT_OUTPUT, EXIT_USAGE


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A clip, its detections, the frame log of a run, and a ground truth."""
    folder = make_scene(tmp_path_factory.mktemp("scene"))
    assert main([*replay(folder), "--no-video", "-q", f"--save-jsonl={folder / 'o.jsonl'}"]) == 0
    rows = []
    for frame in range(1, 31):
        left = 8 + 2 * frame
        boxes = ((1, 20, "1,1"), (2, 70, "1,3"), (3, 45, "0,1"))
        rows += [f"{frame},{who},{left},{top},20,40,{kind},1" for who, top, kind in boxes]
    (folder / "gt.txt").write_text("\n".join(rows))
    (folder / "late.txt").write_text("\n".join("10" + row for row in rows))
    return folder


def crops(out, *words):
    return main(["crops", "--out", str(out), *map(str, words)])


def test_a_video_a_frame_log_and_a_ground_truth_give_the_same(scene, tmp_path, capsys):
    source = ("--source", scene / "clip.mp4")
    assert crops(tmp_path / "a", *replay(scene)) == EXIT_OK
    said = capsys.readouterr().out
    assert "camera 1: 32 crops of 2 tracklets of 2 tracks; boxes left out: none\n" in said
    assert f"train reid --continual --tracklets --unlabeled {tmp_path / 'a'}" in said
    assert crops(tmp_path / "b", *source, "--jsonl", scene / "o.jsonl", "-q") == EXIT_OK
    assert crops(tmp_path / "c", *source, "--gt", scene / "gt.txt") == EXIT_OK
    assert f"train reid --data {tmp_path / 'c'}" in capsys.readouterr().out
    assert crops(tmp_path / "d", *source, "--gt", scene / "gt.txt", "--classes=car", "-q") == 0
    tracked, logged, known, cars = (read_crops(tmp_path / name) for name in "abcd")
    assert [path.name for path in tracked.paths] == [path.name for path in logged.paths]
    assert known.names == ("0001", "0002")
    assert [len(one) for one in (tracked, logged, known, cars)] == [32, 32, 32, 16]
    assert find_cannot_links(known).tolist() == [[0, 1]]


def test_several_sources_are_several_cameras_and_more_can_be_added(scene, tmp_path, capsys):
    out = tmp_path / "out"
    two = ["--source", scene / "clip.mp4", scene / "clip.mp4"]
    logs = ["--jsonl", scene / "o.jsonl", scene / "o.jsonl"]
    assert crops(out, *two, *logs, "-q") == EXIT_OK
    before = {path: path.read_bytes() for path in out.rglob("*.jpg")}
    assert crops(out, *two, *logs) == EXIT_OUTPUT
    assert "--add" in capsys.readouterr().err
    assert crops(out, *two[:2], *logs[:2], "--add", "--camera=2", "-q") == EXIT_OK
    found = read_crops(out)
    assert found.names == tuple(f"{number:04d}" for number in range(1, 7))
    assert sorted({*zip(found.camera.tolist(), found.sequence.tolist(), strict=True)}) == [
        (1, 1), (2, 1), (2, 2),
    ]  # fmt: skip
    assert {path: path.read_bytes() for path in before} == before
    assert sorted(path.name for path in out.iterdir()) == list(found.names)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("--gt gt.txt", EXIT_USAGE, "--source is missing"),
        ("--jsonl o.jsonl", EXIT_USAGE, "--source video.mp4 --jsonl o.jsonl"),
        ("--source clip.mp4 --jsonl o.jsonl --gt gt.txt", EXIT_USAGE, "both tell the tracks"),
        ("--source clip.mp4 --gt gt.txt --conf 0.3", EXIT_USAGE, "--conf does nothing beside --gt"),
        ("--source clip.mp4 --gt gt.txt gt.txt", EXIT_USAGE, "2 files of tracks"),
        ("--gt no.txt", EXIT_INPUT, "'no.txt' is not a file"),
        ("--source clip.mp4 --jsonl gt.txt", EXIT_INPUT, "line 1"),
        ("--source small.mp4 --jsonl o.jsonl", EXIT_INPUT, "160x120"),
        ("--source small.mp4 --gt gt.txt", EXIT_INPUT, "Most boxes of"),
        ("--source clip.mp4 --gt gt.txt --classes bus", EXIT_USAGE, "no class 'bus'"),
        ("--source clip.mp4 --gt gt.txt --min-size 90", EXIT_INPUT, "smaller --min-size"),
        ("--source clip.mp4 --gt late.txt", EXIT_INPUT, "none of the frames"),
        ("--source clip.mp4 --gt gt.txt --out gt.txt", EXIT_OUTPUT, "not a directory"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(scene, monkeypatch, capsys, words, code, said):
    monkeypatch.chdir(scene)
    if not Path("small.mp4").exists():
        make_clip(Path("small.mp4"), Clip(frames=30))
    assert crops("new", *words.split(" ")) == code
    assert said in capsys.readouterr().err
    assert not Path("new").exists()
