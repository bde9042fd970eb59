"""Where a track looks: at places that resemble what it remembers, the near ones first."""

from __future__ import annotations

import torch

from mot_dinov3.nets.motr.search import Search, Surroundings, lay_out

DIM, SHAPES = 32, [(4, 6), (2, 3)]


def look(search, content, boxes, tokens=None, shown=None):
    places = lay_out(SHAPES, torch.ones(1, 2, 2))
    tokens = torch.zeros(1, places.shape[1], DIM) if tokens is None else tokens
    shown = torch.ones(1, places.shape[1], dtype=torch.bool) if shown is None else shown
    return search(content, boxes, Surroundings(tokens, places, shown))


def make_search():
    torch.manual_seed(0)
    return Search(DIM)


def test_cells_lie_where_the_picture_has_them():
    places = lay_out(SHAPES, torch.tensor([[[1.0, 1.0], [0.5, 1.0]]]))[0]
    assert len(places) == 24 + 6
    torch.testing.assert_close(places[0], torch.tensor([1 / 12, 1 / 8]))
    torch.testing.assert_close(places[23], torch.tensor([11 / 12, 7 / 8]))
    torch.testing.assert_close(places[24], torch.tensor([1 / 3, 1 / 4]))


@torch.no_grad()
def test_a_track_is_drawn_to_the_place_that_resembles_it():
    search = make_search()
    search.key.weight.copy_(search.ask.weight)
    content, box = torch.randn(1, 1, DIM), torch.tensor([[[0.5, 0.5, 0.2, 0.3]]])
    tokens = torch.zeros(1, 30, DIM)
    tokens[0, 16] = content[0, 0]
    found, moved, where = look(search, content, box, tokens)
    place = lay_out(SHAPES, torch.ones(1, 2, 2))[0, 16]
    assert where.share[0, 0].argmax() == 16
    before, after = (((one - place) ** 2).sum() for one in (box[0, 0, :2], moved[0, 0, :2]))
    assert after < before
    assert torch.equal(moved[..., 2:], box[..., 2:])
    assert not found.any()  # nothing is said at first


@torch.no_grad()
def test_near_places_count_more_and_padding_does_not_count():
    search, box = make_search(), torch.tensor([[[0.25, 0.5, 0.1, 0.2]]])
    shown = torch.ones(1, 30, dtype=torch.bool)
    shown[0, 1::6] = False
    where = look(search, torch.randn(1, 1, DIM), box, shown=shown)[2]
    share = where.share[0, 0, :24].view(4, 6)
    assert (share[:, 1] == 0).all()
    assert (share[:, 0] > share[:, 3]).all()
    torch.testing.assert_close(share[1], share[2])
    assert not where.looks.any(), "places that show nothing look like nothing, near or far"
