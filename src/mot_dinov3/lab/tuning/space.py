"""What can be searched: settings by their configuration key, each with its range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.config.flat import as_dict, key_of, stages
from mot_dinov3.errors import UnknownNameError, UsageError
from mot_dinov3.scheduling.policies.base import Argument
from mot_dinov3.scheduling.policies.factory import POLICIES

Value: TypeAlias = float | int | bool

POLICY = "embed_policy"
CORE = "core"


@dataclass(frozen=True, slots=True)
class Setting:
    """One number or switch that a search may turn.

    Attributes:
        key: its configuration key, `embed_policy` for the argument of the policy.
        low: least value; unused for a switch.
        high: largest value.
        digits: decimals that are kept; 0 for a whole number, -1 for a switch.
    """

    key: str
    low: float = 0.0
    high: float = 1.0
    digits: int = 2

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off."""
        return self.digits < 0

    def widen_to(self, value: Value) -> Setting:
        """Widen the range to hold `value`; returns a new setting."""
        if self.is_switch:
            return self
        return replace(self, low=min(self.low, value), high=max(self.high, value))


def _switch(key: str) -> Setting:
    return Setting(key, digits=-1)


SPACE: Mapping[str, Sequence[Setting]] = {
    "scheduler": (
        Setting(POLICY),
        Setting("embed_refresh", 1, 30, 0),
        Setting("embed_iou_gate", 0.2, 0.9),
        Setting("embed_overlap_thr", 0.0, 0.6),
    ),
    "tracker": (
        Setting("strong_share", 0.3, 0.95),
        Setting("birth_share", 0.7, 1.5),
        Setting("birth_iou", 0.5, 1.0),
        Setting("max_lost", 0.3, 5.0, 1),
        Setting("reid_window", 1.0, 30.0, 1),
        Setting("min_hits", 1, 6, 0),
    ),
    "association": (
        Setting("match_iou", 0.05, 0.5),
        Setting("worst_cost", 0.4, 1.2),
        Setting("low_match_iou", 0.2, 0.9),
        Setting("tentative_iou", 0.05, 0.7),
        Setting("low_window", 0.0, 0.5),
        Setting("box_growth", 0.0, 0.2),
        Setting("box_growth_rate", 0.0, 1.0),
        Setting("box_growth_limit", 0.0, 1.0),
        Setting("height_power", 0.0, 2.0),
        Setting("score_fusion", 0.0, 1.0),
        Setting("momentum", 0.0, 0.4),
        Setting("appearance_weight", 0.0, 0.95),
        _switch("adaptive_appearance"),
        _switch("recent_first"),
    ),
    "motion": (
        _switch("steady"),
        Setting("position_noise", 0.01, 0.1, 3),
        Setting("velocity_noise", 0.001, 0.02, 4),
        Setting("measurement_noise", 0.02, 0.25, 3),
        Setting("noise_by_score", 0.05, 1.0),
        Setting("damping", 0.9, 1.0, 3),
        _switch("re_update"),
    ),
}
"""Stage -> its settings. The ranges are wide: from well below to well above what is usual."""

CORE_KEYS = (
    POLICY,
    "strong_share",
    "birth_share",
    "max_lost",
    "reid_window",
    "min_hits",
    "match_iou",
    "worst_cost",
    "appearance_weight",
)
"""What matters most, few enough for some fifty trials."""


class Space:
    """The settings that a search turns, around a start.

    Attributes:
        base: the configuration that is searched around.
        settings: by key, ranges wide enough for the start.
        start: key -> value at the start.
        usual: key -> value by default.
    """

    def __init__(self, base: TrackConfig, words: Iterable[str]) -> None:
        """Take the settings that `words` name and that do something under the policy of `base`.

        Raises:
            UnknownNameError: a word is neither "core", nor a stage, nor a key.
            UsageError: nothing is left to search.
        """
        self.base = base
        self._policy = base.scheduler.policy[0]
        self._argument: Argument | None = POLICIES.load(self._policy).argument
        self._foreign = _settings_of_others(self._policy)
        every = {item.key: item for group in SPACE.values() for item in group}
        chosen = [every[key] for key in keys_of(words, every) if self._matters(key)]
        self.start = {item.key: self._value(item.key, base) for item in chosen}
        self.usual = {item.key: self._value(item.key, TrackConfig()) for item in chosen}
        self.settings = {item.key: self._fit_range(item) for item in chosen}
        if not self.settings:
            raise UsageError(
                f"--embed-policy {base.scheduler.embed_policy} leaves nothing of --tune to search.",
                fix="Name other settings.",
            )

    def _matters(self, key: str) -> bool:
        return self._argument is not None if key == POLICY else key not in self._foreign

    def _fit_range(self, setting: Setting) -> Setting:
        argument = self._argument
        if setting.key == POLICY and argument is not None:
            setting = Setting(POLICY, argument.low, argument.high, argument.digits)
        return setting.widen_to(self.start[setting.key])

    def _value(self, key: str, config: TrackConfig) -> Value:
        if key != POLICY or self._argument is None:
            return cast("Value", as_dict(config)[key])
        number = float(config.scheduler.policy[1] or self._argument.default)
        return number if self._argument.digits else round(number)

    def apply(self, values: Mapping[str, Value]) -> TrackConfig:
        """Build the configuration with some settings at other values."""
        changed: dict[str, Any] = dict(values)
        if POLICY in changed:
            changed[POLICY] = f"{self._policy}:{changed[POLICY]:g}"
        out = self.base
        for stage, kind in stages(TrackConfig).items():
            fields = {
                item.name: changed[key_of(item)]
                for item in flag_fields(kind)
                if key_of(item) in changed
            }
            out = replace(out, **{stage: replace(getattr(out, stage), **fields)})
        return out


def _settings_of_others(policy: str) -> set[str]:
    """The keys that only other policies than this one read."""
    settings = {name: set(POLICIES.load(name).settings) for name in POLICIES}
    return set().union(*settings.values()) - settings[policy]


def keys_of(words: Iterable[str], every: Mapping[str, Setting]) -> list[str]:
    """The keys that words stand for, each once.

    Raises:
        UnknownNameError: a word is neither "core", nor a stage, nor a key.
    """
    keys: list[str] = []
    for word in words:
        name = word.removeprefix("--").replace("-", "_")
        if name == CORE:
            keys += CORE_KEYS
        elif name in SPACE:
            keys += [item.key for item in SPACE[name]]
        elif name in every:
            keys.append(name)
        else:
            raise UnknownNameError("setting", word, [CORE, *SPACE, *every])
    return list(dict.fromkeys(keys))
