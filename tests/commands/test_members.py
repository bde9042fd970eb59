"""The names that a flag knows come from the tables, each with a line that says what it means."""

from __future__ import annotations

import pytest

from mot_dinov3.commands.members import BESIDE_THE_TABLE, TABLES, WITHOUT_TABLE, members_of
from mot_dinov3.config.presets import PRESETS
from mot_dinov3.outputs.sinks.factory import SINKS
from mot_dinov3.perception.detectors.factory import DETECTORS
from mot_dinov3.perception.features.factory import EMBEDDERS


@pytest.mark.parametrize("key", [*TABLES, *WITHOUT_TABLE])
def test_every_name_has_a_line(key):
    members = members_of(key)
    assert members
    assert all(len(line) > 8 and "\n" not in line for line in members.values())


def test_names_are_those_of_the_table_and_those_that_stand_for_none_or_all():
    assert list(members_of("embedder")) == [*EMBEDDERS, "none"]
    assert list(members_of("tracker")) == [*PRESETS]
    assert set(BESIDE_THE_TABLE) <= set(TABLES)


def test_every_row_is_a_word_that_may_be_given():
    assert list(members_of("det")) == [*DETECTORS]
    assert list(members_of("save")) == [*SINKS]


def test_most_flags_know_no_names():
    assert members_of("conf") == {}
