"""The generated pages of the reference are those that the code gives now."""

from __future__ import annotations

import re

import pytest

from helpers.reference_pages import REFERENCE, RENEW, render_flags, render_pages
from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.config.flat import stages
from mot_dinov3.scheduling.policies.factory import POLICIES


@pytest.mark.parametrize("name", ["flags.md", "commands.md"])
def test_the_page_is_current(name):
    kept = (REFERENCE / name).read_text(encoding="utf-8")
    assert kept == render_pages()[name], f"docs/reference/{name} is old. Renew it: {RENEW}"


def test_every_flag_has_a_row_with_its_default():
    page = render_flags()
    for item in (item for one in stages(TrackConfig).values() for item in flag_fields(one)):
        row = re.search(rf"^\| .*`{item.metadata['flag']}`.*$", page, re.M)
        assert row, item.metadata["flag"]
        if isinstance(item.default, float):
            assert f"`{item.default:g}`" in row[0]


def test_a_new_member_changes_the_page(monkeypatch):
    before = render_flags()
    monkeypatch.setitem(POLICIES.table, "coin", ("nowhere:Coin", "embed by the toss of a coin"))
    assert "`coin` (embed by the toss of a coin)" in render_flags()
    assert "coin" not in before
