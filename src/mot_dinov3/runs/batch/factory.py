"""Which pool of workers does the tasks of a batch."""

from __future__ import annotations

from typing import cast

from mot_dinov3.config import TrackConfig
from mot_dinov3.registry import Registry
from mot_dinov3.runs.batch.base import WorkerPool

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
        RAY: ("mot_dinov3.runs.batch.on_ray:RayPool", "the machines of a Ray cluster"),
    },
)


def pool_kind(config: TrackConfig) -> str:
    """The entry of `POOLS` that the flags ask for."""
    return RAY if config.batch.ray else WORKERS if config.batch.workers else SERIAL


def create_pool(config: TrackConfig, tasks: int) -> WorkerPool:
    """The pool of workers for so many tasks, not entered yet.

    Args:
        config: stage `batch` says which pool, and its size.
        tasks: how many tasks there are.

    Raises:
        ModelError: `--ray` is given and Ray is not installed.
    """
    kind, batch = pool_kind(config), config.batch
    build = POOLS.load(kind)
    if kind == WORKERS:
        return cast(WorkerPool, build(min(batch.workers, tasks), batch.worker_cores))
    return cast(WorkerPool, build(config) if kind == RAY else build())
