"""Embeds whole pictures, such as crops in files, with the embedders that describe boxes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.errors import ModelError, UsageError, find_path
from mot_dinov3.io.read.images import read_image
from mot_dinov3.perception.features.base import Embedder
from mot_dinov3.perception.features.factory import EMBEDDERS
from mot_dinov3.values import FloatArray, Image

AT_ONCE = 8
"""Pictures that are read and embedded at once."""


def choose_embedder(checkpoint: str) -> EmbedderConfig:
    """Settings of the embedder that runs a checkpoint on whole pictures, nothing added around.

    Args:
        checkpoint: a file in ONNX format or an .xml of OpenVINO, the folder of a training run, or
            a name of the table of embedders with its model, such as "dino:demo".

    Raises:
        ModelError: it is not there.
        UsageError: it is none of these.
    """
    name, colon, model = checkpoint.partition(":")
    kinds = {".onnx": "onnx", ".xml": "openvino"}
    if not colon or name not in EMBEDDERS:
        path = Path(checkpoint).expanduser()
        name, model = kinds.get(path.suffix.lower(), "reid" if path.is_dir() else ""), checkpoint
        if not path.exists():
            raise ModelError(f"The --ckpt '{checkpoint}' does not exist.", fix=find_path(path))
    if not name:
        raise UsageError(
            f"'{checkpoint}' is not a model that describes pictures.",
            fix="Give the folder of a training run, a file .onnx or .xml, or an embedder and its "
            "model such as dino:facebook/dinov2-base.",
        )
    return EmbedderConfig(embedder=name, embed_model=model, crop_pad=0.0, crop_square=False)


def embed_files(
    embedder: Embedder,
    paths: Sequence[Path],
    *,
    mirrored: bool = False,
    report: Callable[[int], None] | None = None,
) -> FloatArray:
    """Embed picture files as they are.

    Args:
        embedder: describes each whole picture.
        paths: N files.
        mirrored: also embed the mirror image of each.
        report: is told how many more files are done, now and then.

    Returns:
        (N, dim) float32 unit rows, or (2, N, dim) with the mirror images second; NaN where a
        file cannot be read as a picture or the model's answer is not finite.
    """
    out = np.full((2 if mirrored else 1, len(paths), embedder.dim), np.nan, np.float32)
    step = 1 if embedder.whole_frame else AT_ONCE
    for start in range(0, len(paths), step):
        images = [read_image(path) for path in paths[start : start + step]]
        rows = [start + i for i, image in enumerate(images) if image is not None]
        seen = [image for image in images if image is not None]
        if seen:
            out[0, rows] = embed_pictures(embedder, seen)
        if seen and mirrored:
            out[1, rows] = embed_pictures(embedder, [image[:, ::-1] for image in seen])
        if report is not None:
            report(len(images))
    return out if mirrored else out[0]


def embed_pictures(embedder: Embedder, images: Sequence[Image]) -> FloatArray:
    """(len(images), dim) unit rows: one batch, the pictures being boxes of one sheet.

    Args:
        embedder: cuts each box exactly, so that no picture sees its neighbours.
        images: (H, W, 3) uint8 BGR each, of any sizes.
    """
    rights = np.cumsum([image.shape[1] for image in images])
    sheet = np.zeros((max(image.shape[0] for image in images), int(rights[-1]), 3), np.uint8)
    boxes = []
    for image, right in zip(images, rights.tolist(), strict=True):
        height, width = image.shape[:2]
        sheet[:height, right - width : right] = image
        boxes.append((right - width, 0, right, height))
    return embedder.embed(sheet, np.array(boxes, np.float32))
