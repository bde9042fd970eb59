"""Journals of runs: what a tracker was told, kept on disk, so that a killed run can go on."""

from __future__ import annotations
