"""The camera's own motion, which would otherwise look like everybody's."""

from __future__ import annotations
