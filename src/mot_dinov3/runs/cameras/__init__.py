"""Several live sources at the same time in one process, around one set of models."""

from __future__ import annotations
