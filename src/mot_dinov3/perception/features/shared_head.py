"""A head that `train reid --shared` taught to tell identities apart by a detector's maps.

What it learned is one matrix, so it needs no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mot_dinov3.errors import ModelError
from mot_dinov3.io.checkpoint import find_checkpoint, load_checkpoint
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.detectors.detr_networks import PROBE, is_same_backbone
from mot_dinov3.perception.features.backbone import unit_rows
from mot_dinov3.perception.features.reid_networks import KIND
from mot_dinov3.values import FloatArray

MATRIX, OFFSET = "matrix", "offset"
"""Names of its weights."""


@dataclass(frozen=True, slots=True)
class SharedHead:
    """What turns pooled maps into vectors that tell identities apart.

    Attributes:
        name: of its folder.
        digest: tells its weights from others.
        matrix: (values, D) float32.
        offset: (D,) float32.
    """

    name: str
    digest: str
    matrix: FloatArray
    offset: FloatArray

    def tell_apart(self, values: FloatArray) -> FloatArray:
        """(M, values) of pooled maps -> (M, D) float32 unit rows; NaN where they are not known."""
        out: FloatArray = unit_rows(values @ self.matrix + self.offset)
        return out


def load_head(path: Path, probe: FloatArray) -> SharedHead:
    """Load what `train reid --shared` left behind.

    Args:
        path: the folder of a run or of a checkpoint.
        probe: of the backbone whose maps it is to read.

    Raises:
        ModelError: there is none, it is damaged, or it learned the maps of another backbone.
    """
    folder = find_checkpoint(path.expanduser())
    weights = load_checkpoint(folder, KIND).weights
    if not {MATRIX, OFFSET, PROBE} <= weights.keys():
        raise ModelError(
            f"'{path}' is a network for crops, not a head for the maps of a detector.",
            fix="Give --embedder reid with it, or the folder of a run of train reid --shared.",
        )
    if not is_same_backbone(weights[PROBE], probe):
        raise ModelError(
            f"The head '{path}' has learned the maps of another detector's backbone.",
            fix="Give the --det detr:RUN that it was trained with, or train it again: "
            "train reid --shared RUN.",
        )
    return SharedHead(path.name, weights_digest(folder), weights[MATRIX], weights[OFFSET])
