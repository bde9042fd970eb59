"""What spends the embedding budget."""

from __future__ import annotations
