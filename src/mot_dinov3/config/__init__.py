"""One frozen dataclass per stage; a field carries its default, type, flag and help.

The classes here are the only place where a default is written down. `commands/flags.py` turns
them into command-line flags, environment variables and configuration keys.
"""

from __future__ import annotations

from mot_dinov3.config.fields import flag, flag_fields, require
from mot_dinov3.config.tracking.association import AssociationConfig
from mot_dinov3.config.tracking.batch import BatchConfig
from mot_dinov3.config.tracking.cheap import CheapConfig
from mot_dinov3.config.tracking.counting import CountConfig
from mot_dinov3.config.tracking.drawing import DrawConfig
from mot_dinov3.config.tracking.follow import FollowConfig
from mot_dinov3.config.tracking.identities import IdentityConfig
from mot_dinov3.config.tracking.inputs import (
    AUTO,
    BACKEND_TITLES,
    BACKENDS,
    DEFAULT_DINO,
    NECK,
    NO_EMBEDDER,
    NUMBERS,
    OF_DETECTOR,
    OPEN_DINO,
    PRECISIONS,
    SHARED,
    DetectorConfig,
    DeviceConfig,
    EmbedderConfig,
    SourceConfig,
)
from mot_dinov3.config.tracking.live import LiveConfig
from mot_dinov3.config.tracking.motion import MotionConfig
from mot_dinov3.config.tracking.outputs import LoopConfig, OutputConfig, TalkConfig
from mot_dinov3.config.tracking.relink import RelinkConfig
from mot_dinov3.config.tracking.resume import ResumeConfig
from mot_dinov3.config.tracking.scheduler import (
    DEFAULT_POLICY,
    RULE_POLICY,
    RULE_SETTINGS,
    SchedulerConfig,
)
from mot_dinov3.config.tracking.search import SearchConfig
from mot_dinov3.config.tracking.track import TrackConfig
from mot_dinov3.config.tracking.tracker import TrackerConfig

__all__ = [
    "AUTO",
    "BACKENDS",
    "BACKEND_TITLES",
    "DEFAULT_DINO",
    "DEFAULT_POLICY",
    "NECK",
    "NO_EMBEDDER",
    "NUMBERS",
    "OF_DETECTOR",
    "OPEN_DINO",
    "PRECISIONS",
    "RULE_POLICY",
    "RULE_SETTINGS",
    "SHARED",
    "AssociationConfig",
    "BatchConfig",
    "CheapConfig",
    "CountConfig",
    "DetectorConfig",
    "DeviceConfig",
    "DrawConfig",
    "EmbedderConfig",
    "FollowConfig",
    "IdentityConfig",
    "LiveConfig",
    "LoopConfig",
    "MotionConfig",
    "OutputConfig",
    "RelinkConfig",
    "ResumeConfig",
    "SchedulerConfig",
    "SearchConfig",
    "SourceConfig",
    "TalkConfig",
    "TrackConfig",
    "TrackerConfig",
    "flag",
    "flag_fields",
    "require",
]
