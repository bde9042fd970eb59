from __future__ import annotations

import pytest

from helpers.moving_square import write_otb
from helpers.places import ASSETS
from mot_dinov3.data.single_object.factory import READERS, read_sequences
from mot_dinov3.errors import UnknownNameError, UsageError


def test_the_word_before_the_colon_says_what_is_read(tmp_path):
    write_otb(tmp_path / "one")
    assert [one.name for one in read_sequences(f"otb:{tmp_path}")] == ["one"]


def test_a_frame_log_needs_no_word_before_it(tmp_path):
    with pytest.raises(UsageError, match=r"run\.jsonl' does not name its video"):
        read_sequences(str(tmp_path / "run.jsonl"))


@pytest.mark.parametrize("spec", ["", "folder", "otb:", "mot: "])
def test_what_says_no_kind_is_refused_with_the_kinds_there_are(spec):
    with pytest.raises(UsageError, match="--data") as caught:
        read_sequences(spec)
    assert "got10k:DIR" in caught.value.fix


def test_an_unknown_kind_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="got10"):
        read_sequences("got10:x")


def test_every_reader_can_be_loaded():
    assert all(callable(READERS.load(name)) for name in READERS)


@pytest.mark.skipif(not (ASSETS / "sot").is_dir(), reason="the shared test assets are not here")
def test_the_real_sequences_are_read_whole():
    found = {one.name: one for one in read_sequences(f"otb:{ASSETS / 'sot'}")}
    assert {name: len(one) for name, one in found.items()} == {
        "DragonBaby": 113,
        "FaceOcc1": 300,
        "Human3": 199,
        "uav123_person12_1": 201,
        "vot15_bag": 196,
        "wtracking_cam2": 320,
    }
    assert found["Human3"].boxes[0].tolist() == [264, 311, 301, 380]
    assert all(one.known.all() for one in found.values())
