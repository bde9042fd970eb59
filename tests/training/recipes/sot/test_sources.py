"""What `--data` means, what of it is held out, and that pictures are read once."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mot_dinov3.errors import UsageError
from mot_dinov3.training.recipes.sot.examples import Sizes
from mot_dinov3.training.recipes.sot.pairs import PairRules
from mot_dinov3.training.recipes.sot.scenes import DrawnScenes
from mot_dinov3.training.recipes.sot.sources import (
    KeptPictures,
    draw_world,
    keep_pictures,
    open_sources,
    read_any,
    take_first,
    take_last,
)

SIZES, RULES = Sizes(64, 32, 1), PairRules(10, 0.0)


class Counted:
    """Pictures that count how often they are read."""

    def __init__(self):
        self.read = 0

    def __len__(self):
        return 4

    def __getitem__(self, row):
        self.read += 1
        return np.full((10, 10, 3), row, np.uint8)


@pytest.fixture
def otb(tmp_path):
    """A sequence as OTB lays it out."""
    folder = tmp_path / "Square"
    (folder / "img").mkdir(parents=True)
    lines = []
    for n in range(20):
        image = np.full((80, 100, 3), 90, np.uint8)
        image[20:40, 10 + n : 30 + n] = 220
        cv2.imwrite(str(folder / "img" / f"{n + 1:04d}.png"), image)
        lines.append(f"{10 + n},20,20,20")
    (folder / "groundtruth_rect.txt").write_text("\n".join(lines))
    return folder


def test_pictures_are_read_once_while_there_is_room():
    counted = Counted()
    room = [700]  # two of them
    kept = KeptPictures(counted, room)
    for _ in range(3):
        assert [int(kept[row][0, 0, 0]) for row in range(4)] == [0, 1, 2, 3]
    assert counted.read == 2 + 3 * 2
    assert room == [100]
    assert len(kept) == 4


def test_the_end_of_each_sequence_is_held_out(otb):
    (part,) = keep_pictures(read_any(f"otb:{otb}"), [1 << 20])
    assert take_first(part.rows, 0.1).tolist() == list(range(18))
    assert take_last(part.rows, 0.1).tolist() == [18, 19]
    assert take_first(part.rows[:1], 0.9).tolist() == take_last(part.rows[:1], 0.1).tolist() == [0]
    assert len(take_last(part.rows, 0.0)) == 1
    learned, held_out = open_sources([f"otb:{otb}", "scenes"], SIZES, RULES, 0.1)
    assert len(learned.members) == len(held_out.members) == 2
    assert isinstance(learned.members[1], DrawnScenes)
    assert {learned.draw(np.random.default_rng(n)).search.std() > 30 for n in range(9)} == {
        True,
        False,
    }


def test_a_world_has_a_sequence_for_each_object():
    sequences = draw_world("crossings", 700_000)
    assert len(sequences) > 3
    for one in sequences:
        sides = one.boxes[one.known]
        assert ((sides[:, 2:] - sides[:, :2]) >= 12).all()
    parts = keep_pictures(sequences, [1 << 30])
    assert len({part.footage for part in parts}) == 1  # nothing of it is absent from it


def test_what_is_not_data_is_refused():
    for spec in ("nothing", "world:nowhere", "otb:"):
        with pytest.raises(UsageError):
            open_sources([spec], SIZES, RULES, 0.1)
