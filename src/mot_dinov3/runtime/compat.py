"""Environment defaults that must be set before heavy packages are imported."""

from __future__ import annotations

import os
from pathlib import Path

from mot_dinov3.runtime.env_file import TOKENS, find_token


def load_environment(directory: Path | None = None) -> None:
    """Set what heavy packages read at import: the access token, and how threads wait.

    A variable already set stays as it is. Without a token in the environment, the one of a
    `.env` file counts; see `env_file.py`.

    Args:
        directory: where `.env` is looked for; the working directory when left out.
    """
    token = next((found for name in TOKENS if (found := os.environ.get(name))), "")
    if not any(name in os.environ for name in TOKENS):
        token = find_token(directory)
    if token:
        os.environ["HF_TOKEN"] = token
    let_threads_sleep()
    keep_paths_safe()


def keep_paths_safe() -> None:
    """Let no process that is started here import modules from the working directory.

    The command that starts a worker looks there first, so a file called `socket.py` among videos
    would be run by it (https://docs.python.org/3/using/cmdline.html#cmdoption-P).
    """
    os.environ.setdefault("PYTHONSAFEPATH", "1")


def let_threads_sleep() -> None:
    """Let torch's idle threads sleep instead of spin; must run before torch is imported.

    A run shares its cores between a detector, an embedder, a reader and an encoder. Threads
    that spin while they wait for a core then cost many times the work they wait for.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def quiet_picture_codecs() -> None:
    """Let OpenCV be silent about damaged pictures; must run before it is imported.

    What cannot be read is counted and said in words; its codecs name lines of their sources.
    """
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")


def cache_dir() -> Path:
    """Where this tool keeps what it may lose: `$XDG_CACHE_HOME/mot_dinov3`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "mot_dinov3"
