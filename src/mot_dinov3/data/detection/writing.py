"""Writes a data set of detection as YOLO lays it out, which `yolo.open_detection_set` reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import cv2

from mot_dinov3.data.detection.yolo import DESCRIPTION, LABELS, PICTURES
from mot_dinov3.errors import OutputError, cannot_write
from mot_dinov3.io.write.atomic import write_text
from mot_dinov3.values import FloatArray, Image, IntArray
from mot_dinov3.values.boxes import clip, xyxy_to_cxcywh

SUFFIX, QUALITY = ".jpg", 92


class Labelled(NamedTuple):
    """A picture and the N objects in it.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        xyxy: (N, 4) float32 pixels.
        class_id: (N,) int64.
    """

    image: Image
    xyxy: FloatArray
    class_id: IntArray


def write_detection_set(
    out: Path, names: Mapping[int, str], splits: Mapping[str, Iterable[Labelled]]
) -> dict[str, int]:
    """Write pictures, a text of boxes for each, and `data.yaml`.

    A picture that shows nothing has no text. Pictures are `000001.jpg` and so on in
    `SPLIT/images`.

    Args:
        out: directory of the data set; made when missing.
        names: class id -> class name.
        splits: name, such as "train", -> its pictures.

    Returns:
        Name of a split -> how many pictures it has.

    Raises:
        OutputError: it cannot be written, or the directory holds a data set already.
    """
    if (out / DESCRIPTION).exists():
        raise OutputError(
            f"'{out}' holds a data set already.", fix="Remove it, or give another --out."
        )
    counts = {split: _write_split(out / split, pictures) for split, pictures in splits.items()}
    named = [f"  {number}: {json.dumps(name)}" for number, name in names.items()]  # text is YAML
    entries = [f"{split}: {split}/{PICTURES}" for split in splits]
    write_text(out / DESCRIPTION, "\n".join(["names:", *named, *entries, ""]))
    return counts


def _write_split(place: Path, pictures: Iterable[Labelled]) -> int:
    count = 0
    try:
        for directory in (PICTURES, LABELS):
            (place / directory).mkdir(parents=True, exist_ok=True)
        for count, one in enumerate(pictures, 1):
            _, data = cv2.imencode(SUFFIX, one.image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
            (place / PICTURES / f"{count:06d}{SUFFIX}").write_bytes(data.tobytes())
            if len(one.xyxy):
                (place / LABELS / f"{count:06d}.txt").write_text(format_labels(one), "utf-8")
    except OSError as error:
        raise cannot_write(place, error) from error
    return count


def format_labels(one: Labelled) -> str:
    """A line for each object: class, then centre, width and height as shares of the picture."""
    height, width = one.image.shape[:2]
    cxcywh = xyxy_to_cxcywh(clip(one.xyxy, width, height)) / [width, height, width, height]
    rows = zip(one.class_id.tolist(), cxcywh.tolist(), strict=True)
    return "".join(f"{number} {' '.join(f'{v:.6f}' for v in row)}\n" for number, row in rows)
