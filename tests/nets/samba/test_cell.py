"""The synchronised state space model: silent at first, masked, alone, and alike for all tracks."""

from __future__ import annotations

import pytest
import torch

from helpers.moving_together import make_cell
from mot_dinov3.nets.samba.cell import NEWS, OUTPUTS, Look, Memory
from mot_dinov3.tracking.motion.samba_network import TOKENS


def draw_look(tracks, seed=0, batch=()):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*batch, tracks, *shape, generator=generator)

    return Look(
        tokens=draw(TOKENS),
        seen=(draw() > -0.5).float(),
        speaks=draw() > -0.7,
        places=4 * draw(2),
        news=draw(NEWS),
        unit=draw().abs() + 0.5,
        step=torch.full((*batch, 1, 1), 1.2),
    )


def run(cell, looks, memory=None):
    memory = memory or cell.begin(*looks[0].seen.shape)
    outs = []
    for look in looks:
        out, memory = cell(look, memory)
        outs.append(out)
    return torch.stack(outs), memory


def reorder(look, order):
    return Look(*(part[order] for part in look[:-1]), look.step)


def test_a_network_that_learned_nothing_answers_zero():
    outs, memory = run(make_cell(), [draw_look(5, seed) for seed in range(4)])
    assert outs.shape == (4, 5, OUTPUTS)
    assert not outs.any()
    assert memory.state.any()


def test_permuting_tracks_permutes_answers():
    cell, looks = make_cell(noise=0.3), [draw_look(7, seed) for seed in range(5)]
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    outs, memory = run(cell, looks)
    others, other = run(cell, [reorder(look, order) for look in looks])
    torch.testing.assert_close(others, outs[:, order], atol=1e-5, rtol=0)
    torch.testing.assert_close(other.state, memory.state[order], atol=1e-5, rtol=0)


def test_one_track_alone_is_a_plain_scan():
    cell = make_cell(noise=0.3)
    plain = make_cell(synced=False)
    plain.load_state_dict(cell.state_dict(), strict=False)
    looks = [draw_look(1, seed) for seed in range(5)]
    outs, memory = run(cell, looks)
    others, other = run(plain, looks)
    torch.testing.assert_close(outs, others, atol=1e-6, rtol=0)
    torch.testing.assert_close(memory.state, other.state, atol=1e-6, rtol=0)


def test_only_with_synchronisation_do_tracks_hear_each_other():
    looks = [draw_look(4, seed) for seed in range(5)]
    changed = [look._replace(tokens=look.tokens.clone()) for look in looks]
    for look in changed:
        look.tokens[0] += 1.0
        look.speaks[:] = True
    for synced in (True, False):
        cell = make_cell(noise=0.3, synced=synced)
        before = run(cell, [look._replace(speaks=torch.ones(4).bool()) for look in looks])[0]
        after = run(cell, changed)[0]
        assert torch.equal(before[:, 1:], after[:, 1:]) is not synced
        silent = [look._replace(speaks=torch.zeros(4).bool()) for look in changed]
        unheard = [look._replace(speaks=torch.zeros(4).bool()) for look in looks]
        torch.testing.assert_close(run(cell, silent)[0][:, 1:], run(cell, unheard)[0][:, 1:])


def test_the_memory_of_an_unseen_track_is_not_written_to():
    cell, look = make_cell(noise=0.3, synced=False), draw_look(3)
    start = Memory(torch.randn(3, 4, 16), torch.randn(3, 2, 16))
    unseen = look._replace(seen=torch.zeros(3))
    _, after = cell(unseen, start)
    shrunk = after.state / start.state
    assert ((shrunk > 0) & (shrunk <= 1)).all()
    _, seen = cell(look._replace(seen=torch.ones(3)), start)
    assert not torch.allclose(seen.state, after.state)


@pytest.mark.parametrize("synced", [True, False])
def test_clips_of_a_batch_do_not_meet(synced):
    cell = make_cell(noise=0.3, synced=synced)
    looks = [draw_look(5, seed, batch=(3,)) for seed in range(3)]
    together, _ = run(cell, looks)
    for clip in range(3):
        alone, _ = run(cell, [Look(*(part[clip] for part in look)) for look in looks])
        torch.testing.assert_close(alone, together[:, clip], atol=1e-5, rtol=0)
