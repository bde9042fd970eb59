"""Fingerprints: whether two runs or recordings are made by the same weights."""

from __future__ import annotations

from pathlib import Path

from mot_dinov3.config import NECK, OPEN_DINO, DetectorConfig, EmbedderConfig, TrackConfig
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.detectors.factory import REPLAY, detector_kind

BUILT_IN = "built in"
"""The fingerprint of what has no weights."""


def detector_digest(config: DetectorConfig) -> tuple[str, str]:
    """What detected: the fingerprint of its weights, and that of the boxes it only repeats.

    Detections read from a file differ from sequence to sequence, although the detector behind
    them is the same, so they have a fingerprint of their own.
    """
    kind = detector_kind(config.det)
    if kind == REPLAY:
        path = Path(config.det.partition(":")[2].strip()).expanduser()
        return BUILT_IN, weights_digest(path) if path.exists() else ""
    if kind == "demo":
        from mot_dinov3.perception.assets import demo_detector_path

        return weights_digest(demo_detector_path()), ""
    if kind == "yolo":
        from mot_dinov3.perception.detectors.weights import find_weights

        return weights_digest(find_weights(config.det)), ""
    return BUILT_IN, ""


def embedder_digest(config: EmbedderConfig, title: str) -> str:
    """Fingerprint of the weights of the embedder that runs under `title`."""
    if config.embedder == "onnx":
        return weights_digest(Path(config.embed_model).expanduser())
    if config.model_id == "demo":
        from mot_dinov3.perception.assets import demo_embedder_path

        return weights_digest(demo_embedder_path())
    from mot_dinov3.perception.features.clip import DEFAULT_CLIP
    from mot_dinov3.perception.features.resnet import DEFAULT_RESNET
    from mot_dinov3.perception.hub.files import model_directory

    names = (config.model_id, OPEN_DINO, DEFAULT_CLIP, DEFAULT_RESNET)
    name = next((name for name in names if name and title.startswith(name)), config.model_id)
    return weights_digest(model_directory(name, "--embed-model demo"))


def embedder_weights(config: TrackConfig, title: str) -> str:
    """The fingerprint of an embedder, and how it looks at pictures where that is not by crops."""
    if config.embedder.embedder == NECK:
        return f"neck of {detector_digest(config.detector)[0]}"
    digest = embedder_digest(config.embedder, title)
    dense = config.embedder.embedder == "dense"
    return f"{digest} on pictures of {config.embedder.dense_size}" if dense else digest
