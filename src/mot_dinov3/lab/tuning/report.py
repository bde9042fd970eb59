"""What a search found, in words: trials, importance, and a file for `--config`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.config.flat import as_dict, key_of, stages
from mot_dinov3.config.presets import preset
from mot_dinov3.evaluation.figures import TITLES
from mot_dinov3.lab.tuning.engine import load_optuna
from mot_dinov3.lab.tuning.judge import SHOWN
from mot_dinov3.lab.tuning.objective import Objective, Verdict
from mot_dinov3.lab.tuning.search import Search, Trial
from mot_dinov3.lab.tuning.space import Value
from mot_dinov3.wording import program

if TYPE_CHECKING:
    import optuna

REPLAYED = ("cheap", "scheduler", "tracker", "association", "motion")
"""Stages of a configuration that a replay runs."""
CONFIDENCES = ("conf", "low_conf")
"""What a recording decides in their place: who is detected, and who may start a track."""
MOST_ROWS = 10
FEW_TRIALS = 8
"""With fewer, nothing can be said of importance."""


def format_trials(trials: Sequence[Trial], start: Trial, most: int = MOST_ROWS) -> str:
    """Format the best trials, best first, and what each changed against the start."""
    best = sorted(trials, key=lambda trial: (not trial.admitted, -trial.value, trial.number))
    head = "trial   value   HOTA   IDF1   AssA  crops %  changes against the start"
    return "\n".join([head, *(_format_row(trial, start) for trial in best[:most])])


def _format_row(trial: Trial, start: Trial) -> str:
    changes = " ".join(
        f"{key}={format_value(value)}"
        for key, value in trial.values.items()
        if value != start.values[key]
    )
    refused = "" if trial.admitted else "too many crops: "
    return (
        f"{trial.number:>5}{trial.value:>8.2f}{_format_figures(trial.verdict)}  "
        f"{refused}{changes or 'none: the start'}"
    )


def _format_figures(verdict: Verdict) -> str:
    scores = "".join(f"{verdict.mean(figure):>7.2f}" for figure in SHOWN)
    return f"{scores}{verdict.share:>9.1f}"


def format_value(value: Value) -> str:
    """Format a value as it stands in a configuration file."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"


def format_split(
    train: Mapping[str, Verdict], held: Mapping[str, Verdict], objective: Objective
) -> str:
    """Configurations on the recordings for training and on those held out, a line each."""
    sides = [("training", train), ("held out", held)]
    rows = [
        (f"{name}, {side}", verdicts[name])
        for name in train
        for side, verdicts in sides
        if name in verdicts
    ]
    lines = ["                     value   HOTA   IDF1   AssA  crops %"]
    for title, verdict in rows:
        lines.append(f"{title:<18}{objective.value(verdict):>8.2f}{_format_figures(verdict)}")
    return "\n".join(lines)


def build_comments(
    search: Search, best: Trial, held: Mapping[str, Verdict], seed: int
) -> list[str]:
    """Say how the configuration was found, for the head of its file."""
    trials, judge, objective = search.trials(), search.judge, search.objective
    start = trials[0].verdict
    out = [
        f"{program()} tune: trial {best.number} of {len(trials)}, seed {seed}",
        f"objective: {objective.title}",
        f"recorded with {judge.models}",
        f"on {', '.join(judge.names)}: {_format_change(start, best.verdict)}",
    ]
    if held:
        names = ", ".join(held["best"].scores)
        out.append(f"held out, on {names}: {_format_change(held['start'], held['best'])}")
    else:
        out.append("not checked on other recordings")
    return out


def _format_change(before: Verdict, after: Verdict) -> str:
    parts = [
        f"{TITLES[figure]} {before.mean(figure):.2f} -> {after.mean(figure):.2f}"
        for figure in SHOWN
    ]
    return ", ".join([*parts, f"crops {before.share:.1f} % -> {after.share:.1f} %"])


def measure_importance(study: optuna.Study) -> dict[str, float]:
    """Setting -> its share of what decides whether a trial is among the best, largest first.

    PED-ANOVA: Watanabe, Bansal and Hutter 2023, https://arxiv.org/abs/2304.10255. Empty where
    there are too few trials, or where all are worth the same.
    """
    values = {trial.value for trial in study.get_trials(deepcopy=False) if trial.value is not None}
    if len(values) < FEW_TRIALS:
        return {}
    measures = load_optuna().importance
    found: dict[str, float] = measures.get_param_importances(
        study, evaluator=measures.PedAnovaImportanceEvaluator()
    )
    return found


def format_importance(shares: Mapping[str, float]) -> str:
    """Format a line per setting that matters at all."""
    rows = [f"  {key:<20}{100 * share:>5.0f} %" for key, share in shares.items() if share >= 0.01]
    return "\n".join(["importance (PED-ANOVA)", *rows]) if rows else ""


def find_changes(config: TrackConfig, recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Key -> value of everything that a file must say for `--config` to give this configuration.

    Args:
        config: what was found; of it only the stages count that a replay runs.
        recorded: what the recordings were made with; of it only confidences count.
    """
    name = config.tracker.tracker
    usual = as_dict(TrackConfig()) | {"tracker": name} | preset(name)
    wanted = as_dict(config)
    out = {key: wanted[key] for key in list_replayed_keys() if wanted[key] != usual[key]}
    for key in CONFIDENCES:
        if key not in preset(name) and recorded.get(key, usual[key]) != usual[key]:
            out[key] = recorded[key]
    return out if name == TrackConfig().tracker.tracker else {"tracker": name, **out}


def list_replayed_keys() -> list[str]:
    """List the keys of all settings that a replay uses."""
    return [key_of(item) for stage in REPLAYED for item in flag_fields(stages(TrackConfig)[stage])]


def as_toml(values: Mapping[str, Any], build_comments: Sequence[str]) -> str:
    """A file for `--config`: comment lines, then a line a value."""
    head = ["# " + "".join(c if c.isprintable() else "?" for c in line) for line in build_comments]
    # A number, a switch or a text of JSON is one of TOML, too.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([*head, *lines, ""])
