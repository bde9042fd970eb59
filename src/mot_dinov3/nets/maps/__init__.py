"""Backbones whose maps other networks read: pictures in, one map for each stride out."""

from __future__ import annotations
