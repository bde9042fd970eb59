"""The search itself: optuna proposes, recordings judge; the same trials in every run.

Optuna: Akiba et al. 2019. Its sampler, TPE: Bergstra et al. 2011.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from mot_dinov3.lab.tuning.engine import build_distributions, load_optuna
from mot_dinov3.lab.tuning.objective import Objective, Verdict
from mot_dinov3.lab.tuning.space import Space, Value

if TYPE_CHECKING:
    import optuna

    from mot_dinov3.lab.tuning.judge import Judge

VERDICT, CHOSEN = "verdict", "values"
"""Names under which a study keeps what our trials are made of."""

SPREAD = 1_000_003
"""Keeps the random numbers of neighbouring seeds apart."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration that was judged.

    Attributes:
        number: in order, from 0; 0 is the start.
        values: setting -> value.
        verdict: what it was worth on the recordings for training.
        value: of the objective.
        admitted: whether it keeps the limit of crops.
    """

    number: int
    values: Mapping[str, Value]
    verdict: Verdict
    value: float
    admitted: bool


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """When a search ends.

    Attributes:
        trials: after so many, those of earlier runs of the same study included.
        timeout_s: after so many seconds, 0 for never.
        seed: decides what is tried.
    """

    trials: int = 50
    timeout_s: float = 0.0
    seed: int = 0


class EnoughError(Exception):
    """The search is to end; what is being judged is given up."""


class Search:
    """Trials of one study, those of earlier runs included."""

    def __init__(
        self, space: Space, judge: Judge, objective: Objective, study: optuna.Study
    ) -> None:
        """Mark trials that a killed run left unfinished as failed.

        Args:
            space: the settings to search.
            judge: measures a configuration on the recordings.
            objective: the number to be made large.
            study: optuna's study, which keeps the trials.
        """
        self.space, self.judge, self.objective, self.study = space, judge, objective, study
        self._optuna = load_optuna()
        self._state = self._optuna.trial.TrialState
        for item in study.get_trials(deepcopy=False, states=(self._state.RUNNING,)):
            study.tell(item.number, state=self._state.FAIL)  # a killed run left it half done

    def run(
        self,
        limits: SearchLimits,
        on_trial: Callable[[Trial], None],
        stopped: Callable[[], bool],
    ) -> bool:
        """Try until a limit is reached or `stopped` says so; returns whether all trials were made.

        The start comes first, then the defaults. What is proposed later depends on the seed and
        on the trials before it only, so a study that goes on another day makes the same trials
        as one that was never interrupted.

        Args:
            limits: when to end.
            on_trial: called with each new trial.
            stopped: asked before each recording.
        """
        until_s = perf_counter() + limits.timeout_s if limits.timeout_s else float("inf")

        def check() -> None:
            if stopped() or perf_counter() > until_s:
                raise EnoughError

        starts = self._list_starts()
        try:
            while (made := len(self._list_records())) < limits.trials:
                check()
                if made < len(starts):
                    on_trial(self._judge_start(starts[made], check))
                else:
                    on_trial(self._propose(limits.seed * SPREAD + made, check))
        except EnoughError:
            return False
        return True

    def trials(self) -> list[Trial]:
        """All that were made, in order."""
        return [self._build_trial(number, item) for number, item in enumerate(self._list_records())]

    @property
    def defaults(self) -> Trial | None:
        """The trial of the defaults, where the start was another and it was made."""
        both = len(self._list_starts()) == 2
        return self.trials()[1] if both and len(self._list_records()) >= 2 else None

    def _list_starts(self) -> list[Mapping[str, Value]]:
        """List the values to judge first: the start, and the defaults where they differ from it."""
        space = self.space
        return [space.start] if space.start == space.usual else [space.start, space.usual]

    def _list_records(self) -> list[optuna.trial.FrozenTrial]:
        out: list[optuna.trial.FrozenTrial] = self.study.get_trials(
            deepcopy=False, states=(self._state.COMPLETE,)
        )
        return out

    def _judge_start(self, values: Mapping[str, Value], check: Callable[[], None]) -> Trial:
        """Judge values that the sampler did not propose."""
        verdict = self.judge.judge(self.space.apply(values), check)
        self.study.add_trial(
            self._optuna.trial.create_trial(
                params=dict(values),
                distributions=build_distributions(self.space.settings),
                value=self.objective.value(verdict),
                user_attrs=serialise_trial(values, verdict),
            )
        )
        return self.trials()[-1]

    def _propose(self, seed: int, check: Callable[[], None]) -> Trial:
        """Let the sampler say what to judge next."""
        self.study.sampler = self._optuna.samplers.TPESampler(seed=seed)
        asked = self.study.ask(build_distributions(self.space.settings))
        values = round_values(asked.params, self.space)
        try:
            verdict = self.judge.judge(self.space.apply(values), check)
        except BaseException:
            self.study.tell(asked, state=self._state.FAIL)
            raise
        for name, text in serialise_trial(values, verdict).items():
            asked.set_user_attr(name, text)
        self.study.tell(asked, self.objective.value(verdict))
        return self.trials()[-1]

    def _build_trial(self, number: int, item: optuna.trial.FrozenTrial) -> Trial:
        verdict = Verdict(**json.loads(item.user_attrs[VERDICT]))
        values = json.loads(item.user_attrs[CHOSEN])
        value, admitted = self.objective.value(verdict), self.objective.admits(verdict)
        return Trial(number, values, verdict, value, admitted)


def serialise_trial(values: Mapping[str, Value], verdict: Verdict) -> dict[str, str]:
    """Turn a trial into the attributes that a study keeps of it beside optuna's own."""
    return {CHOSEN: json.dumps(dict(values)), VERDICT: json.dumps(asdict(verdict))}


def best_of(trials: list[Trial]) -> Trial:
    """The admitted trial of the highest value, the earliest of equals; any if none is admitted."""
    return max(trials, key=lambda trial: (trial.admitted, trial.value, -trial.number))


def round_values(values: Mapping[str, Value], space: Space) -> dict[str, Value]:
    """Round to as many digits as the settings keep; switches and whole numbers stay."""
    return {
        key: round(value, space.settings[key].digits) if isinstance(value, float) else value
        for key, value in values.items()
    }
