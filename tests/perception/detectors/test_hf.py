"""`--det hf:`: every family as transformers itself reads it, runs, and what is refused."""

from __future__ import annotations

import json
import logging
from importlib.util import find_spec

import cv2
import numpy as np
import pytest

from helpers.hub_fixtures import hub  # noqa: F401 - a fixture
from helpers.tiny_detectors import FAMILIES, NAMES, save_processor, save_tiny_detector
from mot_dinov3.commands import main
from mot_dinov3.config import DetectorConfig, DeviceConfig
from mot_dinov3.errors import EXIT_MODEL, EXIT_OK, ModelError, UsageError
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.perception.detectors.set_detector import score_queries
from mot_dinov3.perception.hub.problems import GatedModelError
from mot_dinov3.values import Frame

SMALL = {"size": {"shortest_edge": 96, "longest_edge": 160}}
SQUARE = {"size": {"height": 96, "width": 96}}
PROCESSORS = {
    "Detr": ("DetrImageProcessor", SMALL),
    "ConditionalDetr": ("ConditionalDetrImageProcessor", SMALL),
    "DabDetr": ("ConditionalDetrImageProcessor", SMALL),
    "DeformableDetr": ("DeformableDetrImageProcessor", SMALL),
    "RTDetr": ("RTDetrImageProcessor", SQUARE),
    "RTDetrV2": ("RTDetrImageProcessor", SQUARE),
    "DFine": ("RTDetrImageProcessor", SQUARE),
    "RfDetr": ("RfDetrImageProcessor", SQUARE),
    "Yolos": ("YolosImageProcessor", SMALL),
}
ALL_QUERIES = ("DetrImage", "YolosImage", "RTDetrImage")
"""Processors that are not told how many boxes they answer with."""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Function from a family to a directory with model and processor; each is written once."""
    root = tmp_path_factory.mktemp("models")

    def find(family="Detr"):
        folder = root / family
        if not folder.is_dir():
            save_tiny_detector(family, folder)
            name, settings = PROCESSORS[family]
            save_processor(name, folder, **settings)
        return folder

    return find


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8)


def build(folder, *, floor=0.0, run=None, **settings):
    config = DetectorConfig(f"hf:{folder}", conf=floor, low_conf=floor, **settings)
    return create_detector(config, "cpu", run)


def find_with_transformers(folder, image):
    """(Q, 6) xyxy, score and class of the best class of each query, by transformers alone."""
    import torch
    import transformers

    processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    model = transformers.AutoModelForObjectDetection.from_pretrained(folder).eval()
    inputs = processor(images=image[..., ::-1].copy(), return_tensors="pt")
    with torch.inference_mode():
        outputs = model(**inputs)
    name = type(processor).__name__
    more = {} if name.startswith(ALL_QUERIES) else {"top_k": outputs.logits[0].numel()}
    (found,) = processor.post_process_object_detection(
        outputs, threshold=0.0, target_sizes=[image.shape[:2]], **more
    )
    rows = np.concatenate(
        [
            found["boxes"].numpy(),
            found["scores"].numpy()[:, None],
            found["labels"].numpy()[:, None],
        ],
        axis=1,
    )
    rows[:, :4] = rows[:, :4].clip(0, [image.shape[1], image.shape[0]] * 2)
    return rows[np.argsort(-rows[:, 4], kind="stable")]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_read_as_transformers_reads_it(family, models, picture):
    detector = build(models(family))
    found = detector.detect(Frame(0, 0.0, picture))
    assert len(found) > 5
    assert detector.names == NAMES
    wanted = find_with_transformers(models(family), picture)
    ours = np.concatenate([found.xyxy, found.score[:, None], found.class_id[:, None]], axis=1)
    listed = ours[ours[:, 4] > wanted[-1, 4] - 1e-6]
    assert len(listed) > 2
    for row in listed:  # it lists the best pairs of query and class
        apart = np.abs(wanted[:, :4] - row[:4]).max(axis=1) + 100 * np.abs(wanted[:, 4] - row[4])
        best = apart.argmin()
        assert apart[best] < 0.7  # a grey level of the resizing, and rounding
        assert wanted[best, 5] == row[5]
    assert ours[0, 4] == pytest.approx(wanted[0, 4], abs=5e-3)
    assert (np.diff(found.score) <= 0).all()


@pytest.mark.parametrize("family", ["Detr", "DeformableDetr", "RTDetrV2", "DFine"])
def test_it_tracks_a_clip(family, models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip").mkdir()
    image = np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8)
    for index in range(6):
        cv2.imwrite(str(tmp_path / "clip" / f"{index}.png"), image)
    words = ["--source", "clip", "--det", f"hf:{models(family)}", "--embedder", "none",
             "--conf", "0.01", "--low-conf", "0.01", "--no-video", "--device", "cpu",
             "--save-jsonl", "o.jsonl", "--stats-json", "s.json"]  # fmt: skip
    assert main(words) == EXIT_OK
    stats = json.loads((tmp_path / "s.json").read_text())
    assert stats["detector"].startswith(f"{family} ")
    assert "torch fp32, cpu" in stats["detector"]
    said = (tmp_path / "o.jsonl").read_text()
    assert '"person"' in said or '"head"' in said
    assert stats["tracks"]["born"] > 0


def test_frames_in_one_pass_give_what_each_gives_alone(models, picture):
    detector = build(models("RTDetr"))
    frames = [Frame(0, 0.0, picture), Frame(0, 0.0, picture[::-1].copy()),
              Frame(0, 0.0, picture[:, :60].copy())]  # fmt: skip
    for one, frame in zip(detector.detect_batch(frames), frames, strict=True):
        alone = detector.detect(frame)
        assert one.xyxy == pytest.approx(alone.xyxy, abs=0.01)
        assert one.class_id.tolist() == alone.class_id.tolist()


def test_portrait_and_landscape_pictures_with_a_border(models, tmp_path, picture):
    folder = save_tiny_detector("Detr", tmp_path / "m")
    save_processor("DetrImageProcessor", folder, size={"shortest_edge": 96, "longest_edge": 160},
                   pad_size={"height": 96, "width": 160})  # fmt: skip
    detector = build(folder)
    for image in (picture[:, :120], picture.transpose(1, 0, 2), picture[:, :50]):
        found = detector.detect(Frame(0, 0.0, np.ascontiguousarray(image)))
        assert len(found) > 5
        assert (found.xyxy[:, 2] <= image.shape[1]).all()
    wanted = find_with_transformers(folder, np.ascontiguousarray(picture[:, :120]))
    found = detector.detect(Frame(0, 0.0, np.ascontiguousarray(picture[:, :120])))
    inner = 128 / 160  # 120 x 90 becomes 128 x 96; transformers gives shares of the whole input
    assert found.xyxy[0, 0] == pytest.approx(min(wanted[0, 0] / inner, 120), abs=1)


def test_conf_classes_and_imgsz(models, picture):
    frame = Frame(0, 0.0, picture)
    everything = build(models()).detect(frame)
    half = float(np.median(everything.score))
    above = build(models(), floor=half).detect(frame)
    assert len(above) == (everything.score > half).sum()
    heads = build(models(), classes="head").detect(frame)
    assert heads.class_id.tolist() == [1] * int((everything.class_id == 1).sum())
    detector = build(models(), imgsz=320)
    detector.warm_up(160, 90)
    assert detector.title == "Detr 320x180 px, torch fp32, cpu"
    with pytest.raises(UsageError, match="has no class 'dog'"):
        build(models(), classes="dog")


def test_its_fingerprint_is_that_of_its_files(models, tmp_path):
    other = save_tiny_detector("Detr", tmp_path / "other", seed=1)
    marks = [build(folder).fingerprint for folder in (models(), models(), other)]
    assert marks[0] == marks[1] != marks[2]


def test_without_a_processor_the_family_decides(tmp_path, picture):
    rt_detr = save_tiny_detector("RTDetr", tmp_path / "rt")
    detector = build(rt_detr)
    detector.warm_up(160, 90)
    assert " 640x640 px" in detector.title
    windows = build(save_tiny_detector("RfDetr", tmp_path / "rf"))
    windows.warm_up(160, 90)
    assert " 96x96 px" in windows.title


def test_a_model_of_another_task_is_refused(tmp_path):
    import transformers

    config = transformers.ViTConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
                                    intermediate_size=8, image_size=32)  # fmt: skip
    transformers.ViTForImageClassification(config).save_pretrained(tmp_path / "vit")
    with pytest.raises(
        ModelError, match="is a ViTForImageClassification, not a detector"
    ) as caught:
        build(tmp_path / "vit")
    assert "rt_detr_v2" in caught.value.fix
    folder = save_tiny_detector("Detr", tmp_path / "detr")
    change_json(folder / "config.json", architectures=["DetrForSegmentation"])
    with pytest.raises(ModelError, match="is a DetrForSegmentation"):
        build(folder)


def change_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.skipif(find_spec("timm") is not None, reason="timm is installed")
def test_a_backbone_of_a_package_that_is_not_there_names_it(tmp_path):
    folder = save_tiny_detector("Detr", tmp_path / "detr")
    change_json(folder / "config.json", use_timm_backbone=True, backbone="resnet50",
                backbone_config=None)  # fmt: skip
    with pytest.raises(ModelError, match="package 'timm'") as caught:
        build(folder)
    assert caught.value.fix.endswith("pip install timm")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda at: (at / "model.safetensors").unlink(), "has no safetensors weights"),
        (lambda at: (at / "model.safetensors").write_bytes(b"\0" * 9), "safetensors file of"),
        (lambda at: (at / "config.json").unlink(), "has no config.json"),
        (lambda at: change_json(at / "config.json", decoder_ffn_dim=24), "another shape"),
        (lambda at: change_json(at / "config.json", encoder_layers=2), "missing"),
        (lambda at: (at / "preprocessor_config.json").write_text("{"), "preprocessor_config.json"),
        (lambda at: change_json(at / "config.json", id2label={"0": "person"}), "shape|classes"),
    ],
)
def test_a_damaged_model_is_refused_with_advice_for_detectors(damage, said, tmp_path):
    folder = save_tiny_detector("Detr", tmp_path / "m")
    save_processor("DetrImageProcessor", folder, **SMALL)
    damage(folder)
    with pytest.raises(ModelError, match=said) as caught:
        build(folder)
    assert "embed" not in caught.value.fix


def test_a_directory_that_is_not_there_ends_with_a_sentence(capsys, tmp_path):
    assert main(["--source", "synthetic:street", "--det", f"hf:{tmp_path / 'x'}"]) == EXIT_MODEL
    said = capsys.readouterr().err
    assert "does not exist" in said
    assert "embed" not in said
    assert "PekingU/rtdetr_v2_r18vd" in said
    with pytest.raises(UsageError, match="names no model"):
        create_detector(DetectorConfig("hf:"), "cpu")


def test_a_backend_that_cannot_run_it_is_refused(models):
    with pytest.raises(UsageError, match="--backend onnx cannot run this model"):
        build(models(), run=DeviceConfig(backend="onnx"))
    with pytest.raises(UsageError, match="--half needs a CUDA device"):
        build(models(), run=DeviceConfig(half=True))


def test_a_model_comes_from_the_hub_or_says_why_not(hub, models, picture, caplog):  # noqa: F811
    hub.serve("acme/detr", models())
    assert len(build("acme/detr").detect(Frame(0, 0.0, picture))) > 5
    hub.gate("acme/secret", fake_message())
    with pytest.raises(GatedModelError) as caught:
        build("acme/secret")
    assert "embed" not in caught.value.fix
    assert "--det" in caught.value.fix
    assert not [row for row in caplog.records if row.levelno >= logging.WARNING]


def fake_message():
    from mot_dinov3.lab.selftest.fake_hub import RESTRICTED

    return RESTRICTED


def test_scores_of_queries():
    logits = np.array([[2.0, 0.0, 2.0], [0.0, 1.0, -1.0]], np.float32)
    score, class_id = score_queries(logits, has_nothing=True)
    assert class_id.tolist() == [0, 1]
    assert score == pytest.approx([np.e**2 / (2 * np.e**2 + 1), np.e / (1 + np.e + 1 / np.e)])
    score, class_id = score_queries(logits, has_nothing=False)
    assert (score[1], class_id[1]) == (pytest.approx(1 / (1 + np.exp(-1))), 1)
    extreme = np.array([[-1e4, 1e4]], np.float32)
    assert score_queries(extreme, has_nothing=False)[0].tolist() == [1.0]
