"""Familiar trackers by name: what a preset sets, what comes before it, and that each tracks."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import boxes
from mot_dinov3.commands.flags import add_flags, resolve
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.config.flat import as_dict, key_of, stages
from mot_dinov3.config.presets import PRESETS, preset
from mot_dinov3.errors import UnknownNameError
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import Embeddings

KEYS = {key_of(item) for kind in stages(TrackConfig).values() for item in flag_fields(kind)}
NAMED = [name for name in PRESETS if name != "default"]
OTHER = {bool: lambda v: not v, float: lambda v: 0.45 if v != 0.45 else 0.55, int: lambda v: v + 1}


def resolved(*words, toml=None, environment=None):
    parser = CommandParser(prog="probe")
    add_flags(parser, TrackConfig)
    return resolve(TrackConfig, vars(parser.parse_args(words)), toml, environment or {})


def test_the_familiar_names_are_there():
    names = ["default", "bytetrack", "ocsort", "strongsort", "deepocsort", "samba-motr"]
    assert [*PRESETS] == names


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_what_it_says_and_nothing_else(name):
    assert PRESETS[name].values.keys() <= KEYS
    values = as_dict(resolved("--tracker", name))
    untouched = as_dict(TrackConfig())
    assert values == {**untouched, **PRESETS[name].values, "tracker": name}


@pytest.mark.parametrize("name", NAMED)
def test_a_flag_comes_before_the_preset(name):
    for key, value in PRESETS[name].values.items():
        if isinstance(value, str):
            continue
        mine = OTHER[type(value)](value)
        assert as_dict(resolve(TrackConfig, {"tracker": name, key: mine}, None, {}))[key] == mine


def test_flags_of_every_kind_come_before_the_preset():
    values = as_dict(
        resolved("--tracker", "deepocsort", "--cmc", "none", "--momentum", "0.3", "--steady")
    )
    assert (values["cmc"], values["momentum"], values["steady"]) == ("none", 0.3, True)
    assert values["re_update"]


def test_a_default_value_of_the_users_own_comes_before_the_preset_too():
    default = TrackConfig().detector.conf
    assert PRESETS["bytetrack"].values["conf"] != default
    assert resolved("--tracker", "bytetrack", "--conf", str(default)).detector.conf == default


def test_a_file_and_the_environment_name_presets_and_come_before_them(tmp_path):
    toml = tmp_path / "run.toml"
    toml.write_text('tracker = "bytetrack"\nmatch_iou = 0.44\n')
    config = resolved(toml=toml)
    assert config.association.score_fusion == PRESETS["bytetrack"].values["score_fusion"] != 0
    assert config.association.match_iou == 0.44
    config = resolved(environment={"MOT_TRACKER": "ocsort", "MOT_MOMENTUM": "0.7"})
    assert config.motion.re_update
    assert config.association.momentum == 0.7
    config = resolved("--tracker", "ocsort", toml=toml)
    assert config.association.match_iou == 0.44
    assert config.association.momentum == PRESETS["ocsort"].values["momentum"]


def test_what_print_config_prints_is_the_same_configuration_again(tmp_path):
    from mot_dinov3.config.flat import to_toml

    toml = tmp_path / "printed.toml"
    config = resolved("--tracker", "strongsort", "--conf", "0.45")
    toml.write_text(to_toml(config))
    assert resolved(toml=toml) == config


def test_an_unknown_preset_lists_the_known():
    with pytest.raises(UnknownNameError, match="botsort") as caught:
        resolved("--tracker", "botsort")
    assert all(name in str(caught.value) for name in PRESETS)


def test_presets_cannot_be_changed_by_who_asks():
    before = dict(PRESETS["ocsort"].values)
    mine = preset("ocsort")
    mine.clear()
    assert PRESETS["ocsort"].values == before != mine


def crossing(step):
    """Two who cross at different heights of the picture, one who stands, one who is hidden."""
    people = [
        (100 + 6 * step, 100, 0.9),
        (460 - 6 * step, 145, 0.85),
        (240, 320, 0.8),
    ]
    if not 25 <= step < 33:
        people.append((500, 200 + 2 * step, 0.9))
    return people


@pytest.mark.parametrize("looked_at", [False, True])
@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_keeps_the_ids_of_crossing_people(name, looked_at):
    config = resolved("--tracker", name)
    tracker = Tracker(config.tracker, config.detector.conf, config.association, config.motion)
    jitter = np.random.default_rng(8)
    of_person = {}
    for step in range(60):
        people = crossing(step)
        off = jitter.normal(0, 1, (len(people), 2))
        rows = [(x + dx, y + dy, x + dx + 40, y + dy + 100, score)
                for (x, y, score), (dx, dy) in zip(people, off, strict=True)]  # fmt: skip
        detections = boxes(*rows)
        embeddings = Embeddings.none(len(rows), 4)
        if looked_at:
            embeddings.vectors[:] = np.eye(4, dtype=np.float32)[: len(rows)]
            embeddings.fresh[:] = embeddings.valid[:] = True
        view = tracker.predict(step / 30, detections)
        tracks = tracker.update(tracker.compare(detections, view), embeddings, view)
        for i, row in zip(tracks.id.tolist(), tracks.detection.tolist(), strict=True):
            if row >= 0:
                of_person.setdefault(row, set()).add(i)
    assert of_person == {0: {1}, 1: {2}, 2: {3}, 3: {4}}
