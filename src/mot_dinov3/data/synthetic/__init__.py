"""Worlds with known identities."""

from __future__ import annotations
