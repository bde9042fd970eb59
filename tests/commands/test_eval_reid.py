"""`eval reid` as a user runs it, on drawn crops and with an embedder that looks at colours."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from mot_dinov3.commands import main
from mot_dinov3.commands.eval_reid import SWITCHES
from mot_dinov3.errors import EXIT_INPUT, EXIT_MODEL, EXIT_OK, EXIT_USAGE
from mot_dinov3.io.checkpoint import CheckpointConfig, ModelCheckpoint, save_checkpoint
from mot_dinov3.perception.features.base import EmbedderKind
from mot_dinov3.perception.features.factory import EMBEDDERS

PEOPLE = 6


class Halves:
    """The mean colours of the left and the right half of each box."""

    device, dim, title, whole_frame = "cpu", 6, "halves", False

    def embed(self, image, xyxy):
        rows = []
        for x1, y1, x2, y2 in xyxy.astype(int).tolist():
            middle = (x1 + x2) // 2
            parts = image[y1:y2, x1:middle], image[y1:y2, middle:x2]
            rows.append(np.concatenate([part.mean(axis=(0, 1)) for part in parts]))
        rows = np.array(rows)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


HALVES = EmbedderKind(lambda config, place: Halves())


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """A set of six people by two cameras, the second of which is red; each crop of its own size."""
    load = EMBEDDERS.load
    monkeypatch.setitem(EMBEDDERS.table, "halves", ("", "colours of halves"))
    monkeypatch.setattr(EMBEDDERS, "load", lambda name: HALVES if name == "halves" else load(name))
    rng = np.random.default_rng(0)
    colours = rng.integers(20, 200, (PEOPLE, 2, 3))
    tints = {1: np.zeros(3, int), 2: np.array([0, 0, 140])}
    for who, (left, right) in enumerate(colours):
        for place, shots in (("query", 1), ("bounding_box_test", 2)):
            (tmp_path / place).mkdir(exist_ok=True)
            for camera, tint in tints.items():
                for shot in range(shots):
                    image = np.zeros((20 + 3 * who + shot, 10 + 2 * shot, 3), np.uint8)
                    image[:, : image.shape[1] // 2] = np.clip(left + tint, 0, 255)
                    image[:, image.shape[1] // 2 :] = np.clip(right + tint, 0, 255)
                    image = np.clip(image + rng.normal(0, 12, 3), 0, 255).astype(np.uint8)
                    name = f"{who:04d}_c{camera}s1_{shot:06d}_00.png"
                    cv2.imwrite(str(tmp_path / place / name), image)
    return tmp_path


def evaluated(folder, *words, ckpt="halves:x"):
    return main(["eval", "reid", "--ckpt", ckpt, "--data", str(folder), *words])


def test_words_of_the_command_are_those_of_the_room():
    from mot_dinov3.evaluation.reid.variants import CAMERAS, FLIP, RERANK

    assert tuple(SWITCHES) == (FLIP, CAMERAS, RERANK)


def test_every_switch_has_a_row_and_all_of_them_one(drawn, capsys):
    words = ("--flip", "--rerank", "--camera-norm", "--json", str(drawn / "out.json"))
    assert evaluated(drawn, *words) == EXIT_OK
    head, *rows, counts, model, gate = capsys.readouterr().out.splitlines()
    assert head.split() == ["rank-1", "rank-5", "rank-10", "mAP", "mINP"]
    together = "flip + camera-norm + jaccard"
    names = ["euclidean", "flip", "camera-norm", "jaccard", together]
    assert [row[: len(together)].rstrip() for row in rows] == names
    assert counts == "12 queries, 24 gallery pictures, 6 identities, 2 cameras"
    assert model.startswith("halves: 36 pictures in ")
    document = json.loads((drawn / "out.json").read_text())
    figures = document["rankings"]
    assert list(figures) == names
    assert figures["camera-norm"]["mean_ap"] > figures["euclidean"]["mean_ap"] + 0.1
    assert f"{figures['euclidean']['mean_ap']:.3f}" in rows[0]
    assert len({row["mean_ap"] for row in figures.values()}) == len(names)
    assert document["cosine_gate"]["error"] < 0.4
    assert gate.startswith(f"cosine gate {document['cosine_gate']['cosine']:.3f}: ")
    assert (document["k1"], document["k2"]) == (15, 4)


@pytest.mark.parametrize(("words", "rows"), [((), 1), (("--flip",), 2)])
def test_without_switches_there_is_one_row(drawn, capsys, words, rows):
    assert evaluated(drawn, *words) == EXIT_OK
    assert len(capsys.readouterr().out.splitlines()) == 1 + rows + 3


def test_damaged_pictures_are_left_out_and_counted(drawn, capsys):
    (drawn / "query" / "0001_c1s1_000000_00.png").write_bytes(b"x")
    for picture in (drawn / "bounding_box_test").glob("0003_c2*"):
        picture.write_bytes(picture.read_bytes()[:60])
    assert evaluated(drawn) == EXIT_OK
    counts = capsys.readouterr().out.splitlines()[2]
    assert counts.startswith("11 queries, 1 of them without a match to find, 22 gallery pictures")
    assert counts.endswith("3 pictures unreadable")


REMOVED = {
    "empty": lambda path: path.parent.name == "query",
    "gone": lambda path: path.parent.name == "query",
    "one identity": lambda path: path.name[3] != "1",
    "one camera": lambda path: "_c2" in path.name,
}


def spoil(drawn, how):
    for path in sorted(drawn.glob("*/*.png")):
        if how == "corrupt" and path.parent.name == "query":
            path.write_bytes(b"no picture")
        elif how in REMOVED and REMOVED[how](path):
            path.unlink()
    if how == "gone":
        (drawn / "query").rmdir()


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("corrupt", "None of the 12 pictures of '"),
        ("empty", "it holds no image files"),
        ("gone", "has no folder 'query'"),
        ("one identity", "All pictures show the same identity"),
        ("one camera", "No query has a picture of its identity by another camera"),
    ],
)
def test_a_set_that_cannot_be_searched_is_one_sentence(drawn, capsys, how, says):
    spoil(drawn, how)
    model = "halves:x" if how == "corrupt" else "not/even/looked/for.onnx"
    assert evaluated(drawn, ckpt=model) == EXIT_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err.splitlines()[0]
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize(
    ("ckpt", "code", "says"),
    [
        ("gone.onnx", EXIT_MODEL, "The --ckpt 'gone.onnx' does not exist."),
        ("dnio:demo", EXIT_MODEL, "The --ckpt 'dnio:demo' does not exist."),
        (__file__, EXIT_USAGE, "is not a model that describes pictures."),
    ],
)
def test_a_model_that_is_none_is_one_sentence(drawn, capsys, ckpt, code, says):
    assert evaluated(drawn, ckpt=ckpt) == code
    assert says in capsys.readouterr().err.splitlines()[0]


def test_a_checkpoint_of_another_kind_is_one_sentence(drawn, capsys):
    save_checkpoint(drawn / "run", ModelCheckpoint(CheckpointConfig("detector"), {}, {}))
    assert evaluated(drawn, ckpt=str(drawn / "run")) == EXIT_MODEL
    said = capsys.readouterr().err
    assert "is of kind 'detector', and one of kind 'reid' is needed" in said
    assert "Traceback" not in said
