"""Collects a report while a run goes, and writes it when the facts of the run are known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from mot_dinov3.config import CountConfig
from mot_dinov3.config.tracking.drawing import NO_BLUR
from mot_dinov3.io.write.atomic import write_text
from mot_dinov3.outputs.appearance import AppearanceHistory
from mot_dinov3.outputs.drawing import blur_people
from mot_dinov3.outputs.report.crops import CropCollector
from mot_dinov3.outputs.report.places import StillPicker
from mot_dinov3.outputs.report.recorder import RunData, RunRecorder, record_frame_log
from mot_dinov3.outputs.report.single import explain_no_pictures, run_page
from mot_dinov3.outputs.report.video import find_video
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame, FrameResult
from mot_dinov3.values.run_facts import RunFacts


class ReportSink:
    """Takes every frame, as the last of a run's sinks; books its time as "write".

    Attributes:
        path: where the report will be.
    """

    def __init__(
        self,
        path: str,
        name: str,
        names: Mapping[int, str],
        timer: StageTimer,
        blur: str = NO_BLUR,
        count: CountConfig | None = None,
    ) -> None:
        """Prepare a report; no file is opened before `publish`.

        Args:
            path: the HTML file.
            name: of the source.
            names: class id -> name.
            timer: holds the stages of the frame that is being written; "write" is booked there.
            blur: value of `--blur`, for the pictures of identities.
            count: the lines and zones at which the run counts.
        """
        self.path = path
        self._name, self._names, self._timer = name, names, timer
        self._recorder, self._crops = RunRecorder(), CropCollector()
        self._stills = StillPicker()
        self._appearance = AppearanceHistory()
        self._pixels, self._blur = False, blur
        self._count = count or CountConfig()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """Nothing to close."""

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Take one frame."""
        with self._timer("write"):
            row = len(self._recorder.frames)
            if any(frame.image.strides):  # without pixels one zero stands for all of them
                image = blur_people(frame.image, result, self._names, self._blur)
                self._crops.add(row, image, result.tracks)
                self._stills.offer(image, result.tracks)
                self._pixels = True
            stage_ms = {**result.stage_ms, **self._timer.stage_ms}
            appearances = self._appearance.update(result)
            size = (frame.width, frame.height)
            self._recorder.add(result, stage_ms, self._timer.latency_ms, appearances, size)

    def rename(self, frame_log: Path, new_of: Mapping[int, int]) -> None:
        """Show identities that were merged after the run as one identity.

        Args:
            frame_log: the frame log of the run, with the new identities.
            new_of: identity that was given up -> the one that took its place.

        Raises:
            InputError: the frame log cannot be read.
        """
        self._recorder = record_frame_log(frame_log, self._count)
        self._crops.merge(new_of)

    def publish(self, facts: RunFacts) -> None:
        """Write the report.

        Args:
            facts: what the run was and did.

        Raises:
            OutputError: the file cannot be written.
        """
        recorder = self._recorder
        name = Path(self._name).name
        run = RunData(name, recorder.frames, recorder.tracks, self._names, facts)
        run.places, run.counts = recorder.places, recorder.counts
        run.known = recorder.known
        albums, page = self._crops.albums(), Path(self.path)
        reason = "no identity was confirmed." if self._pixels else "the source has no pixels."
        video = find_video(run, [Path()])
        notices = explain_no_pictures(albums, reason)
        write_text(page, run_page(run, albums, video, page, notices, self._stills.still))
