"""The configuration of the command `track`: all its stages together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mot_dinov3.config.flat import build
from mot_dinov3.config.presets import DEFAULT_PRESET, preset
from mot_dinov3.config.tracking.association import AssociationConfig
from mot_dinov3.config.tracking.batch import BatchConfig
from mot_dinov3.config.tracking.cheap import CheapConfig
from mot_dinov3.config.tracking.counting import CountConfig
from mot_dinov3.config.tracking.drawing import DrawConfig
from mot_dinov3.config.tracking.identities import IdentityConfig
from mot_dinov3.config.tracking.inputs import (
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
    RULE_POLICY,
    RULE_SETTINGS,
    SchedulerConfig,
    choose_policy,
)
from mot_dinov3.config.tracking.search import SearchConfig
from mot_dinov3.config.tracking.shapes import split_shapes
from mot_dinov3.config.tracking.tracker import TrackerConfig


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
    search: SearchConfig = field(default_factory=SearchConfig)
    association: AssociationConfig = field(default_factory=AssociationConfig)
    motion: MotionConfig = field(default_factory=MotionConfig)
    relink: RelinkConfig = field(default_factory=RelinkConfig)
    identities: IdentityConfig = field(default_factory=IdentityConfig)
    count: CountConfig = field(default_factory=CountConfig)
    draw: DrawConfig = field(default_factory=DrawConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)
    resume: ResumeConfig = field(default_factory=ResumeConfig)
    live: LiveConfig = field(default_factory=LiveConfig)
    batch: BatchConfig = field(default_factory=BatchConfig)
    talk: TalkConfig = field(default_factory=TalkConfig)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> TrackConfig:
        """Build the configuration over the preset of `--tracker`; several sources make a batch.

        A setting of one policy, given without any policy, chooses that policy.

        Args:
            values: configuration key -> value; `source`, `line` and `zone` may be lists of texts.

        Raises:
            UnknownNameError: no such preset.
            UsageError: a value breaks the rule of its stage.
        """
        chosen = preset(values.get("tracker", DEFAULT_PRESET)) | dict(values)
        for key in ("line", "zone"):
            if isinstance(chosen.get(key), list):
                chosen[key] = ",".join(chosen[key])
        source = chosen.get("source", "")
        first = source if isinstance(source, str) else source[0]
        config = build(cls, chosen | {"source": first})
        config = replace(config, scheduler=replace(config.scheduler, **choose_policy(chosen)))
        if isinstance(source, str) or len(source) == 1:
            return config
        return replace(config, batch=replace(config.batch, sources=tuple(source)))

    def unread_keys(self) -> frozenset[str]:
        """The keys of another policy, which say nothing about this run where they are unchanged."""
        return frozenset() if self.scheduler.policy[0] == RULE_POLICY else frozenset(RULE_SETTINGS)

    def several_values(self) -> dict[str, tuple[str, ...]]:
        """The sources of a batch, and the lines and zones where there are two or more."""
        shapes = {"line": split_shapes(self.count.line), "zone": split_shapes(self.count.zone)}
        several = {key: tuple(words) for key, words in shapes.items() if len(words) > 1}
        return {"source": self.batch.sources, "line": (), "zone": ()} | several
