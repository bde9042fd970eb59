"""Networks as torch modules: no files, no flags, no loops."""

from __future__ import annotations
