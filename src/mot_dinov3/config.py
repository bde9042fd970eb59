"""One frozen dataclass per stage; a field carries its default, type, flag and help.

The classes here are the only place where a default is written down. `commands/flags.py` turns
them into command-line flags, environment variables and configuration keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any

from mot_dinov3.errors import UsageError

DEFAULT_DINO = "facebook/dinov3-vitb16-pretrain-lvd1689m"
OPEN_DINO = "facebook/dinov2-base"
DEFAULT_POLICY = "continuity"
PRECISIONS = ("auto", "off", "fp16", "bf16")


def flag(
    default: Any,  # noqa: ANN401 - a field's default has the field's own type
    name: str,
    help: str,  # noqa: A002 - the word argparse uses
    *,
    metavar: str = "",
    choices: Sequence[str] = (),
) -> Any:  # noqa: ANN401 - dataclasses.field is typed the same way
    """A dataclass field that is also a command-line flag, a `MOT_*` variable and a config key."""
    metadata = {"flag": name, "help": help, "metavar": metavar, "choices": tuple(choices)}
    return field(default=default, metadata=metadata)


def flag_fields(config: type) -> list[Field[Any]]:
    """The fields of a stage that a user can set."""
    return [item for item in fields(config) if "flag" in item.metadata]


def require(ok: bool, name: str, rule: str, value: object) -> None:
    """Raise a `UsageError` naming the flag when a value breaks its rule."""
    if not ok:
        raise UsageError(f"{name} must be {rule}, got {value}.", fix=f"Give {name} another value.")


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """What is read, and which part of it."""

    source: str = flag(
        "",
        "--source",
        "video file, directory of frames, quoted glob, webcam index, URL, or mot:SEQ_DIR",
    )
    start_frame: int = flag(0, "--start-frame", "first source frame to track (0-based)")
    end_frame: int = flag(-1, "--end-frame", "last source frame to track, -1 for all")
    max_frames: int = flag(0, "--max-frames", "stop after this many tracked frames, 0 for all")
    vid_stride: int = flag(1, "--vid-stride", "track every Nth frame")
    fps: float = flag(0.0, "--fps", "override the output frame rate, 0 keeps the source's")

    def __post_init__(self) -> None:
        require(self.start_frame >= 0, "--start-frame", "0 or more", self.start_frame)
        require(self.end_frame >= -1, "--end-frame", "-1 or more", self.end_frame)
        ordered = self.end_frame < 0 or self.end_frame >= self.start_frame
        require(ordered, "--end-frame", "at or after --start-frame", self.end_frame)
        require(self.max_frames >= 0, "--max-frames", "0 or more", self.max_frames)
        require(self.vid_stride >= 1, "--vid-stride", "1 or more", self.vid_stride)
        require(0 <= self.fps <= 1000, "--fps", "between 0 and 1000", self.fps)


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """Where and in what precision the models run."""

    device: str = flag("auto", "--device", "auto, cpu, cuda, cuda:N or mps")
    cpu: bool = flag(False, "--cpu", "the same as --device cpu")
    half: bool = flag(False, "--half", "run the detector in half precision (CUDA only)")

    def __post_init__(self) -> None:
        clash = self.cpu and self.device not in ("auto", "cpu")
        require(not clash, "--cpu", "left out when --device names another device", self.device)


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """What finds the objects."""

    det: str = flag(
        "yolov8n.pt",
        "--det",
        "Ultralytics model or path, mot:FILE to replay, motion (no weights) or demo",
    )
    conf: float = flag(0.3, "--conf", "confidence that a detection needs to start a track")
    low_conf: float = flag(
        0.1, "--low-conf", "weaker detections down to this may only continue a track"
    )
    imgsz: int = flag(960, "--imgsz", "detector input size in pixels")
    classes: str = flag("", "--classes", "keep only these classes: names or ids, comma separated")

    def __post_init__(self) -> None:
        require(0 <= self.conf <= 1, "--conf", "between 0 and 1", self.conf)
        require(0 <= self.low_conf <= 1, "--low-conf", "between 0 and 1", self.low_conf)
        require(32 <= self.imgsz <= 8192, "--imgsz", "between 32 and 8192", self.imgsz)

    @property
    def floor(self) -> float:
        """The lowest confidence a detector should hand over."""
        return min(self.conf, self.low_conf)


@dataclass(frozen=True, slots=True)
class EmbedderConfig:
    """What describes the look of a crop."""

    embedder: str = flag(
        "dino", "--embedder", "embedding backend: dino, clip, resnet, onnx, or none"
    )
    embed_model: str = flag(
        "", "--embed-model", "model id, local directory or file for the embedder, or demo"
    )
    dinov3: str = flag(DEFAULT_DINO, "--dinov3", "hub id of the DINO model (older --embed-model)")
    fallback_open: bool = flag(
        False, "--fallback-open", f"if the model is gated or unsupported, use {OPEN_DINO}"
    )
    embed_amp: str = flag(
        "auto",
        "--embed-amp",
        "embedder precision: auto is fp16 on CUDA and off elsewhere",
        choices=PRECISIONS,
    )
    crop_pad: float = flag(0.12, "--crop-pad", "padding around a box before cropping, as a ratio")
    crop_square: bool = flag(True, "--crop-square", "make crops square")

    def __post_init__(self) -> None:
        known = self.embed_amp in PRECISIONS
        require(known, "--embed-amp", f"one of {', '.join(PRECISIONS)}", self.embed_amp)
        require(0 <= self.crop_pad <= 4, "--crop-pad", "between 0 and 4", self.crop_pad)

    @property
    def model_id(self) -> str:
        """The model to load; empty means the backend's own default."""
        return self.embed_model or (self.dinov3 if self.embedder == "dino" else "")


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """When an embedding is reused, refreshed or computed at once."""

    embed_policy: str = flag(
        DEFAULT_POLICY, "--embed-policy", "what decides: continuity, always or never"
    )
    refresh_every: int = flag(5, "--embed-refresh", "refresh a stable track every N frames")
    iou_gate: float = flag(0.6, "--embed-iou-gate", "reuse only at or above this IoU")
    overlap_thr: float = flag(0.2, "--embed-overlap-thr", "crowded above this IoU")
    budget_ms: float = flag(
        0.0, "--embed-budget-ms", "embedding time per frame that refreshes may fill, 0 = unlimited"
    )
    budget_crops: int = flag(
        0, "--embed-budget-crops", "the same budget counted in crops: repeatable, 0 = unlimited"
    )
    hard_budget: bool = flag(False, "--embed-hard-budget", "the budget bounds critical work too")
    embed_all: bool = flag(False, "--embed-all", "embed every detection (no scheduling: baseline)")
    chunk: int = 8
    critical_batch: int = 64

    def __post_init__(self) -> None:
        require(self.refresh_every >= 1, "--embed-refresh", "at least 1", self.refresh_every)
        require(0 <= self.iou_gate <= 1, "--embed-iou-gate", "between 0 and 1", self.iou_gate)
        require(
            0 <= self.overlap_thr <= 1, "--embed-overlap-thr", "between 0 and 1", self.overlap_thr
        )
        require(0 <= self.budget_ms < 1e7, "--embed-budget-ms", "0 or more", self.budget_ms)
        require(self.budget_crops >= 0, "--embed-budget-crops", "0 or more", self.budget_crops)
        if self.budget_ms and self.budget_crops:
            raise UsageError(
                "--embed-budget-ms and --embed-budget-crops are two ways to say one thing.",
                fix="Keep one of them.",
            )
        if self.hard_budget and not (self.budget_ms or self.budget_crops):
            raise UsageError(
                "--embed-hard-budget has no budget to enforce.",
                fix="Add --embed-budget-ms MS or --embed-budget-crops N.",
            )
        if self.embed_all and self.embed_policy not in (DEFAULT_POLICY, "always"):
            raise UsageError(
                f"--embed-all means --embed-policy always, not {self.embed_policy}.",
                fix="Keep one of them.",
            )

    @property
    def policy(self) -> tuple[str, str]:
        """The name of the policy, and what stands behind its colon."""
        name, _, argument = ("always" if self.embed_all else self.embed_policy).partition(":")
        return name, argument


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """Who continues whom, and for how long an identity is remembered."""

    no_hungarian: bool = flag(False, "--no-hungarian", "greedy instead of optimal assignment")
    match_iou: float = flag(0.3, "--match-iou", "no match below this IoU with the prediction")
    low_match_iou: float = flag(0.5, "--low-match-iou", "the same for weak detections")
    appearance_weight: float = flag(
        0.4, "--appearance-weight", "share of the cosine term where there is evidence"
    )
    reid_similarity: float = flag(
        0.7, "--reid-similarity", "cosine that a lost track needs to return"
    )
    max_lost_s: float = flag(2.0, "--max-lost", "seconds a lost track is kept and predicted")
    reid_s: float = flag(10.0, "--reid-window", "seconds a lost track may return by appearance")
    min_hits: int = flag(2, "--min-hits", "matched frames before a track is confirmed")

    def __post_init__(self) -> None:
        for name, value in (
            ("--match-iou", self.match_iou),
            ("--low-match-iou", self.low_match_iou),
            ("--appearance-weight", self.appearance_weight),
        ):
            require(0 <= value <= 1, name, "between 0 and 1", value)
        require(-1 <= self.reid_similarity <= 1, "--reid-similarity", "between -1 and 1",
                self.reid_similarity)  # fmt: skip
        require(0 <= self.max_lost_s < 1e7, "--max-lost", "0 to 1e7", self.max_lost_s)
        require(0 <= self.reid_s < 1e7, "--reid-window", "0 to 1e7", self.reid_s)
        require(self.min_hits >= 1, "--min-hits", "at least 1", self.min_hits)


@dataclass(frozen=True, slots=True)
class DrawConfig:
    """How tracks look in the video."""

    draw_lost: bool = flag(False, "--draw-lost", "also draw lost tracks at their predicted place")
    line_thickness: int = flag(2, "--line-thickness", "box line thickness in pixels")
    font_scale: float = flag(0.5, "--font-scale", "label font scale")
    hud: bool = flag(False, "--hud", "print the frame's counters in a corner of the video")

    def __post_init__(self) -> None:
        require(1 <= self.line_thickness <= 64, "--line-thickness", "between 1 and 64",
                self.line_thickness)  # fmt: skip
        require(0 < self.font_scale <= 20, "--font-scale", "between 0 and 20", self.font_scale)


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """What is written, and where."""

    output: str = flag("outputs/tracked.mp4", "--output", "annotated video to write")
    no_video: bool = flag(False, "--no-video", "write no video")
    save_mot: str = flag("", "--save-mot", "write MOTChallenge text to FILE", metavar="FILE")
    save_jsonl: str = flag("", "--save-jsonl", "write one JSON line a frame to FILE",
                           metavar="FILE")  # fmt: skip
    stats_json: str = flag("", "--stats-json", "write the summary as JSON to FILE",
                           metavar="FILE")  # fmt: skip
    no_clobber: bool = flag(False, "--no-clobber", "refuse to replace an existing output")


@dataclass(frozen=True, slots=True)
class TalkConfig:
    """How much is said while it runs."""

    quiet: bool = flag(False, "--quiet", "no progress and no summary, errors only")
    verbose: bool = flag(False, "--verbose", "say more: versions, device, model, every fault")
    debug: bool = flag(False, "--debug", "show full tracebacks")


@dataclass(frozen=True, slots=True)
class TrackConfig:
    """All stages of the main job."""

    source: SourceConfig = field(default_factory=SourceConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    device: DeviceConfig = field(default_factory=DeviceConfig)
    embedder: EmbedderConfig = field(default_factory=EmbedderConfig)
    scheduler: SchedulerConfig = field(default_factory=SchedulerConfig)
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    draw: DrawConfig = field(default_factory=DrawConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    talk: TalkConfig = field(default_factory=TalkConfig)
