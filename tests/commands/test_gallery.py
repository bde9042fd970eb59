"""The command `gallery`: enrolment from pictures, and every wrong word refused in a sentence."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mot_dinov3.commands import gallery as gallery_command
from mot_dinov3.commands import gallery_enrolment
from mot_dinov3.errors import MotError
from mot_dinov3.io.formats.identity_gallery import read_gallery
from mot_dinov3.values import Detections


class ColourEmbedder:
    """The mean colour of a box."""

    title, fingerprint, device = "colours", "c", "cpu"

    def embed(self, image, xyxy):
        means = [image[int(y) : int(v), int(x) : int(u)].mean(axis=(0, 1)) for x, y, u, v in xyxy]
        out = np.array(means, np.float32).reshape(-1, 3)
        return out / np.linalg.norm(out, axis=1, keepdims=True)


class CornerDetector:
    """A person in the left half of bright pictures."""

    def __init__(self):
        self.names = {0: "person"}

    def detect(self, frame):
        if frame.image.mean() < 20:
            return Detections.empty()
        half = np.array([[0, 0, frame.width / 2, frame.height]], np.float32)
        return Detections(half, np.ones(1, np.float32), np.zeros(1, np.int64))


@pytest.fixture(autouse=True)
def models(monkeypatch):
    def load(config, *, detects):
        return gallery_enrolment.Models(ColourEmbedder(), CornerDetector() if detects else None)

    monkeypatch.setattr(gallery_enrolment, "load_models", load)


def pictures(folder, colour, count=3):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image = np.full((20, 10, 3), colour, np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), image)
    return folder


def gallery(*words):
    return gallery_command.run(gallery_command.parser().parse_args([str(word) for word in words]))


def test_a_folder_of_folders_is_enrolled_listed_named_merged_and_removed(tmp_path, capsys):
    path, root = tmp_path / "g.npz", tmp_path / "people"
    pictures(root / "anna", (255, 0, 0))
    pictures(root / "bob", (0, 255, 0))
    (root / "bob" / "torn.png").write_bytes(b"no picture")
    assert gallery("enrol", path, "--folder", root) == 0
    assert gallery("enrol", path, "--folder", root / "anna", "--name", "anna") == 0
    known = read_gallery(path).identities
    assert [(one.name, len(one.vectors)) for one in known.values()] == [("anna", 6), ("bob", 3)]
    gallery("rename", path, "bob", "Robert")
    gallery("show", path, "Robert")
    assert "2  Robert: person, 3 embeddings" in capsys.readouterr().out
    gallery("merge", path, "1", "2")
    gallery("list", path)
    assert "1 identity, made with colours" in capsys.readouterr().out
    gallery("remove", path, "anna")
    assert read_gallery(path).identities == {}


def test_with_a_detector_pictures_without_the_object_are_passed_over(tmp_path, capsys):
    folder = pictures(tmp_path / "anna", (255, 0, 0))
    cv2.imwrite(str(folder / "dark.png"), np.zeros((20, 10, 3), np.uint8))
    gallery("enrol", tmp_path / "g.npz", "--folder", folder, "--det", "motion")
    assert "1 picture without a person" in capsys.readouterr().err
    assert len(read_gallery(tmp_path / "g.npz").identities[1].vectors) == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("enrol", "g.npz"), "needs --folder"),
        (("enrol", "g.npz", "--folder", "missing"), "is not a folder"),
        (("enrol", "g.npz", "--folder", "empty"), "holds no pictures"),
        (("enrol", "g.npz", "--folder", "dark", "--det", "motion"), "without a person"),
        (("enrol", "g.npz", "--folder", "anna", "--embedder", "none"), "needs an embedder"),
        (("enrol", "g.npz", "--folder", "anna", "--name", "7"), "is not a name"),
        (("enrol", "g.npz", "--folder", ".", "--name", "x"), "--name names one"),
        (("enrol", "anna/0.png", "--folder", "anna"), "is not a gallery"),
        (("list", "missing.npz"), "is not a file"),
        (("rename", "known.npz", "anna"), "takes WHO NAME after the file, got anna"),
        (("remove", "known.npz", "zoe"), "knows no 'zoe'"),
        (("list", "known.npz", "--name", "x"), "belong to gallery enrol"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path / "anna", (255, 0, 0))
    pictures(tmp_path / "dark", (0, 0, 1))
    (tmp_path / "empty").mkdir()
    gallery("enrol", "known.npz", "--folder", "anna")
    with pytest.raises(MotError, match=sentence):
        gallery(*words)
