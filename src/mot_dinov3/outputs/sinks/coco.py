"""Tracks as JSON in the form of COCO-VID (CocoVID), which training and scoring tools read.

Format: https://github.com/open-mmlab/mmtracking/blob/master/docs/en/tutorials/customize_dataset.md
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from mot_dinov3.io.formats.cvat import clean_text, name_class
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.io.write.atomic import AtomicTextFile, defer_to
from mot_dinov3.outputs.sinks.base import FileSink, SinkRun
from mot_dinov3.outputs.sinks.jsonl import to_number
from mot_dinov3.outputs.sinks.renaming import NewOf, create_renamer, format_json
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame, FrameResult, Tracks

PIXEL_DIGITS, SCORE_DIGITS = 2, 4
VIDEO_ID = 1
HEAD = '{"annotations":['
"""The first line; then each line is one annotation, up to one that begins with `]`."""


def rename_coco_line(lines: Sequence[str], new_of: NewOf) -> Iterator[str]:
    """A line of `--save-coco`: those with an annotation begin with `{"id"`, after a comma."""
    comma = "," * lines[0].startswith(",")
    text = lines[0].removeprefix(",")
    if not text.startswith('{"id"') or '"bbox"' not in text:
        yield lines[0]
        return
    record: dict[str, Any] = json.loads(text)
    record["instance_id"] = record["track_id"] = new_of.get(record["track_id"], record["track_id"])
    yield comma + format_json(record)


class CocoSink(FileSink):
    """An image per frame and an annotation per confirmed track that is seen in it.

    Annotations are written as the run goes, everything else when it ends: what a killed run
    leaves under the partial name is no whole JSON.
    """

    from_frame_log = True
    rename = staticmethod(create_renamer(rename_coco_line))

    def __init__(
        self, path: str, names: Mapping[int, str], info: SourceInfo, timer: StageTimer
    ) -> None:
        self._file = AtomicTextFile(path, flush_lines=True)
        self._names, self._info = names, info
        self._frames = array("q")
        self._classes: set[int] = set()
        self._count, self._size = 0, (info.width, info.height)
        super().__init__(path, self._file, timer)

    @classmethod
    def create(cls, path: str, run: SinkRun) -> Self:
        """A sink that will write to `path`."""
        return cls(path, run.names, run.info, run.timer)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Add one frame's annotations.

        Raises:
            OutputError: the file cannot be written.
        """
        with self.timer("write"):
            if not self._frames:
                self._file.write_line(HEAD)
            self._frames.append(frame.index)
            self._size = (frame.width, frame.height)
            lines = []
            for row in find_rows(result.tracks):
                self._count += 1
                record = describe_annotation(result.tracks, row, self._count, frame.index + 1)
                self._classes.add(int(result.tracks.class_id[row]))
                lines.append("," * (self._count > 1) + format_json(record))
            if lines:
                self._file.write_line("\n".join(lines))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with defer_to(kind):
                self._finish()
        finally:
            super().__exit__(kind, error, trace)

    def _finish(self) -> None:
        """Write what is known only now: images, the video, and the classes that there were."""
        if not self._frames:
            self._file.write_line(HEAD)
        width, height = self._size
        name = clean_text(Path(self._info.name).stem) or "video"
        video = {"id": VIDEO_ID, "name": name, "width": width}
        video |= {"height": height, "fps": self._info.fps}
        self._file.write_line('],"images":[')
        for number, index in enumerate(self._frames):
            image = {"id": index + 1, "file_name": f"{name}/{index + 1:06d}.jpg"}
            image |= {"width": width, "height": height, "video_id": VIDEO_ID, "frame_id": index}
            self._file.write_line("," * (number > 0) + format_json(image))
        categories = [
            {"id": class_id + 1, "name": name_class(class_id, self._names)}
            for class_id in sorted(self._classes)
        ]
        rest = f',"categories":[{",".join(map(format_json, categories))}]}}'
        self._file.write_line(f'],"videos":[{format_json(video)}]')
        self._file.write_line(rest)


def find_rows(tracks: Tracks) -> list[int]:
    """Rows of the confirmed tracks that are seen, with boxes of numbers."""
    rows: list[int] = np.flatnonzero(tracks.present & np.isfinite(tracks.xyxy).all(axis=1)).tolist()
    return rows


def describe_annotation(tracks: Tracks, row: int, number: int, image: int) -> dict[str, Any]:
    """One annotation as plain values.

    Args:
        tracks: of the frame.
        row: of the track.
        number: of the annotation, from 1.
        image: number of its image.
    """
    left, top, right, bottom = tracks.xyxy[row].tolist()
    width, height = right - left, bottom - top
    track = int(tracks.id[row])
    score = to_number(float(tracks.score[row]), SCORE_DIGITS)
    return {
        "id": number,
        "image_id": image,
        "video_id": VIDEO_ID,
        "category_id": int(tracks.class_id[row]) + 1,
        "instance_id": track,
        "track_id": track,
        "bbox": [to_number(value, PIXEL_DIGITS) for value in (left, top, width, height)],
        "area": to_number(width * height, PIXEL_DIGITS),
        "iscrowd": 0,
        **({} if score is None else {"score": score}),
    }
