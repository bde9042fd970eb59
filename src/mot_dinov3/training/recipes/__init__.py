"""Recipes: what can be learned."""

from __future__ import annotations
