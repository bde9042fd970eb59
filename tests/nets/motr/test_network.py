"""Track queries: none change nothing, their order does not matter, and the gone are forgotten."""

from __future__ import annotations

import pytest
import torch

from helpers.motr_runs import make_network, make_tracks
from mot_dinov3.nets.detr.heads import DETR, HeadShape
from mot_dinov3.nets.maps.convolutions import ConvMaps
from mot_dinov3.nets.motr.network import UPDATERS, MotrNetwork, Picture

PIXELS = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(3))


def advance(network, tracks, seen=None):
    """One frame with all tracks kept; what the decoder said of them, and what follows."""
    answer = network.ask(Picture(PIXELS), [tracks])
    output, boxes = (one[0, network.shape.queries :] for one in (answer.output, answer.boxes[-1]))
    seen = torch.ones(len(output), dtype=torch.bool) if seen is None else seen
    return answer, network.renew([tracks], [output], [boxes], [seen])[0]


@torch.no_grad()
def test_without_tracks_the_answer_is_the_detectors_to_the_bit():
    network = make_network()
    found = network(PIXELS)
    answer = network.ask(Picture(PIXELS), [network.no_tracks()])
    assert torch.equal(answer.logits[-1].sigmoid(), found.score)
    assert torch.equal(answer.boxes[-1], found.boxes)
    assert found.score.std() > 0
    with_tracks = network.ask(Picture(PIXELS), [make_tracks(network, 2)])
    assert not torch.allclose(with_tracks.logits[:, :, :12], answer.logits, atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("updater", UPDATERS)
def test_permuting_tracks_permutes_answers_and_memory(updater):
    network, order = make_network(updater), torch.tensor([3, 0, 4, 1, 2])
    seen = torch.tensor([True, True, False, True, False])
    tracks = make_tracks(network, 5)
    _, once = advance(network, tracks, seen)
    answer, twice = advance(network, once, seen)
    others, other = advance(network, once.take(order), seen[order])
    own = network.shape.queries
    torch.testing.assert_close(
        others.boxes[:, :, own:], answer.boxes[:, :, own:][:, :, order], atol=1e-5, rtol=0
    )
    torch.testing.assert_close(other.content, twice.content[order], atol=1e-5, rtol=0)
    for one, two in zip(other.memory, twice.memory, strict=True):
        torch.testing.assert_close(one, two[order], atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("updater", UPDATERS)
def test_a_picture_with_more_tracks_beside_it_changes_nothing(updater):
    network = make_network(updater)
    few, many = make_tracks(network, 2), make_tracks(network, 5, seed=2)
    alone, after = advance(network, few)
    both = network.ask(Picture(PIXELS.repeat(2, 1, 1, 1)), [few, many])
    torch.testing.assert_close(both.boxes[:, :1, :14], alone.boxes, atol=1e-5, rtol=0)
    rows = [slice(12, 14), slice(12, 17)]
    together = network.renew(
        [few, many],
        [both.output[row, which] for row, which in enumerate(rows)],
        [both.boxes[-1, row, which] for row, which in enumerate(rows)],
        [torch.ones(count, dtype=torch.bool) for count in (2, 5)],
    )
    torch.testing.assert_close(together[0].content, after.content, atol=2e-4, rtol=0)


@torch.no_grad()
def test_a_track_that_is_removed_takes_its_memory_along():
    network = make_network()
    _, tracks = advance(network, make_tracks(network, 3))
    assert all(one.any() for one in tracks.memory)
    kept = tracks.take(torch.tensor([0, 2]))
    again = kept.join(make_tracks(network, 1, seed=7))
    for one, before in zip(again.memory, tracks.memory, strict=True):
        assert torch.equal(one[:2], before[[0, 2]])
        assert not one[2].any()


@torch.no_grad()
def test_a_track_that_was_not_seen_stays_where_it_was_and_its_content_goes_on():
    network = make_network()
    tracks = make_tracks(network, 2)
    _, after = advance(network, tracks, torch.tensor([True, False]))
    assert torch.equal(after.boxes[1], tracks.boxes[1])
    assert not torch.equal(after.boxes[0], tracks.boxes[0])
    assert not torch.allclose(after.content[1], tracks.content[1], atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("updater", UPDATERS)
@pytest.mark.parametrize(("across", "seen", "remembers"), [
    (0.44, [True, True], False), (0.44, [True, False], True), (0.7, [True, True], True),
])  # fmt: skip
def test_tracks_that_overlap_stay_what_they_were(updater, across, seen, remembers):
    network = make_network(updater)
    tracks = make_tracks(network, 2)
    boxes = torch.tensor([[0.4, 0.5, 0.2, 0.4], [across, 0.5, 0.2, 0.4]])
    output = torch.randn(2, network.shape.dim, generator=torch.Generator().manual_seed(5))
    (after,) = network.renew([tracks], [output], [boxes], [torch.tensor(seen)])
    assert torch.equal(after.boxes[0], boxes[0])
    same = torch.equal(after.content[0], tracks.content[0])
    same &= all(torch.equal(a[0], b[0]) for a, b in zip(after.memory, tracks.memory, strict=True))
    assert same != remembers


@torch.no_grad()
def test_what_looks_like_a_track_does_so_wherever_it_is():
    network = make_network()
    answer = network.ask(Picture(torch.ones(1, 3, 128, 256)), [make_tracks(network, 1)])
    finest = answer.alike.looks[0, 0, : 16 * 32].view(16, 32)[6:10, 10:22]
    torch.testing.assert_close(finest, finest[:1, :1].expand_as(finest))
    share = answer.alike.share[0, 0, : 16 * 32].view(16, 32)[6:10, 10:22]
    assert share.std() > 0.01 * share.mean(), "the near ones are looked at first"


def test_a_gradient_is_the_same_with_layers_that_are_computed_twice():
    found = []
    for saves in (False, True):
        network = make_network().train()
        network.saves_memory = saves
        tracks = make_tracks(network, 2)
        for _ in range(2):
            answer, tracks = advance(network, tracks, torch.tensor([True, False]))
        answer.boxes.sum().backward()
        found.append(network.updater.layers[0].mixer.in_proj.weight.grad)
    assert found[0].abs().sum() > 0
    torch.testing.assert_close(*found)


def test_another_head_is_refused():
    with pytest.raises(ValueError, match="deformable"):
        MotrNetwork(ConvMaps(4), HeadShape(DETR, 2, queries=5, dim=32), "samba")
