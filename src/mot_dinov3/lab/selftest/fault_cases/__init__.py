"""The table of faults: a file for each kind, a line for each fault."""

from __future__ import annotations
