"""One frozen dataclass per stage; a field carries its default, type, flag and help.

The classes here are the only place where a default is written down. `commands/flags.py` turns
them into command-line flags, environment variables and configuration keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mot_dinov3.config.fields import flag, flag_fields, require
from mot_dinov3.config.tracking.association import AssociationConfig
from mot_dinov3.config.tracking.batch import BatchConfig
from mot_dinov3.config.tracking.cheap import CheapConfig
from mot_dinov3.config.tracking.inputs import (
    AUTO,
    BACKENDS,
    DEFAULT_DINO,
    NECK,
    NO_EMBEDDER,
    NUMBERS,
    OPEN_DINO,
    PRECISIONS,
    DetectorConfig,
    DeviceConfig,
    EmbedderConfig,
    SourceConfig,
)
from mot_dinov3.config.tracking.live import LiveConfig
from mot_dinov3.config.tracking.motion import MotionConfig
from mot_dinov3.config.tracking.outputs import DrawConfig, LoopConfig, OutputConfig, TalkConfig
from mot_dinov3.config.tracking.relink import RelinkConfig
from mot_dinov3.config.tracking.resume import ResumeConfig
from mot_dinov3.config.tracking.scheduler import DEFAULT_POLICY, SchedulerConfig
from mot_dinov3.config.tracking.tracker import TrackerConfig

__all__ = [
    "AUTO",
    "BACKENDS",
    "DEFAULT_DINO",
    "DEFAULT_POLICY",
    "NECK",
    "NO_EMBEDDER",
    "NUMBERS",
    "OPEN_DINO",
    "PRECISIONS",
    "AssociationConfig",
    "BatchConfig",
    "CheapConfig",
    "DetectorConfig",
    "DeviceConfig",
    "DrawConfig",
    "EmbedderConfig",
    "LiveConfig",
    "LoopConfig",
    "MotionConfig",
    "OutputConfig",
    "RelinkConfig",
    "ResumeConfig",
    "SchedulerConfig",
    "SourceConfig",
    "TalkConfig",
    "TrackConfig",
    "TrackerConfig",
    "flag",
    "flag_fields",
    "require",
]


@dataclass(frozen=True, slots=True)
class TrackConfig:
    """All stages of the main job."""

    source: SourceConfig = field(default_factory=SourceConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    device: DeviceConfig = field(default_factory=DeviceConfig)
    embedder: EmbedderConfig = field(default_factory=EmbedderConfig)
    cheap: CheapConfig = field(default_factory=CheapConfig)
    scheduler: SchedulerConfig = field(default_factory=SchedulerConfig)
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    association: AssociationConfig = field(default_factory=AssociationConfig)
    motion: MotionConfig = field(default_factory=MotionConfig)
    relink: RelinkConfig = field(default_factory=RelinkConfig)
    draw: DrawConfig = field(default_factory=DrawConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)
    resume: ResumeConfig = field(default_factory=ResumeConfig)
    live: LiveConfig = field(default_factory=LiveConfig)
    batch: BatchConfig = field(default_factory=BatchConfig)
    talk: TalkConfig = field(default_factory=TalkConfig)
