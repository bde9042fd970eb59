"""Writing: videos, tables and files that are whole or not there."""

from __future__ import annotations
