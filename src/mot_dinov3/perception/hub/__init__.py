"""Models by name: a local directory, the local cache, then the Hugging Face hub."""

from __future__ import annotations
