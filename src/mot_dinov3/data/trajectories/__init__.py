"""Boxes of known identities over time, without pictures, to learn motion from and measure it on."""

from __future__ import annotations
