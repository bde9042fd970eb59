"""Pictures of identities cut from a video after the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

import av
from av.container import InputContainer

from mot_dinov3.errors import MotError
from mot_dinov3.io.containers import open_file, video_stream
from mot_dinov3.io.pictures import PictureMaker
from mot_dinov3.outputs.report.crops import Album, Crop, cut_jpeg
from mot_dinov3.outputs.report.places import Still, make_still
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.track_history import TrackHistory
from mot_dinov3.outputs.report.video import ReportVideo, compute_video_times
from mot_dinov3.values import NO_VALUES, FloatArray, Image
from mot_dinov3.wording import counted

FAR_S = 4.0
"""Seconds to the next wanted picture from which seeking is faster than decoding."""
PATIENCE_S = 20.0
"""Seconds after which cutting ends."""
NEAR = 0.6
"""Share of a frame's duration by which a picture may be off its time."""

Spot: TypeAlias = tuple[float, int, int, str, FloatArray]
"""Seconds in the video, row, identity, which of its pictures, and the box (4,) to cut."""


@dataclass(frozen=True, slots=True)
class CutResult:
    """The pictures that were cut.

    Attributes:
        albums: identity -> its pictures.
        notice: why some are missing, empty if none is.
    """

    albums: dict[int, Album]
    notice: str = ""


def cut_albums(
    run: RunData,
    tracks: Iterable[TrackHistory],
    video: ReportVideo,
    clock: Callable[[], float] = perf_counter,
) -> CutResult:
    """First, best and last picture of the identities, from the run's video.

    Reading stops after 20 seconds: what was not reached then stays without pictures.

    Args:
        run: says when each frame is shown.
        tracks: the tracks whose pictures are wanted.
        video: of the run.
        clock: returns seconds.
    """
    wanted = find_spots(run, tracks, video)
    albums: dict[int, Album] = {}
    ends_s, done = clock() + PATIENCE_S, 0
    try:
        with open_file(video.path) as container:
            for spot, image in _read_pictures(container, wanted, _find_tolerance(run, video)):
                done += 1
                _, row, track_id, label, box = spot
                jpeg = cut_jpeg(image, box) if image is not None else None
                if jpeg is not None:
                    setattr(albums.setdefault(track_id, Album()), label, Crop(row, jpeg))
                if clock() > ends_s:
                    break
    except (MotError, av.FFmpegError) as error:
        return CutResult(albums, f"'{video.path.name}' could not be read for pictures: {error}")
    if done < len(wanted):
        of_all = counted(len(wanted), "picture is", "pictures are")
        missing = f"{len(wanted) - done} of {of_all} missing"
        why = f"reading '{video.path.name}' took longer than {PATIENCE_S:g} s."
        return CutResult(albums, f"{missing}: {why}")
    return CutResult(albums)


def cut_still(run: RunData, video: ReportVideo) -> Still | None:
    """A picture of the place from the run's video: a frame with few tracks; None if there is none.

    Args:
        run: says when each frame is shown.
        video: of the run.
    """
    if not len(run.frames):
        return None
    row = int(run.frames["tracks"].argmin())
    spot = (float(compute_video_times(run, video)[row]), row, 0, "", NO_VALUES)
    try:
        with open_file(video.path) as container:
            for _, image in _read_pictures(container, [spot], _find_tolerance(run, video)):
                return None if image is None else make_still(image)
    except (MotError, av.FFmpegError):
        return None
    return None


def find_spots(run: RunData, tracks: Iterable[TrackHistory], video: ReportVideo) -> list[Spot]:
    """All pictures to cut, in the order of the video."""
    seconds = compute_video_times(run, video)
    out: list[Spot] = []
    for track in tracks:
        rows = (track.begins, track.best[0], track.ends)
        boxes = (track.first_box, track.best[1], track.last_box)
        for label, row, box in zip(("first", "best", "last"), rows, boxes, strict=True):
            out.append((float(seconds[row]), row, track.track_id, label, box))
    return sorted(out, key=lambda spot: spot[:4])


def _find_tolerance(run: RunData, video: ReportVideo) -> float:
    """Seconds by which a picture may come before its time."""
    seconds = compute_video_times(run, video)
    if len(seconds) < 2:
        return 0.5
    return NEAR * float(seconds[-1] - seconds[0]) / (len(seconds) - 1)


def _read_pictures(
    container: InputContainer, wanted: list[Spot], tolerance_s: float
) -> Iterator[tuple[Spot, Image | None]]:
    """Every spot with the picture that is shown then, None behind the end of the video."""
    stream = video_stream(container, "the video")
    stream.thread_type = "AUTO"
    pictures, base = PictureMaker(), float(stream.time_base or 1)
    start = float((stream.start_time or 0) * base)
    frames = container.decode(stream)
    now_s, frame = -1.0, None
    image: Image | None = None
    for spot in wanted:
        if spot[0] - now_s > FAR_S and frame is not None:
            container.seek(round((start + spot[0]) / base), stream=stream)
            frames = container.decode(stream)
        while frame is None or now_s < spot[0] - tolerance_s:
            frame = next(frames, None)
            image = None
            if frame is None:
                break
            now_s = float(frame.time or 0.0) - start
        if frame is not None and image is None:
            image = pictures.from_frame(frame)
        yield spot, image
