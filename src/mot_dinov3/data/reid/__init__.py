"""Pictures of objects whose identity is known, for re-identification."""

from __future__ import annotations
