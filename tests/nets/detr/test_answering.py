"""What programs run: boxes in input pixels, and the maps behind them."""

from __future__ import annotations

import torch

from mot_dinov3.nets.detr.answering import AnsweringDetr, BackboneAlone
from mot_dinov3.nets.detr.heads import HeadShape
from mot_dinov3.nets.detr.network import DetrNetwork
from mot_dinov3.nets.maps.convolutions import ConvMaps


def test_answers_are_boxes_in_input_pixels():
    torch.manual_seed(0)
    shape = HeadShape("deformable", 2, queries=12, dim=32, encoder_layers=1, decoder_layers=2)
    network = DetrNetwork(ConvMaps(4), shape).eval()
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.2, 0.3)
    pixels = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        rows, *maps = AnsweringDetr(network, mean, std, shows_maps=True)(pixels)
        normal = (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
        found = network(normal)
    assert len(maps) == 2
    assert torch.allclose(rows[..., 4], found.score.max(-1).values)
    assert torch.equal(rows[..., 5].long(), found.score.argmax(-1))
    centre = (rows[..., :2] + rows[..., 2:4]) / 2 / torch.tensor([96, 64])
    assert torch.allclose(centre, found.boxes[..., :2], atol=1e-5)
    alone = BackboneAlone(network, mean, std)(pixels)
    assert all(torch.equal(a, b) for a, b in zip(maps, alone, strict=True))
