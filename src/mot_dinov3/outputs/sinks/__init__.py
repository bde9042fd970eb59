"""Sinks: the outputs that keep the results of a run, one file a member."""

from __future__ import annotations
