"""Figures of re-identification: rankings, distances by shared neighbours, cameras, the gate."""

from __future__ import annotations
