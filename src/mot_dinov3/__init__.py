"""Multi-object tracking with DINO appearance, embedded only where it matters.

The library has four names: `Tracker` for frames of one's own, `track` for videos, `Models` to
share models, `Result` for what comes back. Each is loaded when it is first used.
"""

from __future__ import annotations

import os
import sys

if (
    sys.argv[:1] == ["-m"]
    and any(word.endswith(__name__) for word in sys.orig_argv)
    and not sys.flags.safe_path
    and [sys.path[0], __name__] != __path__[0].rsplit(os.sep, 1)
):
    # `python -m mot_dinov3` looks for modules in the working directory first, where a `cv2.py`
    # among downloaded videos would be run. A package that lies there itself needs the entry.
    del sys.path[0]

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mot_dinov3.runs.library.models import Models
    from mot_dinov3.runs.library.result import Result
    from mot_dinov3.runs.library.tracker import Tracker
    from mot_dinov3.runs.library.video import track

__version__ = "0.1.0"
__all__ = ["Models", "Result", "Tracker", "track"]

_HOMES = {"Models": "models", "Result": "result", "Tracker": "tracker", "track": "video"}


def __getattr__(name: str) -> object:
    """Import what the library offers under `name`."""
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.runs.library.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The names of the module, those that are not loaded yet among them."""
    return sorted({*globals(), *__all__})
