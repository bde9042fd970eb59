from __future__ import annotations

import sys
from collections import OrderedDict
from importlib import import_module

import pytest

from mot_dinov3.errors import UnknownNameError
from mot_dinov3.perception.detectors.base import DetectorKind
from mot_dinov3.perception.detectors.factory import DETECTORS
from mot_dinov3.perception.features.base import EmbedderKind
from mot_dinov3.perception.features.factory import EMBEDDERS
from mot_dinov3.registry import Registry


def test_a_name_becomes_what_it_stands_for():
    table = Registry(
        "thing",
        {"ordered": ("collections:OrderedDict", "sorted"), "module": ("collections", "all")},
    )
    assert table.load("ordered") is OrderedDict
    assert table.load("module") is sys.modules["collections"]
    assert list(table) == ["ordered", "module"]
    assert "module" in table
    assert table.help("ordered") == "sorted"


def test_nothing_is_imported_before_it_is_asked_for():
    table = Registry("thing", {"later": ("this_module_does_not_exist:X", "")})
    with pytest.raises(ModuleNotFoundError):
        table.load("later")


def test_an_unknown_name_lists_the_known():
    with pytest.raises(UnknownNameError, match=r"(?s)Unknown thing 'ordred'.*ordered"):
        Registry("thing", {"ordered": ("collections:OrderedDict", "sorted")}).load("ordred")


@pytest.mark.parametrize(
    ("module", "table"),
    [
        ("mot_dinov3.scheduling.policies.factory", "POLICIES"),
        ("mot_dinov3.tracking.association.factory", "ASSOCIATIONS"),
        ("mot_dinov3.tracking.camera.factory", "CAMERAS"),
        ("mot_dinov3.tracking.motion.factory", "MOTIONS"),
    ],
)
def test_every_member_of_every_table_is_there(module, table):
    registry = getattr(import_module(module), table)
    for name in registry:
        assert callable(registry.load(name)), name


@pytest.mark.parametrize(("table", "kind"), [(DETECTORS, DetectorKind), (EMBEDDERS, EmbedderKind)])
def test_models_are_described_by_kinds_that_mypy_has_compared(table, kind):
    for name in table:
        assert isinstance(table.load(name), kind), name
