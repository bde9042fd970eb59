"""What every test starts with."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture(autouse=True)
def a_fresh_log():
    """The command line takes over the package's log; no test may inherit that from another."""
    log = logging.getLogger("mot_dinov3")
    log.handlers, log.propagate = [], True
    log.setLevel(logging.NOTSET)
    yield
    log.handlers, log.propagate = [], True
    log.setLevel(logging.NOTSET)
