"""What a report keeps of the counts of every frame."""

from __future__ import annotations

from array import array

from mot_dinov3.values.counting import FrameCounts


class CountTable:
    """The lines and zones of a run, frame by frame.

    Attributes:
        frame: 0-based indices of the frames.
        crossings: name of a line -> its crossings in and out until each frame.
        inside: name of a zone -> how many tracks are in it in each frame.
    """

    def __init__(self) -> None:
        self.frame: array[int] = array("q")
        self.crossings: dict[str, tuple[array[int], array[int]]] = {}
        self.inside: dict[str, array[int]] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def add(self, frame_index: int, counted: FrameCounts) -> None:
        """Append a frame; every frame has the same lines and zones."""
        self.frame.append(frame_index)
        for line in counted.lines:
            both = self.crossings.setdefault(line.name, (array("q"), array("q")))
            for column, n in zip(both, (line.n_in, line.n_out), strict=True):
                column.append(n)
        for zone in counted.zones:
            self.inside.setdefault(zone.name, array("q")).append(zone.inside)
