"""What becomes of contents: nothing, a slow average, or a state that goes on by itself."""

from __future__ import annotations

import pytest
import torch

from mot_dinov3.nets.motr.network import UPDATERS
from mot_dinov3.nets.motr.updaters import SLOWNESS, Seen

DIM, TRACKS = 32, 4


def draw(*shape, seed=0):
    return torch.randn(1, TRACKS, *shape, generator=torch.Generator().manual_seed(seed))


def run(updater, frames, seen):
    """Contents after some frames, and the memory."""
    memory = tuple(one[None] for one in updater.begin(draw(DIM)[0]))
    content = draw(DIM)
    for number in frames:
        there = torch.ones(1, TRACKS, dtype=torch.bool)
        now = Seen(draw(DIM, seed=number), draw(2 * DIM, seed=9), seen, there)
        content, memory = updater(content, memory, now)
    return content, memory


@pytest.fixture
def updaters():
    torch.manual_seed(0)
    return {name: build(DIM).eval() for name, build in UPDATERS.items()}


@torch.no_grad()
def test_without_memory_the_last_answer_is_asked_again(updaters):
    content, memory = run(updaters["none"], (1, 2), torch.tensor([[True, False, True, False]]))
    assert torch.equal(content, draw(DIM, seed=2))
    assert memory == ()


@torch.no_grad()
@pytest.mark.parametrize("name", ["samba", "memotr"])
def test_what_a_frame_said_of_a_track_that_was_not_seen_is_not_remembered(updaters, name):
    seen = torch.tensor([[False, True, True, True]])
    content, memory = run(updaters[name], (1, 2), seen)
    other, others = run(updaters[name], (1, 5), seen)
    if name == "memotr":
        alone = slice(0, 1)
        assert torch.equal(content[:, alone], other[:, alone])
        assert torch.equal(memory[0][:, 0], others[0][:, 0])
    assert not torch.allclose(content[:, 1:], other[:, 1:], atol=1e-3)


@torch.no_grad()
def test_a_masked_scan_depends_on_others_by_synchronisation_alone(updaters):
    samba = updaters["samba"]
    for layer in samba.layers:
        layer.mixer.sync_scaling.fill_(-1e9)
    seen = torch.tensor([[False, True, True, True]])
    one, two = (run(samba, (1, last), seen)[0][:, 0] for last in (2, 5))
    assert torch.equal(one, two)
    for layer in samba.layers:
        layer.mixer.sync_scaling.fill_(0.0)
    one, two = (run(samba, (1, last), seen)[0][:, 0] for last in (2, 5))
    assert not torch.allclose(one, two, atol=1e-4)


@torch.no_grad()
def test_a_hidden_tracks_content_still_changes(updaters):
    hidden = torch.zeros(1, TRACKS, dtype=torch.bool)
    one, _ = run(updaters["samba"], (1,), hidden)
    two, _ = run(updaters["samba"], (1, 2), hidden)
    assert not torch.allclose(one, two, atol=1e-3)


@torch.no_grad()
def test_the_long_memory_is_slow(updaters):
    seen = torch.ones(1, TRACKS, dtype=torch.bool)
    _, (long, last) = run(updaters["memotr"], (1,), seen)
    torch.testing.assert_close(long, (1 - SLOWNESS) * draw(DIM) + SLOWNESS * draw(DIM, seed=1))
    assert torch.equal(last, draw(DIM, seed=1))
