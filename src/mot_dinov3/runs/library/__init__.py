"""The library: a tracker for frames of one's own, and videos as an iterator of results."""

from __future__ import annotations
