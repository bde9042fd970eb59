from __future__ import annotations

import signal

import pytest

from mot_dinov3.runs.loop import RunSettings


@pytest.fixture
def unheard():
    """Take SIGINT and SIGTERM first, so that a run that misses them does not end the test run."""
    missed = []
    previous = {
        number: signal.signal(number, lambda n, _: missed.append(n))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    yield missed
    for number, handler in previous.items():
        signal.signal(number, handler)


@pytest.fixture(params=[False, True], ids=["serial", "overlap"])
def way(request):
    """Both ways to run the loop: what holds for one must hold for the other."""
    return RunSettings(overlap=request.param)
