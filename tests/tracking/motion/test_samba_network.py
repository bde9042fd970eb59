"""The network in numpy says what the one in torch says."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.moving_together import make_cell, weights_of
from mot_dinov3.tracking.motion.samba_network import (
    MOST_SPEAKERS,
    NEWS,
    TOKENS,
    Look,
    SambaNetwork,
    choose_speakers,
)


def draw_look(tracks, seed):
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return rng.normal(size=(tracks, *shape)).astype(np.float32)

    return Look(
        tokens=draw(TOKENS),
        seen=(draw() > -0.5).astype(np.float32),
        speaks=draw() > -0.7,
        places=4 * draw(2),
        news=draw(NEWS),
        unit=np.abs(draw()) + np.float32(0.5),
        step=1.2,
    )


def run(network, looks):
    tracks = len(looks[0].tokens)
    state = np.zeros((tracks, network.states, network.dim), np.float32)
    before = np.zeros((tracks, network.width - 1, network.dim), np.float32)
    outs = []
    for look in looks:
        outs.append(network.step(look, state, before))
    return np.stack(outs), state, before


@pytest.mark.parametrize("synced", [True, False])
@pytest.mark.parametrize("tracks", [1, 2, 9, 150])
def test_it_equals_the_network_that_was_trained(tracks, synced):
    import torch

    from mot_dinov3.nets.samba.cell import Look as TorchLook

    cell = make_cell(noise=0.2, synced=synced)
    looks = [draw_look(tracks, seed) for seed in range(12)]
    if tracks > MOST_SPEAKERS:
        few = np.arange(tracks) < MOST_SPEAKERS // 2
        looks = [look._replace(speaks=few) for look in looks]
    outs, state, before = run(SambaNetwork(weights_of(cell)), looks)
    memory = cell.begin(tracks)
    for look, out in zip(looks, outs, strict=True):
        tensors = TorchLook(*map(torch.from_numpy, look[:-1]), torch.tensor([[look.step]]))
        with torch.no_grad():
            expected, memory = cell(tensors, memory)
        np.testing.assert_allclose(out, expected.numpy(), atol=1e-5)
    np.testing.assert_allclose(state, memory.state.numpy(), atol=1e-5)
    np.testing.assert_allclose(before, memory.before.numpy(), atol=1e-5)


def test_permuting_tracks_permutes_answers():
    network = SambaNetwork(weights_of(make_cell(noise=0.3)))
    order = np.random.default_rng(1).permutation(20)
    looks = [draw_look(20, seed) for seed in range(5)]
    others = [Look(*(part[order] for part in look[:-1]), look.step) for look in looks]
    outs, state, _ = run(network, looks)
    reordered, other, _ = run(network, others)
    np.testing.assert_allclose(reordered, outs[:, order], atol=1e-5)
    np.testing.assert_allclose(other, state[order], atol=1e-5)


def test_of_many_tracks_the_largest_speak():
    look = draw_look(3 * MOST_SPEAKERS, 0)._replace(speaks=np.ones(3 * MOST_SPEAKERS, np.bool_))
    chosen = choose_speakers(look)
    assert len(chosen) == MOST_SPEAKERS
    assert look.unit[chosen].max() <= np.delete(look.unit, chosen).min()
    few = look._replace(speaks=np.arange(3 * MOST_SPEAKERS) < 5)
    np.testing.assert_array_equal(choose_speakers(few), np.arange(5))


def test_nothing_overflows_where_a_step_is_huge():
    network = SambaNetwork(weights_of(make_cell(noise=0.3)))
    look = draw_look(4, 0)
    outs, *_ = run(network, [look._replace(tokens=look.tokens * 1e3, step=900.0)] * 3)
    assert np.isfinite(outs).all()


def test_weights_that_do_not_fit_are_refused():
    weights = weights_of(make_cell())
    with pytest.raises(KeyError, match="skip"):
        SambaNetwork({name: value for name, value in weights.items() if name != "skip"})
    for name in ("gate.weight", "say.weight", "leave.bias", "enter.weight"):
        with pytest.raises(ValueError, match=name):
            SambaNetwork({**weights, name: np.zeros((3, 5), np.float32)})
