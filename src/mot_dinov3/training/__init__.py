"""Learning: one engine that knows how it runs, and recipes that say what is learned."""

from __future__ import annotations
