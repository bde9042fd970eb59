"""`eval detector` as a user runs it, on frames of a drawn world."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from helpers.labelled import train_detector, write_squares
from helpers.places import ASSETS
from helpers.tiny_detectors import save_processor, save_tiny_detector
from mot_dinov3.commands import main
from mot_dinov3.commands.eval_detector import format_cell
from mot_dinov3.data.synthetic.reader import open_world
from mot_dinov3.errors import EXIT_INPUT, EXIT_MODEL, EXIT_OK, EXIT_USAGE
from mot_dinov3.io.checkpoint import load_checkpoint

for _package in ("torchmetrics", "faster_coco_eval"):
    pytest.importorskip(_package, reason="the extra [train] is not installed")
WEIGHTS = ASSETS / "weights" / "yolov8n_deq.pt"
COCO = ASSETS / "det" / "coco128"
NAMES = {0: "person", 2: "car"}
FRAMES = (40, 120, 200)
MOVED = 0.3
"""How far wrong boxes are from the right ones, in pictures."""


@pytest.fixture(scope="module")
def streets(tmp_path_factory):
    """A data.yaml of frames of a drawn street; split `val` is right, in `test` boxes moved."""
    root = tmp_path_factory.mktemp("streets")
    world = open_world("synthetic:crossings:7")
    for split in ("val", "test"):
        for kind in ("images", "labels"):
            (root / split / kind).mkdir(parents=True)
    for index in FRAMES:
        frame, truth = world.frame(index)
        height, width = frame.image.shape[:2]
        seen = truth.visibility > 0.4
        xyxy = truth.xyxy[seen].clip(0, [width, height] * 2) / ([width, height] * 2)
        centre, side = (xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]
        for split, moved in (("val", 0.0), ("test", MOVED)):
            cv2.imwrite(str(root / split / "images" / f"{index}.png"), frame.image)
            rows = np.hstack([(centre + moved) % 1, side])
            lines = [
                f"{number} {' '.join(f'{value:.6f}' for value in row)}\n"
                for number, row in zip(truth.class_id[seen], rows, strict=True)
            ]
            (root / split / "labels" / f"{index}.txt").write_text("".join(lines))
    cv2.imwrite(str(root / "val" / "images" / "empty.png"), np.full((90, 160, 3), 90, np.uint8))
    (root / "val" / "images" / "torn.png").write_bytes(b"no picture")
    (root / "val" / "labels" / "torn.txt").write_text("9 0.5 0.5 0.1 0.1\n0 0.5 0.5\n")
    (root / "data.yaml").write_text(
        f"names: {json.dumps(NAMES)}\nval: val/images\ntest: test/images\n".replace('"', "")
    )
    return root / "data.yaml"


def measure(data, tmp_path, *words, det="demo", imgsz="640"):
    out = tmp_path / "figures.json"
    words = ["--det", det, "--data", str(data), "--imgsz", imgsz, "--device", "cpu", *words]
    assert main(["eval", "detector", *words, "--json", str(out)]) == EXIT_OK
    return json.loads(out.read_text())


def test_a_detector_is_measured_and_what_is_left_out_is_said(streets, tmp_path, capsys):
    found = measure(streets, tmp_path, "--per-class")
    said = capsys.readouterr().out
    assert found["all"]["ap50"] > 0.5
    assert found["all"]["ap50"] > found["all"]["mean_ap"] >= 0
    assert found["classes"].keys() <= {"person", "car"}
    assert (found["pictures"], found["unreadable"]) == (len(FRAMES) + 1, 1)
    assert found["left_out"] == {"class": 1, "line": 1}
    title, everything, *_ = said.splitlines()
    assert title.split() == ["mAP", "AP50", "AP75", "small", "medium", "large",
                             "AR", "1", "AR", "10", "AR", "300"]  # fmt: skip
    assert everything.split()[:3] == ["all", f"{found['all']['mean_ap']:.3f}",
                                      f"{found['all']['ap50']:.3f}"]  # fmt: skip
    assert "\nperson " in said
    assert "4 pictures, 1 of them empty" in said
    assert "1 picture cannot be read." in said
    assert "Left out: 1 line that is not a class and four numbers (" in said
    assert everything.split().count("-") == list(found["all"].values()).count(None)


def test_a_size_that_no_picture_shows_is_a_dash():
    assert (format_cell(None).strip(), format_cell(0.0).strip()) == ("-", "0.000")


def test_boxes_at_wrong_places_give_nothing(streets, tmp_path):
    assert measure(streets, tmp_path, "--split", "test")["all"]["ap50"] < 0.15


def test_a_folder_of_transformers_is_a_detector(streets, tmp_path, capsys):
    folder = save_tiny_detector("RTDetrV2", tmp_path / "model")
    save_processor("RTDetrImageProcessor", folder, size={"height": 96, "width": 96})
    found = measure(streets, tmp_path, det=str(folder), imgsz="960")
    assert found["title"].startswith("model 96x96 px, torch")
    assert 0 <= found["all"]["ap50"] < 0.1
    assert "The detector does not know car." in capsys.readouterr().out


def test_a_run_of_train_detector_is_a_detector(tmp_path, capsys):
    data = write_squares(tmp_path / "data")
    train_detector(tmp_path / "run", data)
    found = measure(data, tmp_path, det=str(tmp_path / "run"), imgsz="960")
    assert found["title"].startswith("run 96x")
    trained = load_checkpoint(tmp_path / "run", "detr").metrics
    assert found["all"]["ar300"] == pytest.approx(trained["ar300"], abs=1e-4)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--det", "motion"], EXIT_USAGE, "belongs to one video"),
        (["--det", "hf:./nowhere"], EXIT_MODEL, "does not exist"),
        (["--det", "demo", "--split", "train"], EXIT_USAGE, "has no split 'train'"),
        (["--det", "demo", "--conf", "2"], EXIT_USAGE, "--conf must be between 0 and 1"),
        (["--det", "demo", "--data", "gone.yaml"], EXIT_INPUT, "Cannot read 'gone.yaml'"),
    ],
)
def test_what_cannot_be_measured_ends_with_a_sentence(words, code, said, streets, capsys):
    data = [] if "--data" in words else ["--data", str(streets)]
    assert main(["eval", "detector", *words, *data]) == code
    assert said in capsys.readouterr().err


@pytest.mark.skipif(not WEIGHTS.is_file() or not COCO.is_dir(), reason="assets are not here")
def test_yolo_on_photographs(tmp_path):
    """Sixteen photographs; the figures of all are in docs/results/detectors.md."""
    names = [line for line in (COCO / "names.txt").read_text().splitlines() if line]
    pictures = sorted((COCO / "images" / "train2017").glob("*.jpg"))[:16]
    (tmp_path / "some.txt").write_text("".join(f"{path}\n" for path in pictures))
    (tmp_path / "data.yaml").write_text(f"names: {json.dumps(names)}\nval: some.txt\n")
    found = measure(tmp_path / "data.yaml", tmp_path, det=str(WEIGHTS), imgsz="320")
    assert found["all"]["ap50"] > 0.4
    words = ("--as-tracked",)
    tracked = measure(tmp_path / "data.yaml", tmp_path, *words, det=str(WEIGHTS), imgsz="320")
    assert tracked["all"]["ar300"] < found["all"]["ar300"]
    assert found["all"]["ar1"] <= found["all"]["ar10"] <= found["all"]["ar300"]
