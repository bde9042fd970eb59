"""The file of a recording: what is written is read, and nothing else is believed."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from helpers.recordings import recording
from mot_dinov3.errors import InputError, OutputError
from mot_dinov3.lab.recordings.recording import describe_recording
from mot_dinov3.lab.recordings.store import read_recording, write_recording


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "clip.npz"
    write_recording(recording(), path)
    return path


def rewrite(path, **changes):
    """The same file with some arrays replaced, or left out for None."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    arrays = {name: value for name, value in (arrays | changes).items() if value is not None}
    np.savez(path, **arrays)


def said(path, **changes):
    words = json.loads(np.load(path)["meta"].tobytes()) | changes
    return np.frombuffer(json.dumps(words).encode(), np.uint8)


def test_what_is_written_is_read(kept):
    before, after = recording(), read_recording(kept)
    assert describe_recording(after) == describe_recording(before)
    assert list(after.clip.frames) == list(before.clip.frames)
    assert after.clip.frame_wh == (640, 480)
    for index, take in before.clip.frames.items():
        read = after.clip.frames[index]
        assert read.time_s == take.time_s
        np.testing.assert_array_equal(read.vectors, take.vectors)
        np.testing.assert_array_equal(read.detections.xyxy, take.detections.xyxy)
        assert read.vectors.dtype == np.float32
    np.testing.assert_array_equal(after.truth.xyxy, before.truth.xyxy)
    np.testing.assert_array_equal(after.truth.track_id, before.truth.track_id)


def test_truth_and_warps_may_be_missing_or_there(tmp_path):
    warps = np.tile(np.eye(2, 3, dtype=np.float32), (60, 1, 1))
    write_recording(replace(recording(known=False), warps=warps), tmp_path / "a.npz")
    read = read_recording(tmp_path / "a.npz")
    assert read.truth is None
    np.testing.assert_array_equal(read.warps, warps)


def test_nothing_is_left_of_a_write_that_fails(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", broken)
    with pytest.raises(OutputError, match="No space left"):
        write_recording(recording(), tmp_path / "clip.npz")
    assert not list(tmp_path.iterdir())


def test_an_interrupted_write_leaves_the_old_file(kept, monkeypatch):
    before = kept.read_bytes()

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_recording(recording(weights="w2"), kept)
    assert kept.read_bytes() == before
    assert list(kept.parent.iterdir()) == [kept]


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.99])
def test_a_file_that_is_cut_short_is_refused(kept, keep):
    whole = kept.read_bytes()
    kept.write_bytes(whole[: int(keep * len(whole)) if keep < 1 else keep])
    with pytest.raises(InputError, match="not a usable cache"):
        read_recording(kept)


def test_a_flipped_byte_is_noticed(kept):
    whole = bytearray(kept.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    kept.write_bytes(whole)
    with pytest.raises(InputError, match="not a usable cache"):
        read_recording(kept)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param({"format": 99}, "format 99", id="format"),
        pytest.param({"version": "0.0.1"}, "version 0.0.1 made it", id="version"),
        pytest.param({"origin": 3}, "makes no sense", id="no origin"),
        pytest.param({"costs": {"embed_ms": {"1": -2}, "stages_ms": {}}}, "makes no sense",
                     id="a cost below zero"),
        pytest.param({"names": []}, "makes no sense", id="no names"),
    ],
)  # fmt: skip
def test_what_it_says_about_itself_is_checked(kept, words, reason):
    rewrite(kept, meta=said(kept, **words))
    with pytest.raises(InputError, match=reason):
        read_recording(kept)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"xyxy": None}, id="an array is missing"),
        pytest.param({"score": np.zeros(3, np.float32)}, id="too few scores"),
        pytest.param({"xyxy": np.full((300, 4), np.nan, np.float32)}, id="boxes of NaN"),
        pytest.param({"xyxy": np.zeros((300, 4))}, id="another kind of number"),
        pytest.param({"first_row": np.arange(61)[::-1].copy()}, id="rows in disorder"),
        pytest.param({"frame_index": np.zeros(60, np.int64)}, id="a frame twice"),
        pytest.param({"extra": np.zeros(2)}, id="an unknown array"),
        pytest.param({"truth_xyxy": None}, id="half a truth"),
        pytest.param({"meta": np.frombuffer(b"{]", np.uint8)}, id="no words"),
        pytest.param({"warps": np.zeros((2, 2, 3), np.float32)}, id="too few warps"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(kept, changes):
    rewrite(kept, **changes)
    with pytest.raises(InputError, match="not a usable cache"):
        read_recording(kept)


def member(path, name, data):
    """Replace one member of the archive by raw bytes."""
    with zipfile.ZipFile(path) as archive:
        others = {i.filename: archive.read(i) for i in archive.infolist() if i.filename != name}
    with zipfile.ZipFile(path, "w") as archive:
        for other, content in others.items():
            archive.writestr(other, content)
        archive.writestr(name, data)


def test_a_pickle_is_never_run(kept, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    body = io.BytesIO()
    np.lib.format.write_array(body, np.array([Bomb()], object), allow_pickle=True)
    for data in (body.getvalue(), pickle.dumps(Bomb())):
        member(kept, "class_id.npy", data)
        with pytest.raises(InputError, match="not a usable cache"):
            read_recording(kept)
    assert not (tmp_path / "ran").exists()


def test_a_promise_of_more_than_there_is_takes_no_memory(kept):
    body = io.BytesIO()
    head = {"descr": "<f4", "fortran_order": False, "shape": (1 << 40, 512)}
    np.lib.format.write_array_header_1_0(body, head)
    member(kept, "vectors.npy", body.getvalue() + b"\0" * 64)
    with pytest.raises(InputError, match="impossible shape"):
        read_recording(kept)


def test_a_compressed_file_is_not_unpacked(kept):
    with np.load(kept) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez_compressed(kept, **arrays)
    with pytest.raises(InputError, match="holds something unknown"):
        read_recording(kept)


def test_no_file_at_all_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="Cannot read"):
        read_recording(tmp_path / "none.npz")
