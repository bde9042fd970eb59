"""A judge that plays nothing: settings near a known point are worth more."""

from __future__ import annotations

from mot_dinov3.lab.tuning.objective import Verdict

PEAK = {"match_iou": 0.31, "min_hits": 3, "appearance_weight": 0.52}


class FakeJudge:
    """HOTA is 90 at the peak and falls with the square of the distance; counts its calls."""

    names, settings, models = ["a", "b"], {"conf": 0.3}, "a detector and an embedder"

    def __init__(self, stop_after=10**9):
        self.calls, self.stop_after, self.stopped = 0, stop_after, False

    def judge(self, config, check=None):
        self.calls += 1
        self.stopped = self.calls > self.stop_after
        if check is not None:
            check()
        away = (config.association.match_iou - PEAK["match_iou"]) ** 2 * 4
        away += (config.tracker.min_hits - PEAK["min_hits"]) ** 2 / 25
        away += (config.association.appearance_weight - PEAK["appearance_weight"]) ** 2
        hota = 90 - 100 * away
        scores = {name: {"hota": hota, "idf1": hota + 1, "assa": hota - 1} for name in self.names}
        share = 100 * config.association.appearance_weight
        return Verdict(scores, dict.fromkeys(self.names, 7), dict.fromkeys(self.names, share))
