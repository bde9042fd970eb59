"""Any values for any settings: refused in words, or they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, get_type_hints

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mot_dinov3.config import (
    AssociationConfig,
    DetectorConfig,
    DrawConfig,
    EmbedderConfig,
    MotionConfig,
    SchedulerConfig,
    SourceConfig,
    TrackConfig,
    TrackerConfig,
    flag_fields,
)
from mot_dinov3.errors import UsageError
from mot_dinov3.io.read.selection import FrameSelection, count_selected
from mot_dinov3.lab.recordings.clip import ClipPlayer, RecordedClip
from mot_dinov3.lab.selftest.properties.base import holds_for
from mot_dinov3.lab.selftest.properties.machine import detections, frame_of
from mot_dinov3.scheduling.policies.factory import POLICIES
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models
from mot_dinov3.tracking.association.factory import ASSOCIATIONS
from mot_dinov3.tracking.motion.factory import MOTIONS
from mot_dinov3.values import Frame, Image

KINDS = {
    "detector": DetectorConfig,
    "scheduler": SchedulerConfig,
    "tracker": TrackerConfig,
    "association": AssociationConfig,
    "motion": MotionConfig,
}
ALONE = (SourceConfig, EmbedderConfig, DrawConfig)
WORDS = {
    "embed_policy": [
        *(f"{name}{end}" for name in POLICIES for end in ("", ":", ":2", ":-1", ":nan")),
        *("oracle", "", ":"),
    ],
    "association": [*ASSOCIATIONS, *ASSOCIATIONS, "x"],
    "motion": [*MOTIONS, *MOTIONS, "x", ":"],
    "size_basis": ["mean", "height", "sides", "root", "none"],
    "cmc": ["none", "none", "none", "file:", "flow:1", "x"],
}
FPS = 30.0

any_value: dict[type, SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(-3, 12) | st.sampled_from([-(10**20), 10**6, 10**20]),
    float: st.sampled_from([0.0, -0.0, 1.0, 0.5, 1e-12, 1e-300, 10.0, 1e3, 1e300, float("inf")])
    | st.floats(-1, 12)
    | st.floats(),
    str: st.text(max_size=8),
}


def values_of(stage: type) -> SearchStrategy[dict[str, Any]]:
    """A few settings of a stage with any values of their type."""
    kinds = get_type_hints(stage)
    known = {item.name: item for item in flag_fields(stage)}

    def value(name: str) -> SearchStrategy[tuple[str, Any]]:
        usual = st.sampled_from(WORDS[name]) if name in WORDS else any_value[kinds[name]]
        return st.tuples(st.just(name), usual)

    return st.lists(st.sampled_from(sorted(known)).flatmap(value), max_size=4).map(dict)


stages = st.fixed_dictionaries({name: values_of(stage) for name, stage in KINDS.items()})


@holds_for(
    stages,
    st.sampled_from(ALONE).flatmap(lambda stage: st.tuples(st.just(stage), values_of(stage))),
    st.lists(detections, min_size=1, max_size=4),
)
def what_is_accepted_runs(
    chosen: dict[str, dict[str, Any]],
    alone: tuple[type, dict[str, Any]],
    film: list[list[tuple[float, ...]]],
) -> None:
    """A value is refused by a sentence with a remedy, or a short film can be tracked with it."""
    with refusals_in_words():
        parts = {name: KINDS[name](**values) for name, values in chosen.items()}
        track(TrackConfig(**parts), film)
    with refusals_in_words():
        use_alone(*alone)


@contextmanager
def refusals_in_words() -> Iterator[None]:
    """Go on after a refusal that says what to do."""
    try:
        yield
    except UsageError as error:
        if not (error.what and error.fix):
            raise


def track(config: TrackConfig, film: list[list[tuple[float, ...]]]) -> None:
    """Track a film of a few frames; a name that does not exist is refused here.

    Raises:
        UsageError: the policy or the camera motion does not exist.
    """
    clip = RecordedClip("film", {0: "person"}, frame_wh=(640, 480))
    for index, rows in enumerate(film):
        seen, embeddings = frame_of(rows)
        clip.add(Frame(index, index / FPS, blank()), seen, embeddings.vectors)
    player = ClipPlayer(clip)
    player.dim = 4
    tracker = assemble(config, Models(player, player))
    for frame in clip.black_frames():
        result = tracker.step(frame)
        assert len(result.detections) == len(clip.frames[frame.index].detections)


def use_alone(stage: type, values: dict[str, Any]) -> None:
    """Build a stage that the tracker does not know, and use what it decides.

    Raises:
        UsageError: a value is refused.
    """
    config = stage(**values)
    if isinstance(config, SourceConfig):
        selection = FrameSelection(config)
        taken = sum(selection.wants(index) for index in range(30))
        assert taken == count_selected(config, 30)
    if isinstance(config, EmbedderConfig):
        assert min(config.dense_hw) >= 10


def blank() -> Image:
    """An empty picture, whose pixels are not used."""
    return np.zeros((1, 1, 3), np.uint8)
