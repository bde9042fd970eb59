"""Tiny end-to-end trackers, drawn sequences to teach them, and networks with noise in them."""

from __future__ import annotations

from helpers.drawn_sequence import draw_sequence
from mot_dinov3.nets.detr.heads import HeadShape
from mot_dinov3.nets.maps.convolutions import ConvMaps
from mot_dinov3.nets.motr.network import MotrNetwork
from mot_dinov3.training.engine import train
from mot_dinov3.training.recipes.motr.recipe import MotrRecipe
from mot_dinov3.training.settings import TrainingRun

SMALL = {
    "backbone": "random:tiny",
    "queries": 10,
    "dim": 64,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "imgsz": 96,
    "clip_frames": 3,
    "warm_up": 0,
}


def write_films(folder, count=1, frames=8):
    """A folder of sequences with two people each; returns the value of `--data`."""
    for number in range(count):
        draw_sequence(folder / f"film{number}", 2, frames, first=2 * number)
    return f"mot:{folder}"


def recipe_of(data, **changes):
    """A recipe of a step."""
    return MotrRecipe(data=data, **{"steps": 1, **SMALL, **changes})


def train_tracker(folder, data, **changes):
    """Train for a step, or for as many as are given."""
    return train(recipe_of(data, **changes), TrainingRun(out=str(folder), device="cpu"))


def make_network(updater="samba"):
    """A network whose layers all say something, in evaluation mode."""
    import torch

    torch.manual_seed(0)
    shape = HeadShape("deformable", 2, queries=12, dim=32, encoder_layers=1, decoder_layers=2)
    network = MotrNetwork(ConvMaps(4), shape, updater)
    with torch.no_grad():
        for value in network.head.parameters():
            value.add_(0.05 * torch.randn_like(value))
    return network.eval()


def make_tracks(network, count, seed=1):
    """Tracks that have just begun, in places of their own."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    output = torch.randn(count, network.shape.dim, generator=generator)
    return network.begin(output, 0.2 + 0.5 * torch.rand(count, 4, generator=generator))
