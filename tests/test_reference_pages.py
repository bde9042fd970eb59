"""What the documentation has from the code is what the code gives now."""

from __future__ import annotations

import re

import pytest

from helpers.floors import FLOORS, drop_implied, find_imports_of_rooms
from helpers.reference_pages import DESIGN, DOCS, RENEW, render_flags, render_pages
from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.config.flat import stages
from mot_dinov3.scheduling.policies.factory import POLICIES


@pytest.mark.parametrize(
    "name", ["reference/flags.md", "reference/needs.md", "reference/commands.md", DESIGN]
)
def test_the_page_is_current(name):
    kept = (DOCS / name).read_text(encoding="utf-8")
    assert kept == render_pages()[name], f"docs/{name} is old. Renew it: {RENEW}"


def test_the_picture_shows_every_room_and_only_real_imports():
    picture = re.search(r"```mermaid\n(.*?)```", render_pages()[DESIGN], re.S)[1]
    assert {room for floor in FLOORS for room in floor} <= set(re.findall(r"\w+", picture))
    shown = re.findall(r"(\w+) --> (\w+)", picture)
    assert len(shown) > 15
    assert all(other in find_imports_of_rooms()[room] for room, other in shown)


def test_only_imports_that_a_chain_implies_are_left_out_of_the_picture():
    imports = {room: set() for floor in FLOORS[1:] for room in floor}
    imports |= {"runs": {"systems", "io"}, "systems": {"io"}, "outputs": {"io"}}
    left = {room: others for room, others in drop_implied(imports).items() if others}
    assert left == {"runs": {"systems"}, "systems": {"io"}, "outputs": {"io"}}


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
