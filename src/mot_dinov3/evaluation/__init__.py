"""Result files to tables."""

from __future__ import annotations
