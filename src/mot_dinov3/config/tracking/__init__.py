"""The configuration of a tracking run, one file a stage."""

from __future__ import annotations
