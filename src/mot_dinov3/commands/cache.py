"""`python cli.py cache`: detect and embed everything in a source once, for `replay`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from mot_dinov3.commands import set_up_log
from mot_dinov3.commands.flags import add_flags, environment_layer, resolve
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.errors import EXIT_OK, EXIT_PARTIAL, InputError, UsageError
from mot_dinov3.wording import counted

if TYPE_CHECKING:
    from mot_dinov3.config import TrackConfig
    from mot_dinov3.io.read.sources import FrameReader
    from mot_dinov3.lab.recordings.cache import Cache
    from mot_dinov3.lab.recordings.recording import Recording
    from mot_dinov3.systems.loading import LoadedModular
    from mot_dinov3.systems.modular import Models

DESCRIPTION = """Detect and embed every crop of a source once and store it as DIR/NAME.npz, with
what the work cost on this machine and the ground truth where it is known, for the command replay.
More sources may follow as words. What is there already is kept if it is the same recording, and
refused if it is not. A file is written whole at the end: an interrupted run leaves none."""

SAY_EVERY_S = 5.0


def parser() -> argparse.ArgumentParser:
    """The flags; those of source, detector, embedder, device and tracker are the main job's."""
    out = CommandParser(prog="cli.py cache", description=DESCRIPTION)
    out.add_argument("sources", nargs="*", metavar="SOURCE", help="sources beside --source")
    out.add_argument("--out", type=Path, default=Path("cache"), metavar="DIR",
                     help="where the caches go (default: cache)")  # fmt: skip
    out.add_argument("--replace", action="store_true",
                     help="record again what is there already")  # fmt: skip
    out.add_argument("--truth", type=Path, metavar="FILE",
                     help="ground truth of the source as MOT text")  # fmt: skip
    add_flags(out, ("source", "device", "detector", "embedder", "cheap", "tracker", "talk"))
    return out


def run(args: argparse.Namespace) -> int:
    """Record every source; 4 if one of them was damaged."""
    from mot_dinov3.runtime.compat import load_environment
    from mot_dinov3.systems.loading import LoadedModular

    load_environment()
    chosen = dict(vars(args))
    words, directory, again, truth = (
        chosen.pop(name) for name in ("sources", "out", "replace", "truth")
    )
    config = without_camera(resolve(chosen, None, environment_layer()))
    talk = config.talk
    set_up_log(verbose=talk.verbose, debug=talk.debug, quiet=talk.quiet)
    sources = [*filter(None, [config.source.source]), *words]
    _check(sources, config, truth)
    configs = [replace(config, source=replace(config.source, source=name)) for name in sources]
    paths = _paths(configs, directory)
    system: LoadedModular | None = None
    code = EXIT_OK
    for item, path in zip(configs, paths, strict=True):
        system = LoadedModular.load(item) if system is None else system.for_clip(item)
        if again or not is_there(item, path, system.parts):
            code = max(code, cache_source(item, path, system.parts, truth))
    return code


def without_camera(config: TrackConfig) -> TrackConfig:
    """The job without camera motion, which some presets ask for: a recording holds none."""
    from mot_dinov3.tracking.camera.factory import NONE

    return replace(config, motion=replace(config.motion, cmc=NONE))


def _check(sources: list[str], config: TrackConfig, truth: Path | None) -> None:
    if not sources:
        raise UsageError(
            "--source is missing: there is nothing to record.",
            fix="Give a video: python cli.py cache --source video.mp4 --out cache",
        )
    from mot_dinov3.perception.detectors.factory import detector_kind

    det = config.detector.det
    given = f"--truth {truth}" if truth else f"--det {det}" if detector_kind(det).stored else ""
    if len(sources) > 1 and given:
        raise UsageError(f"{given} belongs to one source, not to {len(sources)}.",
                         fix="Call cache once for each source.")  # fmt: skip


def _paths(configs: list[TrackConfig], directory: Path) -> list[Path]:
    """The file of each source; sources are opened once, so that a wrong one is told at once."""
    from mot_dinov3.io.paths import check_output
    from mot_dinov3.io.read.sources import plain_name
    from mot_dinov3.lab.recordings.store import SUFFIX
    from mot_dinov3.runs.session import open_frames, require_pixels

    out: dict[Path, str] = {}
    for config in configs:
        with open_frames(config.source) as reader:
            info = reader.info
        if info.is_live:
            raise UsageError(f"'{info.name}' is live and cannot be read twice.",
                             fix="Record it to a file first.")  # fmt: skip
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
    from mot_dinov3.lab.recordings.recording import record_source
    from mot_dinov3.lab.recordings.store import write_cache
    from mot_dinov3.runs.session import open_frames

    with open_frames(config.source) as reader:
        tell = Teller(count_of(config, reader), quiet=config.talk.quiet)
        recording = record_source(reader, models, config, tell)
        cache = cache_of(config, reader, recording, models)
        partial = reader.partial
    if not len(recording.tape):
        raise InputError(f"No frame of '{cache.origin.name}' was left to record.",
                         fix="Check --start-frame and --end-frame.")  # fmt: skip
    if truth is not None:
        from mot_dinov3.io.formats.mot import read_mot

        cache = replace(cache, truth=read_mot(truth))
    write_cache(cache, path)
    if not config.talk.quiet:
        print(f"wrote {path}: {described(cache)}")
    return EXIT_PARTIAL if partial else EXIT_OK


def count_of(config: TrackConfig, reader: FrameReader) -> int:
    """Frames that will be recorded, 0 if nobody knows."""
    from mot_dinov3.io.read.sources import count_selected

    return count_selected(config.source, reader.info.frame_count)


def cache_of(
    config: TrackConfig, reader: FrameReader, recording: Recording, models: Models
) -> Cache:
    """What was recorded, with its identity and the ground truth that came with the source."""
    from mot_dinov3.lab.recordings.cache import Cache, Origin
    from mot_dinov3.lab.recordings.recipe import recipe_of
    from mot_dinov3.lab.recordings.truth import truth_of

    info, tape = reader.info, recording.tape
    return Cache(
        Origin(info.name, *tape.frame_wh, info.fps, len(tape), recording.content),
        recipe_of(config, models.detector, models.embedder),
        tape,
        recording.costs,
        truth=truth_of(config.source.source, reader),
        repeated=models.detector.repeated,
    )


def is_there(config: TrackConfig, path: Path, models: Models) -> bool:
    """Whether `path` already holds this very recording.

    Raises:
        MotError: it holds something else, or is no usable cache.
    """
    from mot_dinov3.lab.recordings.cache import Origin, require_same
    from mot_dinov3.lab.recordings.fingerprint import ContentDigest
    from mot_dinov3.lab.recordings.recipe import recipe_of
    from mot_dinov3.lab.recordings.store import read_cache
    from mot_dinov3.runs.session import open_frames

    if not path.exists():
        return False
    kept = read_cache(path)
    recipe = recipe_of(config, models.detector, models.embedder)
    digest, frames = ContentDigest(), 0
    with open_frames(config.source) as reader:
        for frame in reader:
            digest.add(frame)
            frames += 1
        info = reader.info
    found = Origin(info.name, info.width, info.height, info.fps, frames, digest.hexdigest())
    require_same(str(path), kept, (found, recipe, models.detector.repeated))
    if not config.talk.quiet:
        print(f"kept {path}: {described(kept)}")
    return True


def described(cache: Cache) -> str:
    """A recording in a line."""
    takes = cache.tape.takes.values()
    crops = sum(len(take.detections) for take in takes)
    cost = cache.costs
    sizes = [n for n in (1, 8, 32) if n in cost.embed_ms]
    batches = ", ".join(f"{cost.embed_ms[n]:g} ms for {n}" for n in sizes) or "no embedder"
    truth = "no ground truth"
    if cache.truth:
        known = len(set(cache.truth.track_id.tolist()))
        truth = counted(known, "known identity", "known identities")
    amount = f"{counted(len(takes), 'frame')}, {counted(crops, 'crop')} x {cache.dim}"
    return f"{amount}, {truth}, {batches}"


class Teller:
    """A line about the progress every few seconds."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self.total, self.quiet = total, quiet
        self._started = self._said = perf_counter()

    def __call__(self, frames: int, crops: int) -> None:
        """Tell of one more frame."""
        now = perf_counter()
        if self.quiet or now - self._said < SAY_EVERY_S:
            return
        self._said = now
        rate = frames / (now - self._started)
        of_total = f"/{self.total}" if self.total else ""
        eta = f", ETA {max(0, self.total - frames) / rate:.0f} s" if self.total else ""
        print(f"frame {frames}{of_total}, {counted(crops, 'crop')}, {rate:.1f} FPS{eta}",
              file=sys.stderr, flush=True)  # fmt: skip
