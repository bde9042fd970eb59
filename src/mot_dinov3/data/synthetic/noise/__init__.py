"""Detections of drawn worlds with the errors of real detectors."""

from __future__ import annotations
