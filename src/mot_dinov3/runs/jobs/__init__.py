"""One source from its frames to its outputs: the main job, and whatever runs it many times."""

from __future__ import annotations
