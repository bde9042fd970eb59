"""Imports Ultralytics so that it neither prints, nor downloads, nor slows the process down."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2

from mot_dinov3.errors import ModelError
from mot_dinov3.runtime.compat import cache_dir


def environment() -> dict[str, str]:
    """The variables that Ultralytics must find in the environment when it is imported.

    `YOLO_OFFLINE` spares its network probe, version check and usage reports, and makes a
    download fail at the first try; it does not forbid downloads of weights.
    """
    return {
        "ULTRALYTICS_SAFE_LOAD": "1",
        "YOLO_AUTOINSTALL": "0",
        "YOLO_OFFLINE": "1",
        "YOLO_VERBOSE": "False",
        "YOLO_CONFIG_DIR": str(cache_dir() / "config"),
    }


@contextmanager
def preserve_threads() -> Iterator[None]:
    """Undo what Ultralytics does to the thread counts of torch and OpenCV inside.

    It claims `cpu_count - 1` torch threads whenever a model is put on the CPU, one OpenCV
    thread when it is imported, and one OpenMP thread for every later child process.
    """
    import torch

    threads, cv_threads = torch.get_num_threads(), cv2.getNumThreads()
    had_omp = "OMP_NUM_THREADS" in os.environ
    try:
        yield
    finally:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        if cv2.getNumThreads() != cv_threads:
            cv2.setNumThreads(cv_threads)
        if not had_omp:
            os.environ.pop("OMP_NUM_THREADS", None)


def import_ultralytics() -> Any:  # noqa: ANN401 - a module without type stubs
    """Import the `ultralytics` package: silent on stdout, reports off, weights loaded without code.

    A variable of the user's that is already set stays.

    Raises:
        ModelError: it is missing, or too old to load weights without running code in them.
    """
    for name, value in environment().items():
        os.environ.setdefault(name, value)
    try:
        with preserve_threads():
            import ultralytics
            import ultralytics.nn.tasks
    except ImportError as error:
        raise ModelError(
            f"Ultralytics cannot be imported: {error}.",
            fix="Install it with: pip install 'ultralytics>=8.4'",
        ) from error
    _require_safe_load(ultralytics)
    for handler in logging.getLogger("ultralytics").handlers:
        if type(handler) is logging.StreamHandler:
            handler.stream = sys.stderr  # setStream would flush a stream that may be closed
    if ultralytics.settings.get("sync"):
        ultralytics.settings.update({"sync": False})
    return ultralytics


def _require_safe_load(ultralytics: Any) -> None:  # noqa: ANN401 - a module without type stubs
    """Switch safe loading on even where the host program imported Ultralytics before us."""
    import torch

    tasks = ultralytics.nn.tasks
    able = hasattr(torch.serialization, "get_unsafe_globals_in_checkpoint")
    if not (able and hasattr(tasks, "SAFE_LOAD")):
        raise ModelError(
            f"Ultralytics {ultralytics.__version__} with torch {torch.__version__} would run "
            "code hidden in a weights file.",
            fix="Update both: pip install -U 'ultralytics>=8.4' 'torch>=2.6'",
        )
    if os.environ["ULTRALYTICS_SAFE_LOAD"] == "1":
        tasks.SAFE_LOAD = True
