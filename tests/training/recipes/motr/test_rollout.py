"""Matching keeps identities: a followed object is asked of its own track, the others are found."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from helpers.motr_runs import make_network, make_tracks
from mot_dinov3.nets.motr.network import Answer, Resemblance
from mot_dinov3.training.recipes.motr import rollout
from mot_dinov3.training.recipes.motr.rollout import (
    NO_OBJECT,
    Followed,
    find_own,
    find_seen,
    go_on,
    match,
    measure,
    measure_identity,
    measure_search,
    mislead,
    turn_over,
)

QUERIES = 12
BOXES = torch.tensor([[0.2, 0.3, 0.1, 0.2], [0.6, 0.6, 0.2, 0.2], [0.8, 0.2, 0.1, 0.1]])
LABEL = {"ids": torch.tensor([4, 7, 9]), "class_labels": torch.zeros(3).long(), "boxes": BOXES}
IDS = torch.tensor([7, NO_OBJECT, 2])
"""Tracks of the second object, of nothing, and of an object that is not there."""


@pytest.fixture
def network():
    return make_network()


def answer_of(tracks=3):
    """Two layers that see the objects with queries 0, 1, 2 and the second one with track 0."""
    boxes = torch.full((2, 1, QUERIES + tracks, 4), 0.4)
    boxes[:, 0, :3] = BOXES
    boxes[:, 0, QUERIES] = BOXES[1]
    logits = torch.full((2, 1, QUERIES + tracks, 2), -4.0)
    logits[:, 0, :3, 0] = 2.0
    nothing = torch.zeros(1, 1, 2), torch.zeros(1, 1, 4)
    places = BOXES[None, :, :2]
    share = torch.eye(3)[None, [1, 0, 0]][:, :tracks]
    alike = Resemblance(share, 9 * share, places)
    return Answer(logits, boxes, torch.randn(1, QUERIES + tracks, 32), *nothing, alike)


def test_the_first_layer_is_asked_for_all_and_later_ones_for_what_is_not_followed(network):
    first, second = match(network, answer_of(), [LABEL], [IDS])
    assert sorted(zip(*(one.tolist() for one in first[0]), strict=True)) == [
        (0, 0), (1, 1), (2, 2), (QUERIES, 1)
    ]  # fmt: skip
    assert sorted(zip(*(one.tolist() for one in second[0]), strict=True)) == [
        (0, 0), (2, 2), (QUERIES, 1)
    ]  # fmt: skip


def test_a_track_without_its_object_and_a_query_on_a_followed_one_are_wrong(network):
    answer = answer_of()
    pairs = match(network, answer, [LABEL], [IDS])
    before = measure(answer, [LABEL], pairs, [IDS])
    assert before["corners"] == 0
    assert before["overlap"] < 1e-3
    for row in (QUERIES + 1, QUERIES + 2, 1):
        louder = answer.logits.clone()
        louder[1, 0, row, 0] = 5.0
        after = measure(answer._replace(logits=louder), [LABEL], pairs, [IDS])
        assert after["classes"] > before["classes"] + 1


def test_queries_that_fill_up_are_not_measured(network):
    answer = answer_of()
    pairs = match(network, answer, [LABEL], [IDS[:2]])
    some = measure(answer, [LABEL], pairs, [IDS])["classes"]
    logits, boxes = (torch.cat((one, one), 1) for one in (answer.logits, answer.boxes))
    both = answer._replace(logits=logits, boxes=boxes)
    twice = match(network, both, [LABEL, LABEL], [IDS[:2], IDS])
    total = measure(both, [LABEL, LABEL], twice, [IDS[:2], IDS])["classes"]
    assert some < total < 2 * some


def test_found_objects_begin_tracks_and_so_do_errors(network, monkeypatch):
    monkeypatch.setattr(rollout, "DROPPED", 0.0)
    answer = answer_of()
    answer.logits[:, 0, 5, 0] = 3.0
    pairs = match(network, answer, [LABEL], [IDS])[-1]
    now = Followed(make_tracks(network, 3), IDS)
    after = go_on(network, answer, [LABEL], pairs, [now])[0]
    assert after.ids.tolist() == [7, NO_OBJECT, 2, 4, 9, NO_OBJECT, NO_OBJECT]
    assert len(after.tracks.content) == 7
    monkeypatch.setattr(rollout, "DROPPED", 1.1)
    forgotten = go_on(network, answer, [LABEL], pairs, [now])[0]
    assert forgotten.ids.tolist() == [4, 9, NO_OBJECT, NO_OBJECT]


def test_a_track_is_seen_where_it_is_on_its_object():
    boxes = torch.stack((BOXES[1], BOXES[0], BOXES[0]))
    ids, score = torch.tensor([7, 9, NO_OBJECT]), torch.tensor([0.1, 0.9, 0.9])
    assert find_seen(boxes, ids, LABEL, score).tolist() == [True, False, True]
    tracks, rows = find_own(ids, LABEL["ids"])
    assert (tracks.tolist(), rows.tolist()) == ([0, 1], [1, 2])


def test_looking_beside_the_own_object_costs(network):
    assert measure_search(answer_of(), [LABEL], [IDS])["search"] == 0
    beside = measure_search(answer_of(), [LABEL], [torch.tensor([4, 7, 9])])
    assert beside["search"] > 10
    assert measure_search(answer_of(), [LABEL], [IDS[1:2]])["search"] == 0


def test_an_object_that_looks_like_another_ones_track_costs_wherever_it_is(network):
    """Tracks 0 and 1 look like the second and the first object; where they look says nothing."""
    right, wrong = answer_of(), answer_of()
    far = wrong.alike._replace(share=torch.full_like(wrong.alike.share, 1 / 3))
    told = measure_search(right, [LABEL], [torch.tensor([7, 4, 2])])["looks"]
    assert told < 0.01
    again = measure_search(right._replace(alike=far), [LABEL], [torch.tensor([7, 4, 2])])
    assert again["looks"] == told
    assert measure_search(wrong, [LABEL], [torch.tensor([4, 7, 2])])["looks"] > 10


def test_identities_that_are_told_apart_cost_less():
    numbers = torch.tensor([0, 1, 2])
    looks = torch.eye(3)
    apart = measure_identity([(looks, numbers), (looks, numbers)])
    alike = measure_identity([(looks, numbers), (looks.roll(1, 0), numbers)])
    assert apart < 0.1 < alike
    assert measure_identity([(looks, numbers)]) == 0


def test_only_neighbours_are_misled(network, monkeypatch):
    monkeypatch.setattr(rollout, "MISLED", 1.1)
    boxes = torch.tensor([[0.2, 0.3, 0.1, 0.2], [0.3, 0.3, 0.1, 0.2], [0.9, 0.9, 0.1, 0.1]])
    tracks = make_tracks(network, 3)._replace(boxes=boxes)
    assert torch.equal(mislead(tracks).boxes, boxes[[1, 0, 2]])
    assert torch.equal(mislead(tracks).content, tracks.content)
    alone = SimpleNamespace(boxes=boxes[:1])
    assert mislead(alone) is alone


def test_tracks_of_a_clip_that_turns_are_where_a_mirror_shows_them(network):
    tracks = make_tracks(network, 2)
    followed = Followed(tracks, IDS[:2])
    turned = turn_over(followed, torch.tensor(True))
    assert torch.equal(turned.tracks.boxes[:, 0], 1 - tracks.boxes[:, 0])
    assert torch.equal(turned.tracks.boxes[:, 1:], tracks.boxes[:, 1:])
    assert torch.equal(turned.tracks.content, tracks.content)
    assert torch.equal(turn_over(followed, torch.tensor(False)).tracks.boxes, tracks.boxes)
