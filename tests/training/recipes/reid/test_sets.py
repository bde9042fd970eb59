from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from helpers.drawn_crops import draw_crops, draw_market
from mot_dinov3.data.reid.crops import build_crops
from mot_dinov3.errors import InputError
from mot_dinov3.training.recipes.reid.pictures import LoadedCrops, fit_crop, normalise
from mot_dinov3.training.recipes.reid.sets import (
    build_search,
    hold_out,
    load_search_set,
    load_training_set,
    read_pictures,
)

SIZE = (32, 16)


def loaded(facts):
    """Crops of (identity, camera), each of one grey that is its row."""
    crops = build_crops(
        [Path(f"{row}.png") for row in range(len(facts))],
        [(f"{who:04d}", camera, 1, row) for row, (who, camera) in enumerate(facts)],
    )
    grey = torch.arange(len(facts), dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)
    return LoadedCrops(crops, grey.contiguous(), 0)


def rows_of(part):
    return part.pixels[:, 0, 0, 0].tolist()


def test_identities_are_parted_whole_and_numbered_anew():
    every = loaded([(who, camera) for who in range(20) for camera in (1, 2)])
    learned, held = hold_out(every, 0.2, seed=0)
    assert sorted(rows_of(learned) + rows_of(held)) == list(range(40))
    assert set(learned.crops.names) | set(held.crops.names) == set(every.crops.names)
    assert (learned.crops.identities, held.crops.identities) == (16, 4)
    for part in (learned, held):
        assert np.unique(part.crops.identity).tolist() == list(range(part.crops.identities))
        for row, identity in zip(rows_of(part), part.crops.identity.tolist(), strict=True):
            assert part.crops.names[identity] == f"{row // 2:04d}"
    assert rows_of(hold_out(every, 0.2, seed=0)[1]) == rows_of(held)
    assert rows_of(hold_out(every, 0.2, seed=1)[1]) != rows_of(held)


def test_those_that_two_cameras_saw_are_held_out_first():
    lone = [(who, 1) for who in range(16) for _ in range(2)]
    every = loaded([*lone, *((who, camera) for who in range(16, 20) for camera in (1, 2))])
    assert set(hold_out(every, 0.2, seed=0)[1].crops.names) == {f"{i:04d}" for i in range(16, 20)}


@pytest.mark.parametrize(("people", "share", "held"), [(9, 0.3, 0), (9, 1.0, 7), (4, 1.0, 0)])
def test_few_are_not_parted_and_two_are_always_left_to_learn_from(people, share, held):
    every = loaded([(who, camera) for who in range(people) for camera in (1, 2)])
    parts = hold_out(every, share, seed=0)
    assert [part.crops.identities for part in parts] == [people - held, held]


def test_the_first_picture_of_each_identity_and_camera_asks_for_the_others():
    held = loaded([(0, 1), (0, 1), (1, 1), (0, 2), (1, 2), (1, 2)])
    search = build_search(held)
    assert [path.stem for path in search.pictures.query.paths] == ["0", "2", "3", "4"]
    assert [path.stem for path in search.pictures.gallery.paths] == ["1", "5"]
    assert search.pixels[:, 0, 0, 0].tolist() == [0, 2, 3, 4, 1, 5]


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param([], id="nothing"),
        pytest.param([(0, 1), (1, 1), (2, 2)], id="single pictures"),
        pytest.param([(0, 1), (0, 1), (1, 1), (1, 1)], id="one camera"),
        pytest.param([(0, 1), (0, 1), (0, 2), (0, 2)], id="one identity"),
        pytest.param([(0, 1), (0, 1), (1, 2), (1, 2)], id="a camera for each"),
    ],
)
def test_without_anything_to_find_there_is_no_search(facts):
    assert build_search(loaded(facts)) is None


def test_pictures_that_cannot_be_read_are_left_out_and_counted(tmp_path, caplog):
    draw_crops(tmp_path, 2, shots=2)
    broken = tmp_path / "0000_c1s1_000001_00.png"
    broken.write_bytes(b"not a picture")
    with caplog.at_level(logging.WARNING):
        found = load_training_set([str(tmp_path)], SIZE)
    assert (len(found.crops), found.unreadable) == (7, 1)
    assert found.pixels.shape == (7, 3, *SIZE)
    assert "1 picture could not be read" in caplog.text
    for path, pixels in zip(found.crops.paths, found.pixels, strict=True):
        assert np.array_equal(fit_crop(cv2.imread(str(path)), SIZE), pixels.numpy())
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match="None of the 8 pictures"):
        load_training_set([str(tmp_path)], SIZE)


def test_identities_of_two_folders_are_different_people(tmp_path):
    folders = [str(draw_crops(tmp_path / name, 2, shots=1)) for name in ("one", "two")]
    found = load_training_set(folders, SIZE)
    assert set(found.crops.names) == {"0/0000", "0/0001", "1/0000", "1/0001"}
    assert found.crops.cameras == 4


@pytest.mark.parametrize(("folders", "people"), [([], 0), (["x"], 1)])
def test_telling_identities_apart_needs_two(tmp_path, folders, people):
    if people:
        draw_crops(tmp_path / "x", people)
    with pytest.raises(InputError, match="--data" if not people else "1 identity alone"):
        load_training_set([str(tmp_path / name) for name in folders], SIZE)


def test_a_query_that_cannot_be_read_leaves_the_others_queries(tmp_path):
    draw_market(tmp_path, people=2, others=3)
    whole = load_search_set(tmp_path, SIZE)
    (tmp_path / "query" / "0003_c1s1_000000_00.png").write_bytes(b"")
    (tmp_path / "bounding_box_test" / "0002_c1s1_000001_00.png").write_bytes(b"")
    found = load_search_set(tmp_path, SIZE)
    assert (len(whole.pictures.query), len(whole.pictures.gallery)) == (6, 12)
    assert (len(found.pictures.query), len(found.pictures.gallery)) == (5, 11)
    assert {path.parent.name for path in found.pictures.query.paths} == {"query"}
    order = [*found.pictures.query.paths, *found.pictures.gallery.paths]
    again = read_pictures(replace(found.pictures.query, paths=found.pictures.query.paths), SIZE)
    assert torch.equal(found.pixels[:5], again.pixels)
    assert len(found.pixels) == len(order)


def test_a_crop_is_resized_whole_in_rgb_and_normalised_as_networks_see_it():
    image = np.zeros((40, 10, 3), np.uint8)
    image[:, :5, 0], image[:, 5:, 2] = 200, 100  # blue on the left, red on the right
    fitted = fit_crop(image, (20, 8))
    assert fitted.shape == (3, 20, 8)
    assert fitted[:, :, 0].max(axis=1).tolist() == [0, 0, 200]
    assert fitted[:, :, -1].max(axis=1).tolist() == [100, 0, 0]
    seen = normalise(torch.from_numpy(fitted)[None])
    assert seen[0, 2, 0, 0] == pytest.approx((200 / 255 - 0.406) / 0.225, abs=1e-5)
