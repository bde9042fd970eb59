"""`train motr`: a detector that also follows, from clips of pictures."""

from __future__ import annotations
