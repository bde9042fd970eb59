"""Plays a configuration on recordings and measures it against their ground truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import InputError
from mot_dinov3.evaluation.figures import measure, trackeval
from mot_dinov3.evaluation.preprocessing import preprocess
from mot_dinov3.lab.recordings.recording import Recording
from mot_dinov3.lab.recordings.replay import ReplayCase, replay
from mot_dinov3.lab.recordings.study import build_evaluation_case
from mot_dinov3.lab.tuning.objective import FAMILY_OF, Verdict
from mot_dinov3.wording import program

SHOWN = ("hota", "idf1", "assa")
"""Figures that are measured whatever the objective is."""


class Judge:
    """Measures configurations on the same recordings.

    Attributes:
        names: of the recordings.
        settings: what they were recorded with, by key.
        models: what looked at them.
    """

    def __init__(self, recordings: Mapping[str, Recording], figure: str, directory: Path) -> None:
        """Check the recordings; nothing is played yet.

        Args:
            recordings: by name; all with ground truth.
            figure: what has to be measured beside `SHOWN`.
            directory: where tracks are written for a moment.

        Raises:
            InputError: a recording has no ground truth.
            ModelError: `trackeval` is not installed.
        """
        unknown = [name for name, recording in recordings.items() if recording.truth is None]
        if unknown:
            raise InputError(
                f"Nothing is known of who is who in {', '.join(unknown)}: there is nothing to "
                "tune against.",
                fix=f"Record it with its ground truth: {program()} cache SOURCE --truth FILE "
                "--replace",
            )
        trackeval("metrics")  # fails at once, not after all replays, where it is missing
        self.names = list(recordings)
        setup = next(iter(recordings.values())).setup
        self.settings = setup.settings
        self.models = f"{setup.detector} and {setup.embedder}"
        self._recordings = recordings
        self._figures = dict.fromkeys([*SHOWN, figure])
        self._directory = directory
        self._possible: dict[str, int] = {}

    def judge(self, config: TrackConfig, check: Callable[[], None] | None = None) -> Verdict:
        """Play and measure; `check` is called before each recording and may raise to stop."""
        case = case_of(config)
        results: dict[str, Any] = {}
        crops: dict[str, int] = {}
        for name, recording in self._recordings.items():
            if check is not None:
                check()
            result = replay(recording, config, case, self._directory / f"{name}.txt")
            results[name] = build_evaluation_case(name, recording, result.table)
            crops[name] = result.crops
        families = dict.fromkeys(FAMILY_OF[figure] for figure in self._figures)
        single, _ = measure(preprocess(list(results.values())), tuple(families))
        scores = {
            name: {figure: figures[figure] for figure in self._figures}
            for name, figures in single.items()
        }
        shares = {name: self._measure_share(name, config, count) for name, count in crops.items()}
        return Verdict(scores, crops, shares)

    def _measure_share(self, name: str, config: TrackConfig, crops: int) -> float:
        """Percent of the confident detections of a recording."""
        if name not in self._possible:
            recording = self._recordings[name]
            every = replay(recording, config, ReplayCase("always"), self._directory / f"{name}.txt")
            self._possible[name] = every.crops
        return round(100 * crops / max(self._possible[name], 1), 3)


def case_of(config: TrackConfig) -> ReplayCase:
    """The policy and budget of a configuration as a replay takes them."""
    scheduler = config.scheduler
    policy = "always" if scheduler.embed_all else scheduler.embed_policy
    return ReplayCase(policy, scheduler.budget_ms, scheduler.budget_crops, config.cheap.wanted)
