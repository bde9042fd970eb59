"""Detection transformers whose queries follow objects from frame to frame."""

from __future__ import annotations
