"""Identities over time."""

from __future__ import annotations
