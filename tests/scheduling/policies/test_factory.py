from __future__ import annotations

import pytest

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.errors import UnknownNameError, UsageError
from mot_dinov3.scheduling.policies.base import Argument
from mot_dinov3.scheduling.policies.factory import POLICIES, create_policy

NUMBER = Argument("K", default=5, least=1, low=1, high=30)


def name_of(**config):
    return type(create_policy(SchedulerConfig(**config))).__name__


def test_the_policy_is_chosen_by_name():
    assert name_of() == name_of(embed_policy="value") == "ValuePolicy"
    assert name_of(embed_policy="continuity") == "ContinuityPolicy"
    assert name_of(embed_policy="never") == "NeverPolicy"


def test_embed_all_is_another_word_for_always():
    assert name_of(embed_all=True) == name_of(embed_policy="always") == "AlwaysPolicy"
    with pytest.raises(UsageError, match="--embed-all means"):
        SchedulerConfig(embed_all=True, embed_policy="never")


def test_without_an_embedder_nothing_is_embedded():
    config = SchedulerConfig(embed_policy="always")
    assert type(create_policy(config, embedder=False)).__name__ == "NeverPolicy"


@pytest.mark.parametrize("embedder", [True, False])
def test_an_unknown_policy_lists_those_there_are(embedder):
    with pytest.raises(UnknownNameError) as caught:
        create_policy(SchedulerConfig(embed_policy="continuty"), embedder=embedder)
    assert "Did you mean continuity?" in str(caught.value)
    assert all(name in str(caught.value) for name in POLICIES)


@pytest.mark.parametrize("name", ["continuity", "always", "never"])
def test_an_argument_that_nobody_asked_for_is_refused(name):
    with pytest.raises(UsageError, match=f"{name} takes no argument, got '5'"):
        create_policy(SchedulerConfig(embed_policy=f"{name}:5"))


def test_a_number_behind_the_colon():
    assert NUMBER.read("interval", "") == 5
    assert NUMBER.read("interval", "7") == 7


@pytest.mark.parametrize("text", ["x", "0", "nan", "inf", "-3"])
def test_a_senseless_number_is_refused(text):
    with pytest.raises(UsageError, match=f"interval:{text} needs a number of at least 1"):
        NUMBER.read("interval", text)


@pytest.mark.parametrize("name", ["value", "fast-strongsort"])
def test_a_share_is_at_most_one(name):
    assert name_of(embed_policy=f"{name}:1")
    with pytest.raises(UsageError, match=f"{name}:7 needs a number from 0 to 1"):
        create_policy(SchedulerConfig(embed_policy=f"{name}:7"))


def test_every_policy_starts_within_the_range_that_is_searched():
    found = {name: POLICIES.load(name).argument for name in POLICIES}
    assert {name for name, argument in found.items() if argument is not None} == {
        "value",
        "interval",
        "fast-strongsort",
    }
    for argument in filter(None, found.values()):
        assert argument.least <= argument.low <= argument.default <= argument.high


def test_a_policy_that_leaves_no_refreshes_says_so():
    assert [name for name in POLICIES if not POLICIES.load(name).refreshes] == [
        "always",
        "never",
        "fast-strongsort",
    ]
