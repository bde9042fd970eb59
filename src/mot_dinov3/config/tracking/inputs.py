"""What is read, where the models run, what finds and what describes the objects."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require

DEFAULT_DINO = "facebook/dinov3-vitb16-pretrain-lvd1689m"
OPEN_DINO = "facebook/dinov2-base"
NECK = "detector"
"""The embedder that runs no model of its own: it reads the neck of the detector's network."""
NO_EMBEDDER = "none"
"""What `--embedder` says to track by motion alone."""
PRECISIONS = ("auto", "off", "fp16", "bf16")
AUTO = "auto"
BACKENDS = ("torch", "onnx", "openvino")
NUMBERS = ("fp32", "bf16", "fp16", "int8")


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """What is read, and which part of it."""

    source: str = flag(
        "",
        "--source",
        "video file, directory of frames, quoted glob, webcam index, URL, mot:SEQ_DIR, "
        "synthetic:NAME, or a .txt that lists some; several make a batch",
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
    backend: str = flag(
        AUTO,
        "--backend",
        "what runs detector and embedder: auto takes the fastest that is installed",
        choices=(AUTO, *BACKENDS),
    )
    precision: str = flag(
        AUTO,
        "--precision",
        "numbers that the networks compute in: auto takes bf16 or fp16 where that is fast",
        choices=(AUTO, *NUMBERS),
    )
    half: bool = flag(False, "--half", "older name of --precision fp16, detector on CUDA only")
    export_cache: str = flag(
        "", "--export-cache", "where exported networks are kept, empty for the user's cache"
    )

    def __post_init__(self) -> None:
        for name, value, known in (
            ("--backend", self.backend, (AUTO, *BACKENDS)),
            ("--precision", self.precision, (AUTO, *NUMBERS)),
        ):
            require(value in known, name, f"one of {', '.join(known)}", value)
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
        "dino",
        "--embedder",
        "what embeds: dino, clip, resnet, onnx, dense, detector, or none",
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
        "older name of --precision for the embedder alone; off is fp32",
        choices=PRECISIONS,
    )
    dense_size: str = flag(
        "288x512", "--dense-size", "height x width of whole pictures for --embedder dense"
    )
    crop_pad: float = flag(0.12, "--crop-pad", "padding around a box before cropping, as a ratio")
    crop_square: bool = flag(True, "--crop-square", "make crops square")

    def __post_init__(self) -> None:
        known = self.embed_amp in PRECISIONS
        require(known, "--embed-amp", f"one of {', '.join(PRECISIONS)}", self.embed_amp)
        sides = re.fullmatch(r"(\d{2,4})x(\d{2,4})", self.dense_size.lower())
        require(sides is not None, "--dense-size", "like 288x512", self.dense_size)
        require(0 <= self.crop_pad <= 4, "--crop-pad", "between 0 and 4", self.crop_pad)

    @property
    def dense_hw(self) -> tuple[int, int]:
        """Height and width of whole pictures in pixels."""
        height, _, width = self.dense_size.lower().partition("x")
        return int(height), int(width)
