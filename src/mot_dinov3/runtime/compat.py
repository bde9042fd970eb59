"""Environment defaults that must be set before heavy packages are imported."""

from __future__ import annotations

import os
from pathlib import Path

LEGACY_TOKENS = ("HUGGINGFACE_HUB_TOKEN", "HUGGING_FACE_HUB_TOKEN")


def load_environment(directory: Path | None = None) -> None:
    """Set what heavy packages read at import: `.env` of `directory`, token names, thread waiting.

    A variable already set stays as it is.
    """
    env_file = (directory or Path.cwd()) / ".env"
    if env_file.is_file():
        from dotenv import load_dotenv

        load_dotenv(env_file, override=False)
    bridge_tokens()
    let_threads_sleep()


def let_threads_sleep() -> None:
    """Let torch's idle threads sleep instead of spin; must run before torch is imported.

    A run shares its cores between a detector, an embedder, a reader and an encoder. Threads
    that spin while they wait for a core then cost many times the work they wait for.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def bridge_tokens() -> None:
    """Let a token under one of its old names serve as `HF_TOKEN`."""
    if os.environ.get("HF_TOKEN"):
        return
    for name in LEGACY_TOKENS:
        if token := os.environ.get(name):
            os.environ["HF_TOKEN"] = token
            return


def cache_dir() -> Path:
    """Where this tool keeps what it may lose: `$XDG_CACHE_HOME/mot_dinov3`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "mot_dinov3"
