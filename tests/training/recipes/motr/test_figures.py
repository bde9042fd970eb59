"""What is measured: HOTA as the tracker would have it, and a control that exchanges memories."""

from __future__ import annotations

import numpy as np
import torch

from helpers.drawn_sequence import draw_sequence
from helpers.motr_runs import make_network
from mot_dinov3.io.checkpoint import CheckpointConfig
from mot_dinov3.perception.query_tracker import QueryRules, QueryTracker
from mot_dinov3.training.recipes.motr import figures
from mot_dinov3.training.recipes.motr.figures import assess, choose_rules, exchange_memory
from mot_dinov3.training.recipes.motr.sources import read_film
from mot_dinov3.values import CONFIRMED, LOST, Tracks

CONFIG = CheckpointConfig("motr", {"longest_px": 96}, ("one",), mean=(0.5,) * 3, std=(0.25,) * 3)


def test_a_network_that_is_sure_of_nothing_reaches_nothing(tmp_path):
    film = read_film(draw_sequence(tmp_path / "film", 2, 3))
    values = assess(make_network().eval(), [film], CONFIG).values
    assert values["hota"] == values["crossings"] == 0
    assert "kept" not in values


def test_the_scores_are_chosen_that_the_network_is_sure_enough_for(tmp_path, monkeypatch):
    film = read_film(draw_sequence(tmp_path / "film", 6, 3))
    network = make_network().eval()
    plain = choose_rules(network, [film], CONFIG)
    assert (plain.birth, plain.keep) == (0.5, 0.5)  # nothing is found at any of them

    class Unsure:
        """Says what is true, at a score of 0.45 when it finds an object and 0.35 afterwards."""

        def __init__(self, network, config, rules):
            self.rules, self.frame = rules, 0

        def step(self, image, time_s):
            rows = film.truth.rows_of(self.frame)
            score = 0.45 if self.frame == 0 else 0.35
            sure = score >= (self.rules.birth if self.frame == 0 else self.rules.keep)
            self.frame += 1
            return None, make_tracks(film.truth.xyxy[rows], film.truth.track_id[rows], sure)

    monkeypatch.setattr(figures, "QueryTracker", Unsure)
    chosen = choose_rules(network, [film], CONFIG)
    assert (chosen.birth, chosen.keep) == (0.4, 0.3)


def make_tracks(xyxy, ids, sure):
    """Tracks with these boxes, seen if the network is sure."""
    n = len(ids)
    state = np.full(n, CONFIRMED if sure else LOST, np.int8)
    places = np.arange(n) if sure else np.full(n, -1)
    kinds = np.zeros(n, np.int64), state, np.zeros(n, np.bool_), places
    return Tracks(ids, xyxy, np.ones(n, np.float32), *kinds)


def test_two_tracks_exchange_what_they_remember_but_not_their_places():
    tracker = QueryTracker(make_network(), CONFIG, QueryRules(birth=0.0, keep=0.0, birth_iou=0.5))
    image = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    for time in range(2):
        tracker.step(image, time / 10)
    before = tracker.queries
    exchange_memory(tracker, (1, 2))
    after = tracker.queries
    assert torch.equal(after.boxes, before.boxes)
    assert torch.equal(after.content[[0, 1]], before.content[[1, 0]])
    assert torch.equal(after.memory[0][[0, 1]], before.memory[0][[1, 0]])
    assert torch.equal(after.content[2:], before.content[2:])
    exchange_memory(tracker, (1, 99))
    assert tracker.queries is after
