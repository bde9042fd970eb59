"""Environment defaults that must be set before heavy packages are imported."""

from __future__ import annotations

import os
from pathlib import Path

LEGACY_TOKENS = ("HUGGINGFACE_HUB_TOKEN", "HUGGING_FACE_HUB_TOKEN")


def load_environment(directory: Path | None = None) -> None:
    """Read `.env` of `directory` and bridge old token names; a variable already set stays."""
    env_file = (directory or Path.cwd()) / ".env"
    if env_file.is_file():
        from dotenv import load_dotenv

        load_dotenv(env_file, override=False)
    bridge_tokens()


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
