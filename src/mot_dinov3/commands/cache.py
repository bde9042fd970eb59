"""`python cli.py cache`: detect and embed everything in a source once, for `replay`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from mot_dinov3.commands import set_up_log
from mot_dinov3.commands.flags import add_flags, environment_layer, resolve, say_idle_flags
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import EXIT_OK, EXIT_PARTIAL, InputError, UsageError
from mot_dinov3.wording import counted, program, usage_name

if TYPE_CHECKING:
    from mot_dinov3.io.read.sources import FrameReader
    from mot_dinov3.lab.recordings.recorder import RecordedPass
    from mot_dinov3.lab.recordings.recording import Recording
    from mot_dinov3.systems.loading import LoadedModular
    from mot_dinov3.systems.models import Models

DESCRIPTION = """Detect and embed every crop of a source once and store it as DIR/NAME.npz for
replay and tune, with the time that the work took on this machine and the ground truth where it is
known. A file in DIR that holds the same recording is kept, and one that holds another is refused.
Files are written whole at the end: an interrupted run leaves none."""

STAGES = ("source", "device", "detector", "embedder", "cheap", "tracker", "talk")
SAY_EVERY_S = 5.0


def parser() -> CommandParser:
    """The flags; those of source, detector, embedder, device and tracker are the main job's."""
    out = CommandParser(prog=usage_name("cache"), description=DESCRIPTION)
    add = out.add_argument
    add("sources", nargs="*", metavar="SOURCE", help="sources to record, with that of --source")
    out.add_value("--out", Path("cache"), "DIR", "directory of recordings")
    add("--replace", action="store_true", help="record again what DIR holds already")
    add("--truth", type=Path, metavar="FILE", help="ground truth of the source as MOT text")
    add_flags(out, TrackConfig, STAGES)
    return out


def run(args: argparse.Namespace) -> int:
    """Record every source; 4 if one of them was damaged."""
    from mot_dinov3.runtime.compat import load_environment
    from mot_dinov3.systems.loading import LoadedModular

    load_environment()
    chosen = dict(vars(args))
    words, directory, replace_old, truth = (
        chosen.pop(name) for name in ("sources", "out", "replace", "truth")
    )
    config = remove_camera_motion(resolve(TrackConfig, chosen, None, environment_layer()))
    talk = config.talk
    set_up_log(verbose=talk.verbose, debug=talk.debug, quiet=talk.quiet)
    say_idle_flags(config, chosen)
    sources = [*filter(None, [config.source.source]), *words]
    _check(sources, config, truth)
    configs = [replace(config, source=replace(config.source, source=name)) for name in sources]
    paths = _choose_paths(configs, directory)
    system: LoadedModular | None = None
    code = EXIT_OK
    for item, path in zip(configs, paths, strict=True):
        system = LoadedModular.load(item) if system is None else system.for_clip(item)
        if replace_old or not is_recorded(item, path, system.parts):
            code = max(code, cache_source(item, path, system.parts, truth))
    return code


def remove_camera_motion(config: TrackConfig) -> TrackConfig:
    """The job without camera motion, which some presets ask for: a recording holds none."""
    from mot_dinov3.tracking.camera.factory import NONE

    return replace(config, motion=replace(config.motion, cmc=NONE))


def _check(sources: list[str], config: TrackConfig, truth: Path | None) -> None:
    if not sources:
        raise UsageError(
            "--source is missing: there is nothing to record.",
            fix=f"Give a video: {program()} cache --source video.mp4 --out cache",
        )
    from mot_dinov3.perception.detectors.factory import detector_kind

    det = config.detector.det
    given = f"--truth {truth}" if truth else f"--det {det}" if detector_kind(det).stored else ""
    if len(sources) > 1 and given:
        raise UsageError(
            f"{given} belongs to one source, not to {len(sources)}.",
            fix="Call cache once for each source.",
        )


def _choose_paths(configs: list[TrackConfig], directory: Path) -> list[Path]:
    """The file of each source; sources are opened once, so that a wrong one is reported at once."""
    from mot_dinov3.io.read.sources import plain_name
    from mot_dinov3.io.write.paths import check_output
    from mot_dinov3.lab.recordings.store import SUFFIX
    from mot_dinov3.runs.session import open_frames, require_pixels

    out: dict[Path, str] = {}
    for config in configs:
        with open_frames(config.source) as reader:
            info = reader.info
        if info.is_live:
            raise UsageError(
                f"'{info.name}' is live and cannot be read twice.",
                fix="Record it to a file first.",
            )
        require_pixels(config, info)
        path = directory / f"{plain_name(config.source.source)}{SUFFIX}"
        if path in out:
            raise UsageError(
                f"'{config.source.source}' and '{out[path]}' would both become '{path}'.",
                fix="Call cache for each of them, with another --out.",
            )
        check_output(path, info.path, no_clobber=False)
        out[path] = config.source.source
    return list(out)


def cache_source(config: TrackConfig, path: Path, models: Models, truth: Path | None) -> int:
    """Record one source into `path`; the exit code tells of damage.

    Raises:
        MotError: the source, a model or the place for the file cannot be used.
    """
    from mot_dinov3.lab.recordings.recorder import record_source
    from mot_dinov3.lab.recordings.store import write_recording
    from mot_dinov3.runs.session import open_frames

    with open_frames(config.source) as reader:
        progress = RecordingProgress(count_frames(config, reader), quiet=config.talk.quiet)
        recording = record_source(reader, models, config, progress)
        cache = build_cache(config, reader, recording, models)
        partial = reader.partial
    if not len(recording.clip):
        raise InputError(
            f"No frame of '{cache.origin.name}' was left to record.",
            fix="Check --start-frame and --end-frame.",
        )
    if truth is not None:
        from mot_dinov3.io.formats.mot import read_mot

        cache = replace(cache, truth=read_mot(truth))
    write_recording(cache, path)
    if not config.talk.quiet:
        print(f"wrote {path}: {describe_cache(cache)}")
    return EXIT_PARTIAL if partial else EXIT_OK


def count_frames(config: TrackConfig, reader: FrameReader) -> int:
    """Frames that will be recorded, 0 if their number is unknown."""
    from mot_dinov3.io.read.sources import count_selected

    return count_selected(config.source, reader.info.frame_count)


def build_cache(
    config: TrackConfig, reader: FrameReader, recording: RecordedPass, models: Models
) -> Recording:
    """What was recorded, with its identity and the ground truth that came with the source."""
    from mot_dinov3.lab.recordings.recorder import read_truth
    from mot_dinov3.lab.recordings.recording import Origin, Recording, describe_setup

    info, clip = reader.info, recording.clip
    return Recording(
        Origin(info.name, *clip.frame_wh, info.fps, len(clip), recording.content),
        describe_setup(config, models.detector, models.embedder),
        clip,
        recording.costs,
        truth=read_truth(config.source.source, reader, max(clip.frames, default=-1) + 1),
        repeated=models.detector.repeated,
    )


def is_recorded(config: TrackConfig, path: Path, models: Models) -> bool:
    """Whether `path` already holds this very recording.

    Raises:
        MotError: it holds something else, or is not a usable cache.
    """
    from mot_dinov3.lab.recordings.recorder import ContentDigest
    from mot_dinov3.lab.recordings.recording import Origin, describe_setup, require_same
    from mot_dinov3.lab.recordings.store import read_recording
    from mot_dinov3.runs.session import open_frames

    if not path.exists():
        return False
    kept = read_recording(path)
    recipe = describe_setup(config, models.detector, models.embedder)
    digest, frames = ContentDigest(), 0
    with open_frames(config.source) as reader:
        for frame in reader:
            digest.add(frame)
            frames += 1
        info = reader.info
    found = Origin(info.name, info.width, info.height, info.fps, frames, digest.hexdigest())
    require_same(str(path), kept, (found, recipe, models.detector.repeated))
    if not config.talk.quiet:
        print(f"kept {path}: {describe_cache(kept)}")
    return True


def describe_cache(cache: Recording) -> str:
    """A recording in a line."""
    frames = cache.clip.frames.values()
    crops = sum(len(recorded.detections) for recorded in frames)
    cost = cache.costs
    sizes = [n for n in (1, 8, 32) if n in cost.embed_ms]
    batches = ", ".join(f"{cost.embed_ms[n]:g} ms for {n}" for n in sizes) or "no embedder"
    truth = "no ground truth"
    if cache.truth:
        known = len(set(cache.truth.track_id.tolist()))
        truth = counted(known, "known identity", "known identities")
    amount = f"{counted(len(frames), 'frame')}, {counted(crops, 'crop')} x {cache.dim}"
    return f"{amount}, {truth}, {batches}"


class RecordingProgress:
    """Prints a line about the progress of a recording every few seconds."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self.total, self.quiet = total, quiet
        self._started = self._printed = perf_counter()

    def __call__(self, frames: int, crops: int) -> None:
        """Count one more frame."""
        now = perf_counter()
        if self.quiet or now - self._printed < SAY_EVERY_S:
            return
        self._printed = now
        rate = frames / (now - self._started)
        of_total = f"/{self.total}" if self.total else ""
        eta = f", ETA {max(0, self.total - frames) / rate:.0f} s" if self.total else ""
        line = f"frame {frames}{of_total}, {counted(crops, 'crop')}, {rate:.1f} FPS{eta}"
        print(line, file=sys.stderr, flush=True)
