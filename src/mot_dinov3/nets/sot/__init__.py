"""Networks that find one object again: a template and where to search go in, a box comes out."""

from __future__ import annotations
