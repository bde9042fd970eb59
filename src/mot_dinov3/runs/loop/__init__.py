"""The loop: reader -> step -> sinks, in one thread or in three.

It knows protocols only: any system with `step` and any sink with `write` runs here.
"""

from __future__ import annotations

from mot_dinov3.runs.loop.base import FrameSink, OnFrame, RunOutcome, RunSettings, VideoTracker
from mot_dinov3.runs.loop.loop import run
from mot_dinov3.runtime.signals import StopRequest

__all__ = [
    "FrameSink",
    "OnFrame",
    "RunOutcome",
    "RunSettings",
    "StopRequest",
    "VideoTracker",
    "run",
]
