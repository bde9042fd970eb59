"""The motion of the camera, which would otherwise look like a motion of all objects."""

from __future__ import annotations
