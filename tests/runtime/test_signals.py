from __future__ import annotations

import os
import signal

import pytest

from mot_dinov3.runtime.signals import StopRequest


@pytest.fixture
def own_handler():
    """A handler for SIGTERM, so that a signal that the request misses does not end the tests."""
    missed = []
    usual = signal.signal(signal.SIGTERM, lambda number, frame: missed.append(number))
    yield missed
    signal.signal(signal.SIGTERM, usual)


def test_hearing_ends_with_the_context(own_handler):
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest().handle_signals() as stop:
        assert signal.getsignal(signal.SIGTERM) is not before
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop.signal == signal.SIGTERM
    assert not own_handler
    assert signal.getsignal(signal.SIGTERM) is before
