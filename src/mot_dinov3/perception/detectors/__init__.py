"""Detectors: whatever turns a frame into `Detections`."""

from __future__ import annotations
