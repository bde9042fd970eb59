"""Which pool of workers does the tasks of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from mot_dinov3.config import TrackConfig
from mot_dinov3.registry import Registry
from mot_dinov3.runs.batch.base import WorkerPool
from mot_dinov3.runs.batch.live import are_cameras
from mot_dinov3.runs.batch.sources import ListedSource
from mot_dinov3.runs.batch.table import CAMERAS
from mot_dinov3.runs.batch.tasks import Task

SERIAL, WORKERS, RAY = "serial", "workers", "ray"
POOLS = Registry(
    "pool of workers",
    {
        SERIAL: (
            "mot_dinov3.runs.batch.serial:SerialPool",
            "one video after another in this process",
        ),
        WORKERS: (
            "mot_dinov3.runs.batch.processes:ProcessPool",
            "several processes on this machine",
        ),
        CAMERAS: (
            "mot_dinov3.runs.cameras.pool:CameraPool",
            "live sources at the same time in this process",
        ),
        RAY: ("mot_dinov3.runs.batch.on_ray:RayPool", "the machines of a Ray cluster"),
    },
)


def pool_kind(config: TrackConfig, tasks: Sequence[Task]) -> str:
    """The entry of `POOLS` that the flags and the sources ask for."""
    if config.batch.ray:
        return RAY
    listed = [ListedSource(task.config.source.source) for task in tasks]
    if are_cameras(config, listed):
        return CAMERAS
    return WORKERS if config.batch.workers else SERIAL


def create_pool(config: TrackConfig, tasks: Sequence[Task]) -> WorkerPool:
    """The pool of workers for these tasks, not entered yet.

    Args:
        config: stage `batch` says which pool, and its size.
        tasks: all of them.

    Raises:
        ModelError: `--ray` is given and Ray is not installed.
        UsageError: the address of `--serve` is taken.
    """
    kind, batch = pool_kind(config, tasks), config.batch
    build = POOLS.load(kind)
    if kind == WORKERS:
        return cast(WorkerPool, build(min(batch.workers, len(tasks)), batch.worker_cores))
    if kind == CAMERAS:
        return cast(WorkerPool, build(config, tasks))
    return cast(WorkerPool, build(config) if kind == RAY else build())
