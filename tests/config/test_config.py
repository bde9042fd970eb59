from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import get_type_hints

import pytest

from mot_dinov3.config import (
    AssociationConfig,
    DetectorConfig,
    DeviceConfig,
    DrawConfig,
    EmbedderConfig,
    OutputConfig,
    SchedulerConfig,
    SourceConfig,
    TrackConfig,
    TrackerConfig,
    flag_fields,
)
from mot_dinov3.errors import UsageError

NAN, INF = float("nan"), float("inf")
WRONG = [
    (SourceConfig, "start_frame", -1, "--start-frame"),
    (SourceConfig, "end_frame", -2, "--end-frame"),
    (SourceConfig, "max_frames", -1, "--max-frames"),
    (SourceConfig, "vid_stride", 0, "--vid-stride"),
    (SourceConfig, "fps", -1.0, "--fps"),
    (SourceConfig, "fps", INF, "--fps"),
    (DetectorConfig, "conf", 1.01, "--conf"),
    (DetectorConfig, "conf", NAN, "--conf"),
    (DetectorConfig, "low_conf", -0.1, "--low-conf"),
    (DetectorConfig, "imgsz", 31, "--imgsz"),
    (EmbedderConfig, "crop_pad", -0.1, "--crop-pad"),
    (EmbedderConfig, "embed_amp", "fp8", "--embed-amp"),
    (SchedulerConfig, "refresh_every", 0, "--embed-refresh"),
    (SchedulerConfig, "iou_gate", 1.1, "--embed-iou-gate"),
    (SchedulerConfig, "overlap_thr", -0.1, "--embed-overlap-thr"),
    (SchedulerConfig, "budget_ms", -1.0, "--embed-budget-ms"),
    (SchedulerConfig, "budget_ms", NAN, "--embed-budget-ms"),
    (SchedulerConfig, "budget_crops", -1, "--embed-budget-crops"),
    (SchedulerConfig, "hard_budget", True, "--embed-hard-budget"),
    (AssociationConfig, "worst_cost", 1e4, "--worst-cost"),
    (AssociationConfig, "match_iou", 2.0, "--match-iou"),
    (AssociationConfig, "reid_similarity", -1.1, "--reid-similarity"),
    (AssociationConfig, "reid_similarity", "1.5", "--reid-similarity"),
    (AssociationConfig, "reid_similarity", "high", "--reid-similarity"),
    (AssociationConfig, "reid_similarity", "", "--reid-similarity"),
    (AssociationConfig, "reid_similarity", NAN, "--reid-similarity"),
    (TrackerConfig, "max_lost_s", -1.0, "--max-lost"),
    (TrackerConfig, "max_lost_s", INF, "--max-lost"),
    (TrackerConfig, "reid_s", INF, "--reid-window"),
    (TrackerConfig, "min_hits", 0, "--min-hits"),
    (DrawConfig, "line_thickness", -1, "--line-thickness"),
    (DrawConfig, "font_scale", -0.5, "--font-scale"),
]
STAGES = [get_type_hints(TrackConfig)[item.name] for item in fields(TrackConfig)]


@pytest.mark.parametrize(("stage", "name", "value", "flag"), WRONG)
def test_a_value_that_makes_no_sense_names_its_flag(stage, name, value, flag):
    with pytest.raises(UsageError, match=f"^{flag}") as caught:
        stage(**{name: value})
    assert caught.value.fix


@pytest.mark.parametrize(
    ("stage", "values"),
    [
        (SourceConfig, {"start_frame": 5, "end_frame": 5, "vid_stride": 1, "fps": 1000.0}),
        (DetectorConfig, {"conf": 0.0, "low_conf": 1.0, "imgsz": 32}),
        (SchedulerConfig, {"hard_budget": True, "budget_crops": 1, "iou_gate": 1.0}),
        (DeviceConfig, {"cpu": True, "device": "cpu"}),
        (AssociationConfig, {"reid_similarity": -1.0}),
        (TrackerConfig, {"max_lost_s": 0.0}),
    ],
)
def test_the_limits_themselves_are_allowed(stage, values):
    assert stage(**values)


def test_a_gate_is_found_or_given():
    assert AssociationConfig().reid_similarity == "auto"
    assert AssociationConfig().gate is None
    for given in (0.9, "0.9"):
        chosen = AssociationConfig(reid_similarity=given)
        assert (chosen.gate, chosen.reid_similarity) == (0.9, "0.9")
    assert AssociationConfig(reid_similarity=1).gate == 1.0


def test_the_last_frame_may_not_come_before_the_first():
    with pytest.raises(UsageError, match="at or after --start-frame"):
        SourceConfig(start_frame=5, end_frame=4)


def test_two_budgets_or_two_devices_are_refused():
    with pytest.raises(UsageError, match="two ways to say one thing"):
        SchedulerConfig(budget_ms=5, budget_crops=5)
    with pytest.raises(UsageError, match="--cpu"):
        DeviceConfig(cpu=True, device="cuda")


def test_detectors_hand_over_down_to_the_lower_confidence():
    assert DetectorConfig(conf=0.3, low_conf=0.1).floor == 0.1
    assert DetectorConfig(conf=0.05, low_conf=0.1).floor == 0.05


@pytest.mark.parametrize("stage", STAGES)
def test_stages_are_frozen_and_every_flag_explains_itself(stage):
    for item in flag_fields(stage):
        assert item.metadata["flag"].startswith("--")
        assert len(item.metadata["help"]) > 8
        assert type(item.default) is get_type_hints(stage)[item.name]
    with pytest.raises(FrozenInstanceError):
        setattr(stage(), fields(stage)[0].name, 1)


def test_no_two_stages_share_a_flag():
    flags = [item.metadata["flag"] for stage in STAGES for item in flag_fields(stage)]
    assert len(flags) == len(set(flags))


def test_a_configuration_is_a_value():
    assert TrackConfig() == TrackConfig()
    assert TrackConfig(output=OutputConfig(no_video=True)) != TrackConfig()
