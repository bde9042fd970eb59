"""What every test starts with."""

from __future__ import annotations

import logging
from collections import Counter

import pytest


def pytest_configure(config):
    """The order below is kept: that of xdist begins with the files of most tests."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """Files of slow tests come first: one that begins last keeps a single process busy."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(autouse=True)
def a_fresh_log():
    """The command line takes over the package's log; no test may inherit that from another."""
    log = logging.getLogger("mot_dinov3")
    log.handlers, log.propagate = [], True
    log.setLevel(logging.NOTSET)
    yield
    log.handlers, log.propagate = [], True
    log.setLevel(logging.NOTSET)
