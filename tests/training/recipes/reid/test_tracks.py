"""Tracks of sequences as pictures in memory, and sequences that cannot be learned from."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.drawn_sequence import draw_sequence
from mot_dinov3.errors import InputError
from mot_dinov3.training.recipes.reid import tracks
from mot_dinov3.training.recipes.reid.tracks import Cutting, find_sequences, read_tracks

CUTTING = Cutting(4, 1.0, (64, 32))


def test_tracks_of_several_sequences_are_identities_in_order_of_time(tmp_path):
    for name in ("b", "a10", "a2"):
        draw_sequence(tmp_path / name, 2, frames=9)
    (tmp_path / "notes").mkdir()
    assert [path.name for path in find_sequences(tmp_path)] == ["a2", "a10", "b"]
    crops = read_tracks(tmp_path, CUTTING).crops
    assert crops.names == ("a2/1", "a2/2", "a10/1", "a10/2", "b/1", "b/2")
    assert crops.identity.tolist() == np.repeat(range(6), 9).tolist()
    assert crops.frame.tolist() == [*range(9)] * 6
    assert crops.camera.tolist() == np.repeat([1, 2, 3], 18).tolist()


def test_pictures_are_as_much_larger_than_their_boxes_as_is_asked_for(tmp_path, monkeypatch):
    cut = []

    def note(image, size):
        cut.append(image.shape)
        return np.zeros((3, *size), np.uint8)

    monkeypatch.setattr(tracks, "fit_crop", note)
    folder = draw_sequence(tmp_path / "one", 2, frames=8)
    read_tracks(folder, CUTTING)
    assert set(cut) == {(64, 32, 3)}
    cut.clear()
    read_tracks(folder, Cutting(4, 1.25, (64, 32)))
    assert max(width for _, width, _ in cut) == 40


def test_long_tracks_are_spread_over_time_and_bad_pictures_passed_over(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(tracks, "MOST", 10)
    folder = draw_sequence(tmp_path / "long", 2, frames=30)
    frames = read_tracks(folder, CUTTING).crops.frame
    assert (frames[:10] // 3).tolist() == [*range(10)]
    (folder / "img1" / f"{frames[4] + 1:06d}.png").write_bytes(b"nonsense")
    loaded = read_tracks(folder, CUTTING)
    assert (len(loaded.crops), loaded.unreadable) == (18, 1)
    assert "1 picture could not be read" in caplog.text


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "gt" / "gt.txt").unlink(), "has a ground truth"),
        (lambda folder: (folder / "seqinfo.ini").unlink(), "no seqinfo.ini"),
        (lambda folder: [p.unlink() for p in (folder / "img1").iterdir()], "no pictures"),
        (lambda folder: keep_track(folder, "1"), "one track alone"),
        (lambda folder: keep_track(folder, "9"), "the longest has 0 boxes"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(tmp_path, spoil, said):
    folder = draw_sequence(tmp_path / "street", 2, frames=9)
    spoil(folder)
    with pytest.raises(InputError, match=said):
        read_tracks(folder, CUTTING)


def keep_track(folder, who):
    path = folder / "gt" / "gt.txt"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if line.split(",")[1] == who))


def test_clips_that_are_longer_than_tracks_and_folders_that_are_not_there_are_refused(tmp_path):
    folder = draw_sequence(tmp_path / "street", 2, frames=9)
    with pytest.raises(InputError, match=r"--clip-len 5 boxes .* the longest has 9 boxes"):
        read_tracks(folder, Cutting(5, 1.0, (64, 32)))
    with pytest.raises(InputError, match="does not exist"):
        read_tracks(tmp_path / "nowhere", CUTTING)
