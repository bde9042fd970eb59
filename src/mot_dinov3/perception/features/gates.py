"""The cosine gate that a model brings along."""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.perception.features.base import RE_IDENTIFICATION
from mot_dinov3.values import SimilarityPrior

GATE = "cosine_gate"
"""What it is called among the thresholds of a checkpoint, and in the notes of an ONNX file."""
MOST_BYTES = 64 << 20
"""Of a file that is read for its notes alone."""


def build_prior(gate: object) -> SimilarityPrior:
    """The prior of a model that brings this gate; the usual one where it is not a cosine."""
    try:
        value = float(str(gate))
    except ValueError:
        return RE_IDENTIFICATION
    usable = math.isfinite(value) and -1 < value < 1
    return SimilarityPrior(value, trusted=True) if usable else RE_IDENTIFICATION


def read_onnx_prior(config: EmbedderConfig) -> SimilarityPrior:
    """The prior of the ONNX file that the settings name; the usual one where it says nothing."""
    path = Path(config.embed_model).expanduser()
    if find_spec("onnx") is None or not path.is_file() or path.stat().st_size > MOST_BYTES:
        return RE_IDENTIFICATION
    import onnx

    try:
        notes = onnx.load(str(path), load_external_data=False).metadata_props
    except Exception:  # a damaged file goes wrong in any way, and is refused where it is loaded
        return RE_IDENTIFICATION
    return build_prior({note.key: note.value for note in notes}.get(GATE))
