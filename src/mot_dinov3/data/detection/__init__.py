"""Pictures in which all objects of some classes are marked with a box, for detectors."""

from __future__ import annotations
