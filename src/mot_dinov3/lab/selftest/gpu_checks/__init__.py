"""The checks of the GPU path."""

from __future__ import annotations
