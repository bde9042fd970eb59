"""Relinking: which identities of a finished run are one, told by their looks, time and place."""

from __future__ import annotations
