"""Who does the tasks of a batch."""

from __future__ import annotations

from typing import cast

from mot_dinov3.config import TrackConfig
from mot_dinov3.registry import Registry
from mot_dinov3.runs.batch.base import Crew

SERIAL, WORKERS, RAY = "serial", "workers", "ray"
CREWS = Registry(
    "crew",
    {
        SERIAL: (
            "mot_dinov3.runs.batch.serial:SerialCrew",
            "one video after another in this process",
        ),
        WORKERS: (
            "mot_dinov3.runs.batch.processes:ProcessCrew",
            "several processes on this machine",
        ),
        RAY: ("mot_dinov3.runs.batch.on_ray:RayCrew", "the machines of a Ray cluster"),
    },
)


def crew_kind(config: TrackConfig) -> str:
    """The entry of `CREWS` that the flags ask for."""
    return RAY if config.batch.ray else WORKERS if config.batch.workers else SERIAL


def create_crew(config: TrackConfig, tasks: int) -> Crew:
    """Whoever does so many tasks, not yet at work.

    Raises:
        ModelError: Ray is wanted and not installed.
    """
    kind, batch = crew_kind(config), config.batch
    build = CREWS.load(kind)
    if kind == WORKERS:
        return cast(Crew, build(min(batch.workers, tasks), batch.worker_cores))
    return cast(Crew, build(config) if kind == RAY else build())
