from __future__ import annotations

import os
import signal

from mot_dinov3.runs.loop.signals import StopRequest


def test_hearing_ends_with_the_context(unheard):
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest().handle_signals() as stop:
        assert signal.getsignal(signal.SIGTERM) is not before
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop.signal == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
