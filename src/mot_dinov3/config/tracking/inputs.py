"""What is read, where the models run, what finds and what describes the objects."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require

DEFAULT_DINO = "facebook/dinov3-vitb16-pretrain-lvd1689m"
OPEN_DINO = "facebook/dinov2-base"
NECK = "detector"
"""The embedder that runs no model of its own: it reads the neck of the detector's network."""
SHARED = "shared"
"""The embedder that reads the backbone of the detector, and looks closer at small boxes."""
OF_DETECTOR = NECK, SHARED
"""The embedders that need the detector's own network."""
NO_EMBEDDER = "none"
"""What `--embedder` says to track by motion alone."""
PRECISIONS = ("auto", "off", "fp16", "bf16")
AUTO = "auto"
BACKENDS = ("torch", "onnx", "openvino", "tensorrt")
BACKEND_TITLES = {
    "torch": "torch",
    "onnx": "onnxruntime",
    "openvino": "OpenVINO",
    "tensorrt": "TensorRT",
}
"""What a backend is called in the title of a model."""
NUMBERS = ("fp32", "bf16", "fp16", "int8")


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """What is read, and which part of it."""

    source: str = flag(
        "",
        "--source",
        "video file, directory of images, quoted glob, webcam number, URL, mot:DIR of a "
        "MOTChallenge sequence, synthetic:NAME, a .txt file with one source per line, or - for "
        "the standard input",
        metavar="SOURCE",
    )
    start_frame: int = flag(
        0, "--start-frame", "first frame of the source to track, counted from 0", metavar="FRAME"
    )
    end_frame: int = flag(
        -1, "--end-frame", "last frame of the source to track; -1 for all", metavar="FRAME"
    )
    max_frames: int = flag(
        0, "--max-frames", "stop after this many tracked frames; 0 for no limit", metavar="COUNT"
    )
    vid_stride: int = flag(1, "--vid-stride", "track one frame in COUNT", metavar="COUNT")
    fps: float = flag(
        0.0, "--fps", "frame rate of the written video; 0 for the source's own", metavar="FPS"
    )

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
    """Where the models run, and with which numbers."""

    device: str = flag("auto", "--device", "device of the models", metavar="NAME")
    cpu: bool = flag(False, "--cpu", "run the models on the processor (--device cpu)")
    backend: str = flag(
        AUTO,
        "--backend",
        "runtime of detector and embedder; auto takes the fastest that is installed",
        choices=(AUTO, *BACKENDS),
    )
    precision: str = flag(
        AUTO,
        "--precision",
        "numbers that the networks compute with; auto takes bf16 or fp16 where they are fast",
        choices=(AUTO, *NUMBERS),
    )
    half: bool = flag(
        False, "--half", "run the detector with fp16 on a CUDA device (or use --precision)"
    )
    export_cache: str = flag(
        "",
        "--export-cache",
        "directory of exported networks; without it a directory of the user's cache",
        metavar="DIR",
    )

    @property
    def name(self) -> str:
        """The device that is asked for, as the user wrote it."""
        return "cpu" if self.cpu else self.device

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
        "Ultralytics model, by name or file, or another detector",
        metavar="NAME|FILE",
    )
    conf: float = flag(
        0.3, "--conf", "least confidence of a detection that starts a track", metavar="SHARE"
    )
    low_conf: float = flag(
        0.1,
        "--low-conf",
        "least confidence of a detection that continues a track",
        metavar="SHARE",
    )
    imgsz: int = flag(
        960, "--imgsz", "longer side of the picture that the detector sees", metavar="PIXELS"
    )
    classes: str = flag(
        "",
        "--classes",
        "track these classes only: names or numbers, separated by commas",
        metavar="NAMES",
    )

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
    """What describes the appearance of a crop."""

    embedder: str = flag("dino", "--embedder", "kind of model that embeds crops", metavar="NAME")
    embed_model: str = flag(
        "",
        "--embed-model",
        "model of the embedder: hub id, directory or file, or demo for the one in the package",
        metavar="NAME|FILE",
    )
    dinov3: str = flag(
        DEFAULT_DINO,
        "--dinov3",
        "hub id of the DINO model, where --embed-model is not given",
        metavar="NAME",
    )
    fallback_open: bool = flag(
        False,
        "--fallback-open",
        f"use {OPEN_DINO} if the model is gated, unsupported or out of reach",
    )
    embed_amp: str = flag(
        "auto",
        "--embed-amp",
        "numbers that the embedder computes with, unlike the detector; off is fp32",
        choices=PRECISIONS,
    )
    dense_size: str = flag(
        "288x512",
        "--dense-size",
        "height and width in pixels of the whole picture for --embedder dense",
        metavar="HxW",
    )
    crop_pad: float = flag(
        0.12,
        "--crop-pad",
        "part of its size by which a box is widened on each side before it is cropped",
        metavar="SHARE",
    )
    crop_square: bool = flag(True, "--crop-square", "widen crops to squares")

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
