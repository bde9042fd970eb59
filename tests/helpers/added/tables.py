"""The one line that each added member takes, by the table that it stands in."""

from __future__ import annotations

from helpers.added import (
    association,
    benchmark,
    camera,
    command,
    detector,
    embedder,
    motion,
    policy,
    recipe,
    sink,
    system,
    world,
)
from mot_dinov3.commands.factory import COMMANDS
from mot_dinov3.data.synthetic.presets.factory import PRESETS
from mot_dinov3.lab.benchmarks.factory import BENCHMARKS
from mot_dinov3.lab.recordings.policies import REPLAY_POLICIES
from mot_dinov3.outputs.sinks.factory import SINKS
from mot_dinov3.perception.detectors.factory import DETECTORS
from mot_dinov3.perception.features.factory import EMBEDDERS
from mot_dinov3.scheduling.policies.factory import POLICIES
from mot_dinov3.systems.factory import SYSTEMS
from mot_dinov3.tracking.association.factory import ASSOCIATIONS
from mot_dinov3.tracking.camera.factory import CAMERAS
from mot_dinov3.tracking.motion.factory import MOTIONS
from mot_dinov3.training.recipes.factory import RECIPES

MODELS = (
    (DETECTORS, "areas", detector.LINE),
    (EMBEDDERS, "colours", embedder.LINE),
)
MEMBERS = (
    *MODELS,
    (POLICIES, "left", policy.LINE),
    (ASSOCIATIONS, "nearest", association.LINE),
    (MOTIONS, "drift", motion.LINE),
    (CAMERAS, "watched", camera.LINE),
    (SINKS, "ids", sink.LINE),
    (SYSTEMS, "walker", system.LINE),
    (COMMANDS, "echo", command.LINE),
    (RECIPES, "slope", recipe.LINE),
    (PRESETS, "alone", world.LINE),
    (BENCHMARKS, "rounds", benchmark.LINE),
)


def add_members(members=MEMBERS, set_item=dict.__setitem__):
    """Write the line of each member into its table.

    Args:
        members: table, name and line.
        set_item: how, such as `monkeypatch.setitem`.
    """
    for table, name, line in members:
        set_item(table.table, name, line)
        if table is POLICIES:  # the replay's table has copied it when it was imported
            set_item(REPLAY_POLICIES.table, name, line)
