"""Disks that fill up while a run writes: it says so, and keeps what it had tracked."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mot_dinov3.errors import EXIT_OK, EXIT_OUTPUT
from mot_dinov3.lab.selftest.base import MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.cases import BrokenPromiseError, SelftestCase, expect, run_cases
from mot_dinov3.lab.selftest.leftovers import (
    count_frames,
    count_playing_frames,
    read_last_frame,
    read_records,
)
from mot_dinov3.lab.selftest.outputs import OLD, is_new, outputs_of, words_for
from mot_dinov3.lab.selftest.program import (
    ProcessResult,
    ProcessSetup,
    expect_code,
    expect_explained,
    run,
    tail,
)
from mot_dinov3.lab.selftest.scenes import SelftestScene, draw_scene

POINTS = 50
FRAMES = 300
LEAST_BYTES = 2_000
DISK_SHARE = 0.3
"""Part of the cases with a real small disk, where one can be had."""
ON_THE_WAY = 3
"""Frames that may be tracked and not yet be in the frame log when the disk is full."""
VIDEOS = ("o.mp4", "o.mp4", "o.mkv", "o.webm", "o.avi")
SMALL_DISK = 'mount -t tmpfs -o size="$2" none "$1" && cd "$1" && kept="$3" && shift 3 || exit 99'
KEEP_IT = '; "$@"; code=$?; cp -a . "$kept"; exit $code'
"""A mount is gone with its process: what is on it is copied before."""


@dataclass(frozen=True, slots=True)
class FullDisk:
    """One disk that fills up.

    Attributes:
        bytes: what goes onto it; into each single file when it is not `real`.
        real: whether it is a disk of that size, or a limit to the size of files.
        video: the annotated video.
        words: more of the command line.
    """

    bytes: int
    real: bool
    video: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        kind = "a disk" if self.real else "files"
        return " ".join((f"{kind} of {self.bytes} bytes, {self.video}", *self.words))


def measure_full_disks(context: MeasureContext) -> MeasureResult:
    """Let the disk be full at random points of a run."""
    scene = draw_scene(context.directory / "scene", FRAMES)
    measured = context.directory / "measured"
    measured.mkdir()
    outputs = outputs_of("o.mp4")
    run(context.program, scene.words(*words_for(outputs)), measured)
    sizes = [path.stat().st_size for path in measured.glob("o.*")]
    expect(len(sizes) == len(outputs), "a run without any fault did not write its outputs")
    points = FillPoints(tuple(sizes), can_mount_disks())
    names = [f"{number:03d}" for number in range(context.count_cases(POINTS))]
    check = partial(check_full, context, scene, points)
    return run_cases(context, [SelftestCase(name, check) for name in names])


@dataclass(frozen=True, slots=True)
class FillPoints:
    """Where a disk may be full.

    Attributes:
        sizes: bytes of the outputs of a whole run.
        disks: whether real small disks can be had.
    """

    sizes: tuple[int, ...]
    disks: bool

    def choose_disk(self, context: MeasureContext, name: str) -> FullDisk:
        """Choose the random disk of a case."""
        rng = context.create_rng(f"disk {name}")
        real = self.disks and rng.random() < DISK_SHARE
        most = sum(self.sizes) if real else max(self.sizes)
        size = int(rng.integers(LEAST_BYTES, most))
        words = ("--no-overlap",) if rng.random() < 0.3 else ()
        return FullDisk(size, real, str(rng.choice(VIDEOS)), words)


def can_mount_disks() -> bool:
    """Whether this user may mount a disk of any size."""
    if not shutil.which("unshare"):
        return False
    command = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def check_full(
    context: MeasureContext, scene: SelftestScene, points: FillPoints, directory: Path
) -> None:
    """Run until the disk is full and look at what is on it.

    Raises:
        BrokenPromiseError: no exit code 5, no sentence, or tracks are lost.
    """
    full = points.choose_disk(context, directory.name)
    outputs = outputs_of(full.video)
    words = scene.words(*words_for(outputs), *full.words)
    try:
        if full.real:
            kept = directory / "kept"
            (directory / "disk").mkdir()
            script = (SMALL_DISK + KEEP_IT, "sh", str(directory / "disk"), str(full.bytes))
            around = ProcessSetup(before=("unshare", "-m", "sh", "-c", *script, str(kept)))
        else:
            kept = directory
            around = ProcessSetup(file_limit=full.bytes)
            for name in outputs.values():
                (directory / name).write_bytes(OLD)
        expect_kept(run(context.program, words, directory, around), kept, full)
    except BrokenPromiseError as error:
        raise BrokenPromiseError(f"{error} ({full})") from error


def expect_kept(ended: ProcessResult, directory: Path, full: FullDisk) -> None:
    """Go on only when a run says that the disk is full, and lost no track to that.

    Raises:
        BrokenPromiseError: it does not.
    """
    outputs = outputs_of(full.video)
    finished = [name for name in outputs.values() if is_new(directory / name)]
    if ended.code == EXIT_OK:
        expect(len(finished) == len(outputs), f"exit code 0, but only {finished} are whole")
        return
    expect_code(ended, EXIT_OUTPUT)
    expect_explained(ended, r"File too large|No space left on device")
    said = re.search(r"^(\d+) frames? in", ended.err, re.M)
    tracked = int(said[1]) if said else 0
    for name in finished:
        if name == full.video:
            plays = count_playing_frames(directory / name)
            expect(plays >= tracked - 1, f"{name} has {plays} of {tracked} frames")
    for frame_log in (directory / "o.jsonl", directory / "o.txt"):
        expect_rows(frame_log, tracked, full)
    if full.video not in finished:
        partial_video = directory / f"o.partial{Path(full.video).suffix}"
        plays = count_playing_frames(partial_video)
        written = partial_video.stat().st_size if partial_video.exists() else 0
        expect(
            plays or written < 10 * LEAST_BYTES,
            f"{written} bytes of video do not play: {tail(ended.err)}",
        )


def expect_rows(path: Path, tracked: int, full: FullDisk) -> None:
    """Go on only when a text output has every frame, or as many as its disk could hold.

    Raises:
        BrokenPromiseError: it does not.
    """
    whole = is_new(path)
    if not whole:
        path = path.with_name(f"{path.stem}.partial{path.suffix}")
        if not path.exists():
            expect(tracked == 0, f"of {tracked} frames no {path.name} is left")
            return
    broken = 0 if whole else 1
    if path.suffix == ".txt":
        found = read_last_frame(path, broken=broken)
    else:
        found = count_frames(read_records(path, broken=broken))
    expect(found <= tracked + ON_THE_WAY, f"{found} frames are kept, {tracked} summed up")
    no_room = not full.real and path.stat().st_size >= full.bytes
    expect(
        found >= tracked - ON_THE_WAY or no_room,
        f"{path.name} has {found} of {tracked} frames",
    )
