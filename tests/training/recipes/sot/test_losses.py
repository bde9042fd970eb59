"""The loss is least where the answer is right."""

from __future__ import annotations

import pytest
import torch

from mot_dinov3.nets.sot.head import Answer
from mot_dinov3.training.recipes.sot.losses import draw_centres, measure_giou, measure_loss

BOX = torch.tensor([[0.3, 0.5, 0.5, 0.7]])
SIDE = 8


def answer_at(column, row, box=BOX[0], height=8.0):
    logits = torch.full((1, SIDE, SIDE), -8.0)
    logits[0, row, column] = height
    return Answer(logits, box.view(1, 4, 1, 1).expand(1, 4, SIDE, SIDE))


def total(answer, boxes=BOX):
    return float(sum(measure_loss(answer, boxes).values()))


def test_the_right_answer_costs_next_to_nothing():
    assert total(answer_at(3, 4)) < 0.01
    assert total(answer_at(4, 3)) > 5
    assert total(answer_at(3, 4, BOX[0] + torch.tensor([0.0, 0.0, 0.1, 0.1]))) > 0.3


def test_an_absent_object_has_no_centre():
    nowhere = torch.full((1, 4), torch.nan)
    assert total(answer_at(3, 4, height=-8.0), nowhere) < 0.01
    terms = measure_loss(answer_at(3, 4), nowhere)
    assert terms["centre"] > 5
    assert terms["overlap"] == terms["corners"] == 0
    both = measure_loss(
        Answer(*(torch.cat([one, one]) for one in answer_at(3, 4))), torch.cat([BOX, nowhere])
    )
    assert all(torch.isfinite(term) for term in both.values())


def test_centres_are_1_at_their_place_and_fall():
    aim = draw_centres(BOX, SIDE)[0]
    assert aim[4, 3] == 1
    assert aim.eq(1).sum() == 1
    assert aim[4, 3] > aim[4, 4] > aim[4, 5]
    assert draw_centres(torch.tensor([[0.9, 0.9, 1.4, 1.4]]), SIDE)[0, 7, 7] == 1


def test_giou_of_known_pairs():
    found = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]])
    truth = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 2.0, 1.0], [2.0, 0.0, 3.0, 1.0]])
    assert measure_giou(found, truth).tolist() == pytest.approx([1.0, 0.5, -1 / 3], abs=1e-5)
