"""A GPU's encoder is taken where it opens; one that works here stands in for it."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from mot_dinov3.io.write import encoders
from mot_dinov3.io.write.encoders import ENCODERS, FORMATS, NVENC, Encoder, can_open, encoders_for
from mot_dinov3.io.write.encoding import Encoding, Shape

SIZE = (64, 48)
STAND_IN = Encoder("mpeg4", {"flags": "+qscale", "global_quality": "590"}, 60_000)


@pytest.fixture
def gpu(monkeypatch):
    """A machine whose driver has found a GPU."""
    monkeypatch.setattr(encoders, "may_have_gpu", lambda: True)
    return monkeypatch


def test_what_opens_on_the_gpu_comes_first(gpu):
    gpu.setitem(ENCODERS, NVENC, STAND_IN)
    for suffix in (".mp4", ".mov", ".mkv"):
        kind = FORMATS[suffix]
        assert encoders_for(kind, SIZE) == (NVENC, *kind.encoders)
    for suffix in (".webm", ".avi"):
        assert encoders_for(FORMATS[suffix], SIZE) == FORMATS[suffix].encoders


def test_without_a_gpu_it_is_not_even_tried(monkeypatch):
    monkeypatch.setattr(encoders, "may_have_gpu", lambda: False)
    monkeypatch.setattr(encoders, "can_open", None)
    assert encoders_for(FORMATS[".mp4"], SIZE) == FORMATS[".mp4"].encoders


def test_an_encoder_that_does_not_open_is_left_out(gpu):
    gpu.setitem(ENCODERS, NVENC, Encoder("no_such_codec"))
    assert encoders_for(FORMATS[".mp4"], SIZE)[0] == "libx264"
    gpu.setitem(ENCODERS, NVENC, STAND_IN)
    assert encoders_for(FORMATS[".mp4"], (0, 0))[0] == "libx264"


def test_a_driver_that_refuses_is_no_failure_of_the_file(gpu):
    def refuse(*given):
        raise av.error.PermissionError(1, "Operation not permitted")

    refusing = type("Refusing", (), {"create": staticmethod(refuse)})
    gpu.setattr(encoders.av, "CodecContext", refusing)
    assert not can_open(STAND_IN, SIZE)


def test_a_video_is_written_with_it(gpu, tmp_path):
    gpu.setitem(ENCODERS, NVENC, STAND_IN)
    path = tmp_path / "out.mp4"
    encoding = Encoding(path, FORMATS[".mp4"], 10.0, Shape(SIZE), None)
    for number in range(3):
        encoding.add(np.full((48, 64, 3), 80 * number, np.uint8), number / 10)
    encoding.finish()
    assert encoding.codec == "mpeg4"
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2])


@pytest.mark.gpu
def test_the_real_one_writes_a_video(tmp_path):
    size = (320, 240)
    if not can_open(ENCODERS[NVENC], size):
        pytest.skip("no NVENC here")
    path = tmp_path / "out.mp4"
    encoding = Encoding(path, FORMATS[".mp4"], 10.0, Shape(size), None)
    for number in range(5):
        encoding.add(np.full((240, 320, 3), 40 * number, np.uint8), number / 10)
    encoding.finish()
    assert encoding.codec == NVENC
    with av.open(str(path)) as container:
        means = [frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)]
        assert container.streams.video[0].average_rate == Fraction(10)
    assert means == sorted(means)
