"""Accuracy under jitter: the same detections, every box corner moved a little, several times.

A tracker decides by thresholds, so a tenth of a pixel can turn a decision that decides others: one
run is one draw. Mean and spread of several draws tell a gain from luck.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.evaluation.figures import Scores
from mot_dinov3.evaluation.preprocessing import ScoredSequence, choose_rule
from mot_dinov3.evaluation.scores import Evaluation, evaluate
from mot_dinov3.io.formats.identities import read_identities
from mot_dinov3.io.formats.mot import MotTable, MotWriter, read_mot
from mot_dinov3.io.read.sequence import MOT_PREFIX
from mot_dinov3.lab.benchmarks.base import Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext, BenchmarkSettings
from mot_dinov3.lab.recordings.clip import ClipPlayer, RecordedClip, record_detections
from mot_dinov3.lab.recordings.recorder import GROUND_TRUTH
from mot_dinov3.lab.recordings.recording import Recording
from mot_dinov3.lab.recordings.replay import ReplayCase, replay
from mot_dinov3.lab.recordings.store import SUFFIX, read_recording
from mot_dinov3.lab.recordings.study import build_evaluation_case
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.runs.batch.names import unique_names, with_own_outputs
from mot_dinov3.runs.session import open_frames
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models
from mot_dinov3.tracking.camera.factory import camera_class, list_choices
from mot_dinov3.wording import counted, program

JITTER_PX = 0.5
"""Standard deviation by which each coordinate of a box moves."""

FIGURES = ("hota", "idf1", "mota")
COMBINED = "combined"
NOTES = (
    f"Every coordinate of every box moves by N(0, {JITTER_PX:g} px); _sd is the standard deviation "
    "of the draws, hota_unmoved the figure of the boxes as they are.",
    "Differences within the spread are luck.",
)


class Subject(Protocol):
    """A sequence that can be tracked again and again."""

    @property
    def clip(self) -> RecordedClip:
        """Its detections as they are."""

    def track(self, clip: RecordedClip, policy: str, path: Path) -> ScoredSequence:
        """Track these detections, by way of the MOT text `path`, and add the ground truth."""


@dataclass(frozen=True, slots=True)
class StoredSequence:
    """A MOTChallenge sequence with stored detections, tracked by motion alone.

    Attributes:
        name: how tables call it.
        config: its own detections and camera motion among the settings.
        clip: the detections.
        truth: the identities of all its frames.
    """

    name: str
    config: TrackConfig
    clip: RecordedClip
    truth: MotTable

    def track(self, clip: RecordedClip, policy: str, path: Path) -> ScoredSequence:
        """Track as the main job does with `--embedder none`."""
        tracker = assemble(self.config, Models(ClipPlayer(clip)))
        with MotWriter(path) as writer:
            for frame in clip.black_frames():
                writer.write(frame.index, tracker.step(frame).tracks)
        part = min(clip.frames), max(clip.frames)
        truth, result = self.truth.cut(*part), read_mot(path).cut(*part)
        rule = choose_rule(self.name, self.truth)
        return ScoredSequence(self.name, truth, result, part[1] - part[0] + 1, rule)


@dataclass(frozen=True, slots=True)
class RecordedSequence:
    """A recording of `cache`, replayed with its embeddings.

    Attributes:
        name: how tables call it.
        config: scheduler and tracker.
        recording: what was recorded.
    """

    name: str
    config: TrackConfig
    recording: Recording

    @property
    def clip(self) -> RecordedClip:
        """What was recorded."""
        return self.recording.clip

    def track(self, clip: RecordedClip, policy: str, path: Path) -> ScoredSequence:
        """Track as the command `replay` does."""
        moved = replace(self.recording, clip=clip)
        result = replay(moved, self.config, ReplayCase(policy), path)
        return build_evaluation_case(self.name, moved, result.table)


def measure_jitter(context: BenchmarkContext) -> Report:
    """Track every sequence as it is and under several draws of jitter, and score all of them.

    Raises:
        UsageError: there is nothing to track, or no embeddings for a policy.
        InputError: a file cannot be read, or there is no ground truth.
    """
    settings = context.settings
    subjects = open_subjects(settings)
    rows: list[ResultRow] = []
    for policy in settings.policies or (settings.config.scheduler.embed_policy,):
        draws = [
            evaluate(track_all(subjects, policy, seed, context.directory))
            for seed in (None, *range(settings.seeds))
        ]
        rows += build_rows(draws, f"{policy}, " if settings.policies else "")
    frames = sum(len(subject.clip) for subject in subjects.values())
    title = f"{counted(len(subjects), 'sequence')}, {counted(frames, 'frame')}, "
    return Report(title + counted(settings.seeds, "draw"), rows, NOTES)


def open_subjects(settings: BenchmarkSettings) -> dict[str, Subject]:
    """Name -> sequence, for everything that `--sequences` names, or `--source`.

    Raises:
        UsageError: nothing is named, or flags do not fit what is.
        InputError: a file cannot be read, or there is no ground truth.
    """
    paths = settings.sequences or tuple(filter(None, [settings.config.source.source]))
    if not paths:
        raise UsageError(
            "jitter has no sequences to track.",
            fix="Give directories with gt/gt.txt or recordings of cache: --sequences PATH ...",
        )
    names = unique_names(paths)
    return {
        name: _open_subject(settings, name, path) for name, path in zip(names, paths, strict=True)
    }


def _open_subject(settings: BenchmarkSettings, name: str, path: str) -> Subject:
    if path.endswith(SUFFIX):
        return _open_recording(settings, name, Path(path))
    if settings.policies:
        raise UsageError(
            f"'{path}' has no embeddings for --policies.",
            fix=f"Record it: {program()} cache --source ... and give the file.",
        )
    directory = Path(path.removeprefix(MOT_PREFIX))
    config = with_own_outputs(settings.config, name, apart=False)
    source = replace(config.source, source=f"{MOT_PREFIX}{directory}", max_frames=settings.frames)
    config = replace(config, source=source)
    _require_blind_camera(config.motion.cmc)
    with open_frames(config.source) as reader:
        clip = record_detections(reader, create_detector(config.detector, "cpu"))
    truth = read_identities(directory / GROUND_TRUTH)
    return StoredSequence(name, config, clip, truth)


def _open_recording(settings: BenchmarkSettings, name: str, path: Path) -> RecordedSequence:
    recording = read_recording(path)
    if recording.truth is None:
        raise UsageError(
            f"'{path}' holds no ground truth.", fix="Record it with --truth FILE, see cache --help."
        )
    if settings.config.motion.cmc != "none":
        raise UsageError("Recordings hold no camera motion.", fix="Give --cmc none.")
    return RecordedSequence(name, settings.config, recording)


def _require_blind_camera(cmc: str) -> None:
    camera = camera_class(cmc)
    if camera is not None and camera.needs_pixels:
        raise UsageError(
            f"jitter looks at no pictures, but --cmc {cmc} does.",
            fix=f"Give --cmc {' or '.join(list_choices(blind=True))}.",
        )


def track_all(
    subjects: Mapping[str, Subject], policy: str, seed: int | None, directory: Path
) -> list[ScoredSequence]:
    """Track every sequence under one draw of jitter; with `seed` None the boxes stay."""
    out = []
    for name, subject in subjects.items():
        clip = subject.clip if seed is None else move_boxes(subject.clip, name, seed)
        out.append(subject.track(clip, policy, directory / f"{name}.txt"))
    return out


def move_boxes(clip: RecordedClip, name: str, seed: int) -> RecordedClip:
    """Move every coordinate of every box by N(0, `JITTER_PX`); corners keep their order.

    The draw depends on name and seed alone, so a sequence moves alike beside any others.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    frames = {}
    for index, frame in clip.frames.items():
        xyxy = frame.detections.xyxy
        moved = xyxy + rng.normal(0, JITTER_PX, xyxy.shape).astype(np.float32)
        moved = np.sort(moved.reshape(-1, 2, 2), axis=1).reshape(-1, 4)
        frames[index] = replace(frame, detections=replace(frame.detections, xyxy=moved))
    return replace(clip, frames=frames)


def build_rows(draws: Sequence[Evaluation], prefix: str) -> list[ResultRow]:
    """Mean and spread of all sequences together, then of each; the first draw is unmoved."""
    columns = {COMBINED: [draw.combined for draw in draws]}
    if len(draws[0].sequences) > 1:
        columns |= {n: [draw.sequences[n] for draw in draws] for n in draws[0].sequences}
    return [ResultRow(f"{prefix}{name}", summarise_draws(col)) for name, col in columns.items()]


def summarise_draws(draws: Sequence[Scores]) -> Figures:
    """Mean and standard deviation of the draws; the first is unmoved and stands apart."""
    unmoved, *moved = draws
    out = {"hota_unmoved": round(unmoved.hota, 2)}
    for figure in FIGURES:
        values = np.array([getattr(scores, figure) for scores in moved])
        out[figure] = round(float(values.mean()), 2)
        out[f"{figure}_sd"] = round(float(values.std(ddof=min(1, len(values) - 1))), 2)
    return out
