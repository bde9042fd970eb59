"""Results and ground truth to figures."""

from __future__ import annotations
