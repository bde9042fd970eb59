from __future__ import annotations

import pytest

from helpers.drawn_crops import draw_market
from helpers.tiny_backbone import TABLE_ROW
from mot_dinov3.nets.reid.factory import BACKBONES


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """A data set of drawn people, seen by two cameras."""
    return draw_market(tmp_path_factory.mktemp("drawn"))


@pytest.fixture
def tiny(monkeypatch):
    """The name of a backbone whose steps take milliseconds."""
    monkeypatch.setitem(BACKBONES.table, "tiny", TABLE_ROW)
    return "tiny"
