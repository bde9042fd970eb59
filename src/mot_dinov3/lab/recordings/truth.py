"""The known identities of a source, where there are any."""

from __future__ import annotations

from pathlib import Path

from mot_dinov3.data.synthetic.reader import SyntheticReader
from mot_dinov3.data.synthetic.truth import as_table
from mot_dinov3.io.formats.mot import MotTable, read_mot
from mot_dinov3.io.read.sources import FrameReader

MOT_PREFIX = "mot:"
GROUND_TRUTH = Path("gt") / "gt.txt"


def truth_of(source: str, reader: FrameReader) -> MotTable | None:
    """The ground truth that comes with a source: a drawn one knows it, a sequence stores it.

    Args:
        source: as the user named it.
        reader: the source.

    Raises:
        InputError: there is a file of ground truth, but it makes no sense.
    """
    if isinstance(reader, SyntheticReader):
        return as_table([truth for _, truth in reader.world])
    directory = Path(source.removeprefix(MOT_PREFIX)).expanduser()
    file = directory / GROUND_TRUTH
    if not file.is_file() and directory.name == "img1":
        file = directory.parent / GROUND_TRUTH
    return read_mot(file) if file.is_file() else None
