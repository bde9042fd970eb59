"""Replay: recorded detections and embeddings, played to any policy on a virtual clock."""

from __future__ import annotations
