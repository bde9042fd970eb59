"""A YOLO run directly: the network for each size, answers of every kind, and the neck."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from mot_dinov3.config import DetectorConfig
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.perception.backends.choice import Choice
from mot_dinov3.perception.detectors.about import About
from mot_dinov3.perception.detectors.base import NeckFeatures
from mot_dinov3.perception.detectors.yolo import MOST_NETWORKS, YoloDetector
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.values import Frame


class FakeSource:
    """Networks that answer what they are told, and remember what they were asked."""

    def __init__(self, *answers, size=None, final=False, neck=True):
        self.name, self.choice, self.device = "some.pt", Choice("openvino", "bf16"), "cpu"
        self.about = About({0: "person", 1: "car", 2: "bus"}, "detect", final=final)
        self.answers, self.size, self.has_neck = answers, size, neck
        self.selects = False
        self.loaded, self.seen = [], []

    def get_fixed_size(self):
        return self.size

    def keep_neck(self):
        return self.has_neck

    def network(self, size):
        self.loaded.append(size)

        def run(pixels):
            self.seen.append(pixels)
            return tuple(self.answers)

        return run


def row(cx, cy, w, h, *scores):
    return np.array([cx, cy, w, h, *scores], np.float32).reshape(1, -1, 1)


def picture(width=640, height=384):
    return Frame(0, 0.0, np.zeros((height, width, 3), np.uint8))


def detector(source, **settings):
    return YoloDetector(DetectorConfig(imgsz=640, **settings), source)


def test_the_network_has_the_shape_of_the_picture_and_is_loaded_once(caplog):
    source = FakeSource(row(320, 192, 64, 32, 0.9, 0, 0))
    ours = detector(source)
    assert ours.title == "some.pt 640 px, OpenVINO bf16, cpu"
    assert source.loaded == []
    with caplog.at_level(logging.INFO):
        ours.warm_up(768, 432)
        found = ours.detect(picture(768, 432))
    assert source.loaded == [(384, 640)]
    assert [pixels.shape for pixels in source.seen] == [(1, 3, 384, 640)] * 2
    np.testing.assert_allclose(found.xyxy, [[345.6, 196.8, 422.4, 235.2]], atol=0.01)
    assert ours.title == "some.pt 640x384 px, OpenVINO bf16, cpu"
    assert caplog.messages == ["detector: some.pt 640x384 px, OpenVINO bf16, cpu"]


def test_a_source_may_change_its_size():
    source = FakeSource(row(100, 100, 20, 20, 0.9, 0, 0))
    ours = detector(source)
    for width, height in ((640, 384), (384, 640), (640, 384), (640, 640)):
        ours.detect(picture(width, height))
    assert source.loaded == [(384, 640), (640, 384), (640, 640)]
    for height in (64, 96, 128):
        ours.detect(picture(640, height))
    assert len(ours._networks) == MOST_NETWORKS
    ours.detect(picture(640, 384))
    assert source.loaded[-1] == (384, 640)


def test_an_export_of_one_size_is_fed_that_size():
    source = FakeSource(row(320, 320, 64, 32, 0.9, 0, 0), size=(640, 640))
    found = detector(source).detect(picture(640, 384))
    assert source.seen[0].shape == (1, 3, 640, 640)
    np.testing.assert_allclose(found.xyxy, [[288, 176, 352, 208]], atol=0.01)


def test_floor_and_classes_are_kept():
    answer = np.concatenate(
        (row(50, 50, 20, 20, 0.5, 0, 0), row(150, 50, 20, 20, 0, 0.15, 0),
         row(250, 50, 20, 20, 0, 0.05, 0)), axis=2)  # fmt: skip
    ours = detector(FakeSource(answer), classes="car", conf=0.4, low_conf=0.1)
    found = ours.detect(picture())
    np.testing.assert_allclose(found.score, [0.15])
    with pytest.raises(UsageError, match="no class 'tram'"):
        detector(FakeSource(answer), classes="tram")


@pytest.mark.parametrize("final", [True, False])
def test_finished_boxes_are_taken_as_they_are(final):
    rows = np.array([[[10, 20, 60, 80, 0.9, 2], [11, 21, 61, 81, 0.8, 0]]], np.float32)
    found = detector(FakeSource(rows, final=final)).detect(picture())
    assert found.xyxy.tolist() == [[10, 20, 60, 80], [11, 21, 61, 81]]
    assert found.class_id.tolist() == [2, 0]


@pytest.mark.parametrize("shape", [(2, 7, 30), (7, 30)])
def test_another_kind_of_answer_is_refused(shape):
    with pytest.raises(ModelError, match="answers one picture with shape"):
        detector(FakeSource(np.zeros(shape, np.float32))).detect(picture())


def raw_maps(neck=()):
    """One certain box in cell (2, 3) of the coarser of two levels, one bin a side."""
    boxes = [np.ones((1, 4, 48, 80), np.float32), np.ones((1, 4, 24, 40), np.float32)]
    scores = [np.full((1, 3, 48, 80), -9, np.float32), np.full((1, 3, 24, 40), -9, np.float32)]
    scores[1][0, 1, 2, 3] = 2.0
    return (*boxes, *scores, *neck)


def test_raw_maps_are_decoded_here():
    found = detector(FakeSource(*raw_maps())).detect(picture())
    assert found.xyxy.tolist() == [[40, 24, 72, 56]]
    assert found.class_id.tolist() == [1]
    np.testing.assert_allclose(found.score, [1 / (1 + np.exp(-2))], rtol=1e-5)


def test_the_neck_comes_with_the_boxes_when_asked_for():
    neck = (
        np.arange(48 * 80, dtype=np.float32).reshape(1, 1, 48, 80),
        np.ones((1, 2, 24, 40), np.float32),
    )
    source = FakeSource(*raw_maps())
    ours = detector(source)
    assert isinstance(ours, NeckFeatures)
    ours.detect(picture())
    assert ours.neck is None
    assert ours.keep_neck()
    source.answers = raw_maps(neck)
    found = ours.detect(picture(1280, 768))
    assert source.loaded == [(384, 640)] * 2
    assert [level.shape for level in ours.neck.maps] == [(1, 48, 80), (2, 24, 40)]
    assert found.xyxy.tolist() == [[80, 48, 144, 112]]
    assert ours.neck.cells(found.xyxy, 0).tolist() == [[5, 3, 9, 7]]
    assert ours.neck.cells(found.xyxy, 1).tolist() == [[2.5, 1.5, 4.5, 3.5]]


def test_a_network_without_a_neck_says_so():
    ours = detector(FakeSource(row(50, 50, 20, 20, 0.9, 0, 0), neck=False))
    assert not ours.keep_neck()
    assert len(ours.detect(picture())) == 1
    assert ours.neck is None


@pytest.mark.parametrize(("backend", "sent"), [("torch", 1), ("openvino", 0)])
def test_an_upload_is_shared_where_torch_runs(backend, sent):
    torch = pytest.importorskip("torch")
    source = FakeSource(row(320, 192, 64, 32, 0.9, 0, 0))
    source.choice = Choice(backend, "fp32")
    ours, upload = detector(source), FrameUpload("cpu")
    ours.share(upload)
    frame = picture(768, 432)
    alone = detector(FakeSource(row(320, 192, 64, 32, 0.9, 0, 0))).detect(frame)
    np.testing.assert_array_equal(ours.detect(frame).xyxy, alone.xyxy)
    assert isinstance(source.seen[0], torch.Tensor) == (backend == "torch")
    assert upload.sent == sent


def test_an_upload_to_another_device_is_not_shared():
    source = FakeSource(row(320, 192, 64, 32, 0.9, 0, 0))
    source.choice = Choice("torch", "fp32")
    ours = detector(source)
    ours.share(FrameUpload("cuda:1"))
    ours.detect(picture())
    assert isinstance(source.seen[0], np.ndarray)


class BatchSource(FakeSource):
    """Answers each picture of a batch with a box as far right as it is bright."""

    def __init__(self, backend="torch", **more):
        super().__init__(**more)
        self.choice = Choice(backend, "fp32")

    def network(self, size):
        self.loaded.append(size)

        def run(pixels):
            self.seen.append(pixels)
            bright = [float(one.mean()) for one in pixels]
            return (np.concatenate([row(100 + 200 * b, 100, 40, 40, 0.9, 0, 0) for b in bright]),)

        return run


def grey(value, width=640, height=384):
    return Frame(0, 0.0, np.full((height, width, 3), value, np.uint8))


def test_a_batch_finds_in_each_picture_what_it_finds_alone():
    source = BatchSource()
    ours = detector(source)
    frames = [grey(0), grey(255, 384, 640), grey(128), grey(64, 384, 640)]
    together = ours.detect_batch(frames)
    assert [pixels.shape for pixels in source.seen] == [(2, 3, 384, 640), (2, 3, 640, 384)]
    for frame, found in zip(frames, together, strict=True):
        alone = ours.detect(frame)
        np.testing.assert_allclose(found.xyxy, alone.xyxy, atol=1e-4)
        assert len(found) == 1


def test_torch_gains_from_batches_where_the_input_is_free():
    assert detector(BatchSource("torch")).gains_from_batches
    assert not detector(BatchSource("openvino")).gains_from_batches
    assert not detector(BatchSource("torch", size=(64, 64))).gains_from_batches
    ours = detector(BatchSource("torch"))
    ours.keep_neck()
    assert not ours.gains_from_batches, "the neck is that of one picture"


def candidate(picture, x, y, *rest, side):
    """A row of `decode_candidates`: a box of `side` cells to each side of the centre."""
    return [picture, x, y, *rest, *[side] * 4]


def test_a_network_may_answer_with_candidates_for_all_its_pictures():
    table = [
        candidate(0, 20.5, 12.5, 16, 1, 2.0, side=2.0),
        candidate(1, 10.5, 12.5, 16, 0, 3.0, side=1.0),
        candidate(1, 10.5, 12.5, 16, 2, 1.0, side=1.0),
    ]
    neck = np.arange(8, dtype=np.float32).reshape(2, 1, 2, 2)
    source = FakeSource(np.array(table, np.float32), neck)
    source.selects = True
    ours = detector(source)
    assert ours.keep_neck()
    first, second = ours.detect_batch([picture(), picture()])
    assert first.xyxy.tolist() == [[296, 168, 360, 232]]
    assert first.class_id.tolist() == [1]
    np.testing.assert_allclose(first.score, 1 / (1 + np.exp(-2.0)), rtol=1e-6)
    assert second.xyxy.tolist() == [[152, 184, 184, 216]]  # the other one overlaps it
    assert second.class_id.tolist() == [0]
    assert ours.neck.maps[0].tolist() == neck[1].tolist()


def test_without_candidates_nothing_is_found():
    source = FakeSource(np.empty((0, 70), np.float32))
    source.selects = True
    assert len(detector(source).detect(picture())) == 0
