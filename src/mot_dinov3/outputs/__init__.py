"""What shows and stores results."""

from __future__ import annotations
