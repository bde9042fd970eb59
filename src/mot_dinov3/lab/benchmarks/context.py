"""What all benchmarks share: the settings, and the costly things that are made once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mot_dinov3.config import DeviceConfig, EmbedderConfig, TrackConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.containers import printable_name
from mot_dinov3.io.read.sources import FrameReader
from mot_dinov3.lab.recordings.clip import RecordedClip, record_detections
from mot_dinov3.perception.detectors.base import Detector
from mot_dinov3.perception.features.base import Embedder, Placement
from mot_dinov3.runs.session import open_frames
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.wording import counted

WIDTH, LAYERS, HEAD_WIDTH = 384, 12, 64
EDGE, PATCH = 224, 16
"""Model and input size of DINOv3 ViT-S/16 (Siméoni et al. 2025)."""

KINDS = ("dinov2", "dinov3")


@dataclass(frozen=True, slots=True)
class BenchmarkSettings:
    """What was asked for.

    Attributes:
        config: source, detector, embedder and tracker, as in the main job.
        budgets_ms: the budgets to try.
        rounds: how often a pass over the clip is repeated.
        frames: how many frames of the clip are used, 0 for all.
        random_vits: "dinov2" or "dinov3" for a ViT-S with random weights, "" for the
            configured embedder.
        directory: a place for files that are not needed afterwards.
        peers_python: the interpreter that has other people's trackers.
        sequences: directories of sequences, or recordings, with ground truth.
        policies: embedding policies to compare on recordings.
        seeds: how often boxes are moved.
    """

    config: TrackConfig
    directory: Path
    budgets_ms: tuple[float, ...] = (5.0, 10.0, 20.0)
    rounds: int = 1
    frames: int = 0
    random_vits: str = ""
    peers_python: str = sys.executable
    sequences: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    seeds: int = 4


class BenchmarkContext:
    """Gives every benchmark the same clip, detections and embedder, made when first needed."""

    def __init__(self, settings: BenchmarkSettings) -> None:
        self.settings = settings
        self.directory = settings.directory

    @cached_property
    def config(self) -> TrackConfig:
        """The configuration, with a drawn street in place of a source that was not given."""
        config = self.settings.config
        if not config.source.source:
            config = self._use_drawn_street(config)
        if self.settings.random_vits:
            config = replace(config, embedder=self._use_random_weights(config.embedder))
        most = self.settings.frames or config.source.max_frames
        return replace(config, source=replace(config.source, max_frames=most))

    def _use_drawn_street(self, config: TrackConfig) -> TrackConfig:
        from mot_dinov3.data.synthetic.clip import DEMO_SEED, draw_clip

        clip = draw_clip(self.directory, self.settings.frames or 300, DEMO_SEED)
        truth = f"mot:{self.directory / 'gt.txt'}"
        return replace(
            config,
            source=replace(config.source, source=str(clip.video)),
            detector=replace(config.detector, det=truth),
        )

    def _use_random_weights(self, embedder: EmbedderConfig) -> EmbedderConfig:
        path = save_random_vit(self.directory, self.settings.random_vits)
        return replace(embedder, embedder="dino", embed_model=str(path))

    @cached_property
    def device(self) -> str:
        """Where the models run."""
        return choose_device(self.config.device.name)

    @cached_property
    def embedder(self) -> Embedder:
        """The embedder under test."""
        from mot_dinov3.perception.features.factory import create_embedder

        return create_embedder(self.config.embedder, self.create_placement(self.config.device))

    def create_placement(self, run: DeviceConfig) -> Placement:
        """Place an embedder on the device so that it shares nothing with a detector."""
        return Placement(self.device, run, FrameUpload(self.device))

    @cached_property
    def detector(self) -> Detector:
        """The detector under test."""
        from mot_dinov3.perception.detectors.factory import create_detector

        config = self.config
        return create_detector(config.detector, self.device, config.device, config.source.source)

    @cached_property
    def recorded(self) -> RecordedClip:
        """The clip's detections, computed in one pass."""
        with self.open_reader() as frames:
            return record_detections(frames, self.detector)

    @contextmanager
    def open_reader(self) -> Iterator[FrameReader]:
        """Open the clip at its beginning."""
        with open_frames(self.config.source) as reader:
            if not reader.info.has_pixels:
                raise InputError(
                    f"'{reader.info.name}' has no images, so there is nothing to embed.",
                    fix="Give a video or a directory of images.",
                )
            yield reader

    @property
    def clip_title(self) -> str:
        """Clip and detector in a few words."""
        name = printable_name(self.config.source.source).rstrip("/").rpartition("/")[2]
        return f"{name}, {counted(len(self.recorded), 'frame')}, {self.recorded.title}"

    @property
    def title(self) -> str:
        """Embedder, clip and detector in a few words."""
        model = self.embedder.title.replace(f"{self.directory}/", "")
        return f"{model}; {self.clip_title}"


def save_random_vit(directory: Path, kind: str, width: int = WIDTH) -> Path:
    """Save a ViT-S, or a wider one, with random weights as the hub would; returns its directory.

    It is as slow as the real model, and nothing has to be downloaded.

    Args:
        directory: where the model's directory is made.
        kind: "dinov2" or "dinov3".
        width: numbers of a token; 768 for a ViT-B.
    """
    import torch

    from mot_dinov3.perception.pretrained import quiet_transformers

    torch.manual_seed(0)
    path = directory / f"random-{kind}-{'vits' if width == WIDTH else width}"
    if not path.is_dir():
        with quiet_transformers():
            _build_vit(kind, width).save_pretrained(path)
    return path


def _build_vit(kind: str, width: int) -> Any:  # noqa: ANN401 - a torch module
    import transformers

    shape = {"hidden_size": width, "num_hidden_layers": LAYERS, "image_size": EDGE}
    shape |= {"num_attention_heads": width // HEAD_WIDTH, "patch_size": PATCH}
    if kind == "dinov2":
        return transformers.Dinov2Model(transformers.Dinov2Config(**shape))
    config = transformers.DINOv3ViTConfig(
        **shape, intermediate_size=4 * width, num_register_tokens=4
    )
    return transformers.DINOv3ViTModel(config)
