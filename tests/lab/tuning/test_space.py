"""What can be searched: every range holds the default, and a value ends where its key says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mot_dinov3.config import SchedulerConfig, TrackConfig, TrackerConfig
from mot_dinov3.config.flat import as_dict
from mot_dinov3.errors import UnknownNameError, UsageError
from mot_dinov3.lab.tuning.space import CORE_KEYS, POLICY, SPACE, Setting, Space

EVERYTHING = ("scheduler", "tracker", "association", "motion")


def with_policy(policy):
    return replace(TrackConfig(), scheduler=SchedulerConfig(policy))


@pytest.mark.parametrize("policy", ["value", "interval", "fast-strongsort", "continuity"])
def test_the_defaults_lie_within_the_ranges_and_change_nothing(policy):
    space = Space(with_policy(policy), EVERYTHING)
    plain = {item.key: item for group in SPACE.values() for item in group}
    for key, value in space.start.items():
        if key != POLICY and not plain[key].is_switch:
            assert plain[key].low <= value <= plain[key].high, key
    apply, usual = as_dict(space.apply(space.start)), as_dict(with_policy(policy))
    assert {k: v for k, v in apply.items() if k != POLICY} == {
        k: v for k, v in usual.items() if k != POLICY
    }
    assert apply[POLICY].startswith(policy)


def test_every_value_goes_to_its_own_key():
    space = Space(TrackConfig(), EVERYTHING)
    for key, setting in space.settings.items():
        other = (not space.start[key]) if setting.is_switch else setting.low
        find_changes = as_dict(space.apply({key: other}))
        wanted = f"value:{other:g}" if key == POLICY else other
        assert find_changes == as_dict(TrackConfig()) | {key: wanted}


def test_words_are_stages_single_flags_or_the_core():
    assert list(Space(TrackConfig(), ["core"]).settings) == list(CORE_KEYS)
    assert list(Space(TrackConfig(), ["--min-hits", "max_lost"]).settings) == [
        "min_hits", "max_lost"
    ]  # fmt: skip
    both = Space(TrackConfig(), ["tracker", "min_hits"]).settings
    assert list(both) == [item.key for item in SPACE["tracker"]]
    with pytest.raises(UnknownNameError, match="'min_hit'"):
        Space(TrackConfig(), ["min_hit"])


def test_a_policy_brings_its_own_argument():
    assert Space(with_policy("interval:8"), ["core"]).start[POLICY] == 8
    interval = Space(with_policy("interval"), ["core"])
    assert interval.settings[POLICY].digits == 0
    assert interval.apply({POLICY: 3}).scheduler.embed_policy == "interval:3"
    assert Space(TrackConfig(), ["core"]).start[POLICY] == 0.7
    assert POLICY not in Space(with_policy("always"), ["core"]).settings
    assert "embed_refresh" in Space(with_policy("continuity"), ["scheduler"]).settings
    assert "embed_refresh" not in Space(TrackConfig(), ["scheduler"]).settings
    with pytest.raises(UsageError, match="leaves nothing"):
        Space(with_policy("always"), ["scheduler"])


def test_a_range_grows_to_hold_a_strange_start():
    base = replace(TrackConfig(), tracker=TrackerConfig(min_hits=20, max_lost_s=0.0))
    space = Space(base, ["min_hits", "max_lost"])
    assert (space.settings["min_hits"].high, space.settings["max_lost"].low) == (20, 0)
    assert Setting("steady", digits=-1).widen_to(True) == Setting("steady", digits=-1)
