"""Joining a Ray cluster, or starting one here, and how much of it a worker asks for."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mot_dinov3
from mot_dinov3.config import BatchConfig, TrackConfig
from mot_dinov3.config.tracking.batch import LOCAL_RAY
from mot_dinov3.errors import DeviceError, InputError, not_installed, reason_of
from mot_dinov3.runtime.cpu import thread_count

CORES = 4
"""Processors of a worker if `--worker-cores` is not given: more help a network little."""
ANSWER_S = 5.0
LOCAL_STORE_BYTES = 100_000_000
"""What passes through Ray are settings and figures, no pictures."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "1",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",
}
"""No reports to Ray's makers, no lines of its own on our standard output, and workers that run at
our own priority: with Ray's default of 15 all other programs go first."""


def require_ray() -> Any:  # noqa: ANN401 - a module without type stubs
    """The `ray` package, set to report nothing and to print nothing.

    Raises:
        ModelError: it is not installed.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise not_installed("ray", "ray", "--ray") from error
    return ray


def connect(ray: Any, batch: BatchConfig) -> None:  # noqa: ANN401 - a module without type stubs
    """Join the cluster of `--ray`, or start one on this machine alone.

    Raises:
        InputError: there is no cluster at the address.
        DeviceError: none could be started here.
    """
    require_listener(batch.ray)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if batch.ray == LOCAL_RAY:
        options |= {
            "num_cpus": max(batch.workers * max(1, batch.worker_cores), thread_count()),
            "include_dashboard": False,
            "object_store_memory": LOCAL_STORE_BYTES,
        }
    try:
        # Its workers import from the directory that it is started in, which holds videos of others.
        with chdir(Path(mot_dinov3.__file__).resolve().parent.parent):
            ray.init(address=batch.ray, **options)
    except Exception as error:  # Ray raises plain ones too
        ray.shutdown()
        if batch.ray != LOCAL_RAY:
            raise create_cluster_error(batch.ray, error) from error
        raise DeviceError(
            f"Ray could not be started on this machine: {first_line(error)}",
            fix="Try again when the machine is less busy, or give --workers instead of --ray.",
        ) from error


def require_listener(address: str) -> None:
    """Refuse an address at which no program listens; Ray itself would try for minutes.

    Raises:
        InputError: no program listens there.
    """
    try:
        place = urlsplit(address if "://" in address else f"//{address}")
        if place.hostname and place.port:
            socket.create_connection((place.hostname, place.port), ANSWER_S).close()
    except (OSError, ValueError) as error:
        raise create_cluster_error(address, error) from error


def create_cluster_error(address: str, error: Exception) -> InputError:
    """The error for a cluster that cannot be joined."""
    return InputError(
        f"There is no Ray cluster at '{address}': {first_line(error)}",
        fix="Start one (ray start --head) and give its address, host:6379, or --ray alone.",
    )


def first_line(error: BaseException) -> str:
    """The first line of an error, as the end of a sentence."""
    return f"{reason_of(error)}."


def list_machines(ray: Any) -> list[Mapping[str, float]]:  # noqa: ANN401 - as above
    """The resources of each machine of the cluster: name -> amount."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def plan_workers(
    config: TrackConfig, machines: list[Mapping[str, float]]
) -> tuple[dict[str, float], int]:
    """What a worker asks of Ray, and how many of them fit into the empty cluster.

    Args:
        config: stages `batch` and `device`.
        machines: of the cluster, resource -> amount.

    Raises:
        DeviceError: none fits.
    """
    batch, device = config.batch, config.device
    cores = [int(machine.get("CPU", 0)) for machine in machines]
    gpus = [machine.get("GPU", 0) for machine in machines]
    wants_gpu = not device.cpu and device.device.strip().lower() != "cpu"
    each = batch.worker_cores or _choose_cores(batch, sum(cores), max(cores, default=0))
    share: dict[str, float] = {"num_cpus": each}
    if wants_gpu and any(gpus):
        share = {"num_cpus": batch.worker_cores or 1, "num_gpus": 1}
    places = sum(_count_places(machine, share) for machine in machines)
    if not places:
        raise DeviceError(
            f"No machine of the Ray cluster has {share['num_cpus']:g} processors for a worker.",
            fix="Give fewer --worker-cores.",
        )
    return share, places


def _count_places(machine: Mapping[str, float], share: Mapping[str, float]) -> int:
    by_cores = machine.get("CPU", 0) // share["num_cpus"]
    by_gpus = machine.get("GPU", 0) // share["num_gpus"] if "num_gpus" in share else by_cores
    return int(min(by_cores, by_gpus))


def _choose_cores(batch: BatchConfig, total: int, largest: int) -> int:
    share = total // batch.workers if batch.workers else CORES
    return max(1, min(share, largest))
