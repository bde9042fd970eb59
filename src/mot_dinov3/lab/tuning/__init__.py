"""Searches settings of scheduler and tracker by playing recordings whose truth is known."""

from __future__ import annotations
