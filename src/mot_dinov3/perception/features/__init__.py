"""Embedders: whatever turns crops into unit vectors that tell identities apart."""

from __future__ import annotations
