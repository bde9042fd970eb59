"""Videos with damaged bytes: each is read or refused in words, never a crash, never a hang."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from mot_dinov3.config import (
    DetectorConfig,
    DeviceConfig,
    EmbedderConfig,
    OutputConfig,
    SourceConfig,
    TalkConfig,
    TrackConfig,
)
from mot_dinov3.errors import EXIT_OK, EXIT_PARTIAL, InputError, MotError
from mot_dinov3.io.read.sources import open_source
from mot_dinov3.lab.selftest.base import MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.clips import make_clips
from mot_dinov3.lab.selftest.mutations import mutate
from mot_dinov3.lab.selftest.trials import run_trials

FILES = 10_000
WHOLE_RUN_EVERY = 20
"""Every so many-th file goes through the whole run with all its outputs."""


def measure_mutated_videos(context: MeasureContext) -> MeasureResult:
    """Damage small clips in many ways and read each, or track it with all outputs."""
    clips = context.directory / "clips"
    clips.mkdir()
    make_clips(clips)
    return run_trials(context, FILES, try_clip, (str(clips),))


def damage_clip(seed: int, number: int, clips: str, directory: Path) -> tuple[Path, str]:
    """Make a file from one of the `clips`; returns it and how it was damaged, in words."""
    rng = Random(f"{seed}/{number}")
    whole = rng.choice(sorted(Path(clips).iterdir()))
    data, done = mutate(whole.read_bytes(), rng)
    path = directory / whole.name
    path.write_bytes(data)
    return path, f"{whole.name}: {', '.join(done)}"


def try_clip(number: int, seed: int, clips: str) -> str:
    """Read a damaged clip, or track it; what went wrong, "" for nothing."""
    with TemporaryDirectory(prefix="mot-selftest-") as place:
        path, made = damage_clip(seed, number, clips, Path(place))
        check = run_through if number % WHOLE_RUN_EVERY == 0 else read_through
        try:
            problem = check(path)
        except InputError as error:
            problem = "" if error.what and error.fix else f"refused without a remedy: {error.what}"
        except MotError as error:
            problem = f"{type(error).__name__} instead of a problem of the input: {error.what}"
        except Exception as error:
            # Any exception that escapes is what is looked for.
            problem = f"uncaught {type(error).__name__}: {error}"
    return f"{made}: {problem}" if problem else ""


def read_through(path: Path) -> str:
    """Read every frame; time must go on, and the size must stay."""
    with open_source(SourceConfig(source=str(path))) as reader:
        stamps, shape = [], (reader.info.height, reader.info.width, 3)
        for frame in reader:
            if frame.image.shape != shape:
                return f"frame {frame.index} has shape {frame.image.shape}, said were {shape}"
            stamps.append((frame.index, frame.time_s))
    for (index, time_s), (later, later_s) in pairwise(stamps):
        if later <= index or later_s <= time_s:
            return f"frame {later} at {later_s} s comes after frame {index} at {time_s} s"
    return "" if stamps else "no frame, and no error that says so"


def run_through(path: Path) -> str:
    """Track it without models; the outputs must exist and have the same frames."""
    from mot_dinov3.runs.jobs.job import run_job

    video, lines = path.with_name("out.mp4"), path.with_name("out.jsonl")
    config = TrackConfig(
        source=SourceConfig(source=str(path)),
        detector=DetectorConfig(det="motion"),
        device=DeviceConfig(cpu=True),
        embedder=EmbedderConfig(embedder="none"),
        output=OutputConfig(output=str(video), save_jsonl=str(lines)),
        talk=TalkConfig(quiet=True),
    )
    result = run_job(config)
    if result.exit_code not in (EXIT_OK, EXIT_PARTIAL):
        return f"exit code {result.exit_code}"
    with open_source(SourceConfig(source=str(video))) as reader:
        drawn = sum(1 for _ in reader)
    tracked, logged = result.facts.frames, len(lines.read_text().splitlines())
    if reader.partial or not drawn == tracked == logged:
        faults = dict(reader.faults)
        return f"{tracked} frames tracked, {logged} logged, {drawn} drawn ({faults})"
    return ""
