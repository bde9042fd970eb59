"""Whether two recordings are of the same pictures."""

from __future__ import annotations

import hashlib

from mot_dinov3.values import Frame


class ContentDigest:
    """sha256 of the pictures and times of a source, taken frame by frame."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, frame: Frame) -> None:
        """One more frame."""
        head = f"{frame.index} {frame.time_s:.6f} {frame.width} {frame.height}\n"
        self._hash.update(head.encode())
        if any(frame.image.strides):
            self._hash.update(frame.image.tobytes())

    def hexdigest(self) -> str:
        """The fingerprint of what was added so far."""
        return self._hash.hexdigest()
