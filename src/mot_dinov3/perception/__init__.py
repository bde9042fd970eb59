"""What sees and describes: detectors, embedders, and the networks under them."""

from __future__ import annotations
