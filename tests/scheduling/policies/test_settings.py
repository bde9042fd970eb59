"""Settings of one policy choose it, or it is said that nothing reads them."""

from __future__ import annotations

import logging

import pytest

from mot_dinov3.commands.flags import resolve
from mot_dinov3.commands.track import parser
from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.config.flat import to_toml
from mot_dinov3.runtime.notices import NOTICE
from mot_dinov3.scheduling.policies.settings import (
    explain_choice,
    explain_unread,
    report_settings,
)

ALL = ("--embed-refresh", "5", "--embed-iou-gate", "0.6", "--embed-overlap-thr", "0.2")
"""At their defaults: what is given is given."""


def scheduler_of(*words, toml=None, environment=None):
    chosen = vars(parser().parse_args(list(words)))
    chosen = {k: v for k, v in chosen.items() if k not in ("config", "print_config")}
    return resolve(TrackConfig, chosen, toml, environment or {}).scheduler


def file_of(tmp_path, text):
    path = tmp_path / "run.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("number", [0, 2, 4])
def test_one_setting_of_continuity_chooses_it_and_says_so(number):
    flag, value = ALL[number : number + 2]
    config = scheduler_of(flag, value)
    assert config.policy == ("continuity", "")
    assert explain_choice(config) == f"{flag} chooses --embed-policy continuity."
    assert not explain_unread(config)


def test_several_are_named_together():
    said = explain_choice(scheduler_of(*ALL))
    assert said == (
        "--embed-refresh, --embed-iou-gate and --embed-overlap-thr choose --embed-policy "
        "continuity."
    )


def test_a_file_and_a_variable_choose_as_a_flag_does(tmp_path):
    toml = file_of(tmp_path, "embed_refresh = 5")
    assert scheduler_of(toml=toml).policy[0] == "continuity"
    assert scheduler_of(environment={"MOT_EMBED_REFRESH": "5"}).policy[0] == "continuity"
    assert scheduler_of("--source", "a", "b", *ALL).policy[0] == "continuity", "of a batch too"


def test_without_any_the_default_stays():
    config = scheduler_of("--embed-budget-ms", "20")
    assert config.policy[0] == "value"
    assert not explain_choice(config) + explain_unread(config)


@pytest.mark.parametrize("layer", ["flag", "file", "variable"])
def test_an_explicit_policy_stays_and_what_it_does_not_read_is_named(tmp_path, layer):
    toml = file_of(tmp_path, "embed_policy = 'value:0.7'") if layer == "file" else None
    words = ("--embed-policy", "value:0.7") if layer == "flag" else ()
    environment = {"MOT_EMBED_POLICY": "value:0.7"} if layer == "variable" else {}
    config = scheduler_of(*words, "--embed-refresh", "5", toml=toml, environment=environment)
    assert config.policy == ("value", "0.7")
    assert not explain_choice(config)
    assert explain_unread(config) == (
        "--embed-refresh does nothing with --embed-policy value: continuity reads it."
    )


def test_embed_all_is_an_explicit_policy():
    assert "with --embed-policy always" in explain_unread(scheduler_of("--embed-all", *ALL))


def test_a_policy_that_reads_one_of_them_is_named_with_the_others():
    config = scheduler_of("--embed-policy", "interval:3", *ALL)
    assert explain_unread(config).startswith("--embed-refresh and --embed-overlap-thr do nothing")
    assert not explain_unread(scheduler_of("--embed-policy", "continuity", *ALL))


@pytest.mark.parametrize("words", [(), ALL, ("--embed-policy", "value:0.5")])
def test_what_is_printed_is_read_back_without_a_word(tmp_path, words):
    config = scheduler_of(*words)
    toml = file_of(tmp_path, to_toml(TrackConfig(scheduler=config)))
    again = scheduler_of(toml=toml)
    assert again == config
    assert not explain_choice(again) + explain_unread(again)


def test_a_configuration_built_by_hand_warns_of_what_was_changed():
    assert not explain_unread(SchedulerConfig())
    assert "--embed-refresh does nothing" in explain_unread(SchedulerConfig(refresh_every=9))
    assert not explain_unread(SchedulerConfig("continuity", refresh_every=9))


def test_a_choice_is_a_notice_and_an_idle_setting_a_warning(caplog):
    with caplog.at_level(NOTICE, "mot_dinov3"):
        report_settings(scheduler_of("--embed-refresh", "9"))
        report_settings(SchedulerConfig(refresh_every=9))
        report_settings(SchedulerConfig())
    assert [record.levelno for record in caplog.records] == [NOTICE, logging.WARNING]
