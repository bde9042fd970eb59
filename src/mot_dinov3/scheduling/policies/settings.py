"""What to say of settings that only some policies read."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from mot_dinov3.config import RULE_POLICY, RULE_SETTINGS, SchedulerConfig, flag_fields
from mot_dinov3.config.flat import flag_of, key_of
from mot_dinov3.runtime.notices import log_notice
from mot_dinov3.scheduling.policies.factory import policy_class
from mot_dinov3.wording import form_of

log = logging.getLogger("mot_dinov3")


def report_settings(config: SchedulerConfig) -> None:
    """Log that settings of one policy chose it, or warn that the policy does not read them."""
    if choice := explain_choice(config):
        log_notice(choice)
    if unread := explain_unread(config):
        log.warning("%s", unread)


def explain_choice(config: SchedulerConfig) -> str:
    """The sentence that says that settings of one policy chose it, "" if they did not."""
    if not config.policy_follows:
        return ""
    flags = _join_flags(config.given)
    return (
        f"{flags} {form_of(len(config.given), 'chooses', 'choose')} --embed-policy {RULE_POLICY}."
    )


def explain_unread(config: SchedulerConfig) -> str:
    """The sentence that names given settings that the policy does not read, "" if it reads them.

    A configuration that was built by hand does not say what was given; there, what differs from
    its default was.
    """
    name = config.policy[0]
    given = config.given or _find_changed(config)
    unread = [key for key in given if key not in policy_class(name).settings]
    if not unread:
        return ""
    does, them = form_of(len(unread), "does", "do"), form_of(len(unread), "it", "them")
    return (
        f"{_join_flags(unread)} {does} nothing with --embed-policy {name}: "
        f"{RULE_POLICY} reads {them}."
    )


def _find_changed(config: SchedulerConfig) -> list[str]:
    return [
        key_of(item)
        for item in flag_fields(SchedulerConfig)
        if key_of(item) in RULE_SETTINGS and getattr(config, item.name) != item.default
    ]


def _join_flags(keys: Iterable[str]) -> str:
    """`--a, --b and --c`."""
    *others, last = map(flag_of, keys)
    return f"{', '.join(others)} and {last}" if others else last
