"""Identities that outlive a run: which track is an object that an earlier run knew."""

from __future__ import annotations
