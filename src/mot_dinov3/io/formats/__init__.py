"""Text formats that are both read and written."""

from __future__ import annotations
