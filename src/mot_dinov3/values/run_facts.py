"""What a run was and did: made when it has ended, read by the summary, the report and batches.

Facts are exact. `values/stats_json.py` turns them into the rounded numbers of `--stats-json`, and
reads those back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

LineFacts: TypeAlias = Mapping[str, Mapping[str, int]]
"""The crossings of a line: "in" or "out" -> class name -> how many there were."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean, median, 95th and 99th percentile of samples."""

    mean: float
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class StageFacts:
    """The time of one stage of the loop.

    Attributes:
        mean_ms: milliseconds a frame, over all frames.
        p95_ms: 95th percentile over the frames that had the stage.
        share: of the time of all stages, from 0 to 1.
    """

    mean_ms: float = 0.0
    p95_ms: float = 0.0
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class EmbeddingFacts:
    """What became of the embeddings that detections called for; numbers of crops.

    Attributes:
        computed: critical ones and refreshes that went through the embedder.
        critical: computed because nothing else told which track a detection belongs to.
        refresh: computed to renew what was known of a stable track.
        reused: left as they were, on purpose.
        deferred: refreshes that did not fit the budget.
        starved: critical ones that did not fit the budget.
        nonfinite: vectors of the embedder that were thrown away.
        without_track: computed for detections that ended without a track.
        per_frame: computed ones a frame.
    """

    computed: int = 0
    critical: int = 0
    refresh: int = 0
    reused: int = 0
    deferred: int = 0
    starved: int = 0
    nonfinite: int = 0
    without_track: int = 0
    per_frame: float = 0.0


@dataclass(frozen=True, slots=True)
class BudgetFacts:
    """What embedding was allowed to take and what it took.

    Attributes:
        ms: usual limit of a frame, 0 for no limit; without one no frame is over it.
        frames_over: frames that took more than their limit.
        worst_over_ms: by how much the worst of them did.
        frames_critical_over: frames whose critical work alone took more than the limit.
        fitted_frames_over_1_1: frames whose critical work fitted and which still took more than
            1.1 times the limit.
        used_ms_mean: milliseconds of embedding a frame.
        measured_over_predicted_p50: median of measured over predicted time; None where nothing
            was predicted.
        measured_over_predicted_p95: 95th percentile of the same.
    """

    ms: float
    frames_over: int = 0
    worst_over_ms: float = 0.0
    frames_critical_over: int = 0
    fitted_frames_over_1_1: int = 0
    used_ms_mean: float = 0.0
    measured_over_predicted_p50: float | None = None
    measured_over_predicted_p95: float | None = None


@dataclass(frozen=True, slots=True)
class SearchFacts:
    """What a searcher did in place of the detector.

    Attributes:
        detected_frames: frames that the detector was asked about.
        searched_boxes: boxes of tracks in all frames that no detection shows.
    """

    detected_frames: int = 0
    searched_boxes: int = 0


@dataclass(frozen=True, slots=True)
class AppearanceFacts:
    """What the embeddings of the run turned out to be worth, see `tracking.calibration`.

    Attributes:
        gate: cosine from which on two crops look the same.
        returns: lost tracks may return by their appearance.
        used: appearance counts in association at all.
        stranger: median cosine of two objects.
        same: the same of crops of one object; None without any.
        auc: probability that the same object looks more alike than two; None as well.
    """

    gate: float
    returns: bool
    used: bool
    stranger: float
    same: float | None = None
    auc: float | None = None


@dataclass(frozen=True, slots=True)
class SystemCounts:
    """What a system counts itself.

    Attributes:
        initiated: tracks that were ever begun.
        confirmed: those of them that were confirmed.
        appearance: what was found of the embedder; None where nothing was learned.
    """

    initiated: int
    confirmed: int
    appearance: AppearanceFacts | None = None


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    """The visits to a zone; numbers by class name.

    Attributes:
        entered: visits that began.
        left: visits that ended; those of tracks that are inside at the end of the run go on.
        most: most tracks that were inside at the same time.
        seconds: class name -> track id -> seconds of all its visits.
    """

    entered: Mapping[str, int]
    left: Mapping[str, int]
    most: int
    seconds: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What was tracked.

    Attributes:
        name: of the file, the camera or the stream.
        fps: frames a second, 0 if unknown.
        frames: in the whole source, 0 or less if unknown.
        live: frames come as they happen.
    """

    name: str = ""
    fps: float = 0.0
    frames: int = 0
    live: bool = False


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """Where the models ran, and how many processors the machine has, None if unknown."""

    name: str = ""
    cpu_count: int | None = None


@dataclass(frozen=True, slots=True)
class TrackMerge:
    """A track that continues another one, under whose id both go on.

    Attributes:
        old: the id that is given up.
        new: the id that takes its place, the first of the whole chain.
        after: the id of the tracklet that `old` continues: `new`, or one merged into it before.
        similarity: of the two galleries, 0 to 1.
        gap_s: seconds between the end of `after` and the beginning of `old`.
    """

    old: int
    new: int
    after: int
    similarity: float
    gap_s: float


@dataclass(frozen=True, slots=True)
class Recognition:
    """A track that is an identity of `--gallery`.

    Attributes:
        track: the id that the track had first.
        identity: the id that takes its place.
        name: what the gallery calls it, "" where it has no name.
        similarity: cosine of the two.
    """

    track: int
    identity: int
    name: str
    similarity: float


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run was and did; what a system does not have or a file does not say is None.

    Attributes:
        frames: tracked frames.
        wall_s: seconds from the first frame's reading to the last one's writing.
        fps: frames a second in that time.
        latency_ms: from the beginning of a frame's reading until it was written.
        stages: name of a stage -> its time, in the order of the summary.
        embeddings: what became of the embeddings.
        budget: what embedding was allowed to take and what it took.
        search: what was searched in place of detections; None where nothing was.
        detections: in all frames.
        counts: tracks, as the system counts them.
        identities: class name -> how many confirmed tracks there were of the class; a track whose
            class changed is of the one that it had in most frames.
        lines: name of a line -> its crossings; None where there is no line.
        zones: name of a zone -> its visits; None where there is no zone.
        faults: kind of a fault of the source -> how often it was met.
        stopped_by_signal: the signal that ended the run early, 0 for none.
        stopped_by_viewer: a person who watched it ended it.
        warm_up_s: seconds before the first frame counted.
        frame_size: width and height of the first frame in pixels.
        source: what was tracked.
        models: role -> title, such as "detector"; a role is also its name in `--stats-json`.
        config: every setting by its flat name.
        versions: package -> version.
        device: where the models ran.
        encoder: what encoded the video; None where none was written.
        threads: thread -> share of the run in which it was busy.
        resumed_frames: frames that were taken from a run journal.
        repeatable: False where a budget followed measured times, so that another run of the same
            input may embed other crops; None where nothing is known that stands against it.
        merges: identities that were merged after the run; None where that was not asked for.
        relink_s: seconds of the merging by its steps; empty where it did not come to its end.
        recognised: tracks that are identities of the gallery or of this run; None without one.
        new_identities: how many identities the run added to its gallery; None without one.
    """

    frames: int = 0
    wall_s: float | None = None
    fps: float | None = None
    latency_ms: Spread | None = None
    stages: Mapping[str, StageFacts] | None = None
    embeddings: EmbeddingFacts | None = None
    budget: BudgetFacts | None = None
    search: SearchFacts | None = None
    detections: int | None = None
    counts: SystemCounts | None = None
    identities: Mapping[str, int] | None = None
    lines: Mapping[str, LineFacts] | None = None
    zones: Mapping[str, ZoneFacts] | None = None
    faults: Mapping[str, int] | None = None
    stopped_by_signal: int | None = None
    stopped_by_viewer: bool | None = None
    warm_up_s: float | None = None
    frame_size: tuple[int, int] | None = None
    source: SourceFacts | None = None
    models: Mapping[str, str] | None = None
    config: Mapping[str, Any] | None = None
    versions: Mapping[str, str] | None = None
    device: DeviceFacts | None = None
    encoder: str | None = None
    threads: Mapping[str, float] | None = None
    resumed_frames: int | None = None
    repeatable: bool | None = None
    merges: tuple[TrackMerge, ...] | None = None
    relink_s: Mapping[str, float] | None = None
    recognised: tuple[Recognition, ...] | None = None
    new_identities: int | None = None
