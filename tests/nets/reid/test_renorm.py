from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from mot_dinov3.nets.reid.renorm import BatchRenorm1d, BatchRenorm2d, renormalise


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


@pytest.fixture(params=[(nn.BatchNorm1d, (8, 4)), (nn.BatchNorm2d, (8, 4, 3, 2))])
def pair(request, random):
    """A batch norm that has seen data, the same as batch renorm, and a batch unlike those data."""
    kind, shape = request.param
    norm = kind(4)
    nn.init.uniform_(norm.weight, generator=random)
    for _ in range(3):
        norm(torch.randn(shape, generator=random))
    return norm, renormalise(copy.deepcopy(norm)), torch.randn(shape, generator=random) * 2 + 1


def test_it_is_batch_norm_in_evaluation_and_at_the_start(pair):
    norm, renorm, batch = pair
    assert type(renorm) in (BatchRenorm1d, BatchRenorm2d)
    assert torch.equal(norm.eval()(batch), renorm.eval()(batch))
    before = norm.running_mean.clone()
    assert torch.allclose(norm.train()(batch), renorm.train()(batch), atol=1e-6)
    assert torch.allclose(norm.running_mean, renorm.running_mean)
    assert torch.allclose(norm.running_var, renorm.running_var)
    assert not torch.allclose(before, renorm.running_mean)


def test_it_ends_at_the_running_statistics(pair):
    norm, renorm, batch = pair
    renorm.num_batches_tracked.fill_(renorm.ramp)
    assert [float(bound) for bound in renorm.bounds()] == [3, 5]
    assert torch.allclose(norm.eval()(batch), renorm.train()(batch), atol=1e-5)


@pytest.mark.parametrize(
    ("scale", "shift", "r_sign", "d_sign"), [(9, 99, 1, 1), (0.1, -99, -1, -1)]
)
def test_the_correction_is_bounded(random, scale, shift, r_sign, d_sign):
    renorm = BatchRenorm1d(2)
    renorm.num_batches_tracked.fill_(renorm.ramp // 4)
    r_max, d_max = renorm.bounds()
    r, d = renorm.correction(torch.randn(16, 2, generator=random) * scale + shift)
    assert torch.allclose(r, r_max**r_sign)
    assert (d == d_max * d_sign).all()


def test_the_correction_is_a_constant_for_the_gradient(random):
    renorm = BatchRenorm1d(2)
    renorm.num_batches_tracked.fill_(renorm.ramp)
    batch = (torch.randn(16, 2, generator=random) * 1.5 + 1).requires_grad_()
    var, mean = torch.var_mean(batch, dim=0, correction=0)
    r, d = var.add(1e-5).div(1 + 1e-5).sqrt().detach(), mean.div(1 + 1e-5).detach()
    direct = (batch - mean) / (var + 1e-5).sqrt() * r + d
    out = renorm(batch)
    assert torch.allclose(out, direct, atol=1e-4)
    (found,), (expected,) = (torch.autograd.grad(y.pow(3).sum(), batch) for y in (out, direct))
    assert torch.allclose(found, expected, atol=1e-3)


def test_a_network_keeps_its_parameters_and_its_checkpoints():
    before = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4)), nn.InstanceNorm2d(4)
    )
    before[1][0].requires_grad_(False)
    before[1][0].num_batches_tracked.fill_(9)
    known = {name: id(parameter) for name, parameter in before.named_parameters()}
    state = copy.deepcopy(before.state_dict())
    after = renormalise(before.eval(), ramp=7)
    assert {name: id(parameter) for name, parameter in after.named_parameters()} == known
    assert type(after[1][0]) is BatchRenorm2d
    assert after[1][0].ramp == 7
    assert after[1][0].num_batches_tracked == 0
    assert not after[1][0].training
    assert not after[1][0].weight.requires_grad
    after.load_state_dict(state)


def test_norms_without_weights_or_statistics():
    plain = renormalise(nn.BatchNorm1d(4, affine=False, momentum=None))
    assert plain(torch.ones(3, 4)).shape == (3, 4)
    untracked = nn.BatchNorm1d(4, track_running_stats=False)
    assert renormalise(untracked) is untracked
