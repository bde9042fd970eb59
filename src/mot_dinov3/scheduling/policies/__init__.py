"""Policies: which detections deserve an embedding."""

from __future__ import annotations
