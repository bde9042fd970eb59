from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mot_dinov3.config import TrackConfig
from mot_dinov3.config.flat import kinds_of
from mot_dinov3.errors import UsageError
from mot_dinov3.runs.library.settings import (
    build_checked,
    build_config,
    list_keys_of_tracker,
    list_keys_of_video,
    read_settings,
)

EVERY = set(kinds_of(TrackConfig))


def read(**flags):
    return read_settings("track()", flags, EVERY)


def test_every_flag_of_tracking_has_its_name():
    for keys in (list_keys_of_tracker(), list_keys_of_video()):
        assert {"det", "embed_budget_ms", "match_iou", "cmc", "max_lost", "font_scale"} <= keys
        assert not {"save_mot", "resume", "workers", "serve", "show", "source"} & keys
        assert keys < EVERY
    assert "max_frames" in list_keys_of_video() - list_keys_of_tracker()
    assert "fps" in list_keys_of_tracker() - list_keys_of_video()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"conf": 1}, {"conf": 1.0}),
        ({"conf": np.float32(0.5)}, {"conf": 0.5}),
        ({"imgsz": np.int64(320)}, {"imgsz": 320}),
        ({"cpu": np.bool_(True)}, {"cpu": True}),
        ({"fps": Fraction(30000, 1001)}, {"fps": 30000 / 1001}),
        ({"blur": True}, {"blur": "boxes"}),
        ({"det": Path("a") / "b.pt"}, {"det": "a/b.pt"}),
        ({"classes": ["person", 2]}, {"classes": "person,2"}),
        ({"classes": ("person", "car")}, {"classes": "person,car"}),
        ({"classes": 0}, {"classes": "0"}),
        ({"reid_similarity": 0.5}, {"reid_similarity": "0.5"}),
    ],
)
def test_values_become_what_their_setting_holds(given, kept):
    assert read(**given) == kept


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"conf": "high"}, "conf= must be a number, got 'high'."),
        ({"conf": None}, "conf= must be a number, got None."),
        ({"cpu": 1}, "cpu= must be true or false, got 1."),
        ({"imgsz": 320.5}, "imgsz= must be a whole number, got 320.5."),
        ({"det": b"x"}, "det= must be a text"),
    ],
)
def test_a_value_of_another_kind_is_one_sentence(given, what):
    with pytest.raises(UsageError) as caught:
        read(**given)
    assert what in caught.value.what


def test_a_preset_lies_under_what_is_given():
    config = build_config({"tracker": "bytetrack", "conf": 0.7})
    assert (config.detector.conf, config.association.score_fusion) == (0.7, 1.0)
    assert build_config({}) == TrackConfig()


def test_a_setting_of_one_policy_chooses_it():
    assert build_config({"embed_refresh": 3}).scheduler.policy == ("continuity", "")


@pytest.mark.parametrize(
    "values",
    [
        {"low_conf": 0.6, "conf": 0.3},
        {"embedder": "none", "embed_all": True},
        {"embedder": "none", "embed_budget_ms": 5.0},
        {"embed_all": True, "embed_budget_crops": 5},
    ],
)
def test_settings_that_do_nothing_together_are_refused(values):
    with pytest.raises(UsageError, match=r"does nothing with|would start tracks"):
        build_checked(values)


def test_settings_of_appearance_count_for_vectors_of_the_caller():
    values = {"embedder": "none", "reid_similarity": "0.8", "appearance_weight": 0.5}
    assert build_checked(values) == build_config(values)
