"""Where a network runs: OpenVINO, onnxruntime or torch, exported once and kept in a cache."""

from __future__ import annotations
