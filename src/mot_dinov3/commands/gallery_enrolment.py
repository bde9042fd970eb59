"""Enrolment: pictures of known objects become identities of a gallery."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.commands.flags import environment_layer, resolve
from mot_dinov3.commands.gallery import KEYS
from mot_dinov3.config import NO_EMBEDDER, TrackConfig
from mot_dinov3.errors import InputError, UsageError, find_path
from mot_dinov3.io.formats.identity_gallery import (
    IdentityGallery,
    KnownIdentity,
    edit_gallery,
    read_gallery,
)
from mot_dinov3.io.read.images import IMAGE_SUFFIXES, read_image
from mot_dinov3.runs.identities.editing import check_name, find_alike
from mot_dinov3.values import FloatArray, Frame, Image
from mot_dinov3.values.boxes import area
from mot_dinov3.wording import counted

if TYPE_CHECKING:
    from mot_dinov3.perception.detectors.base import Detector
    from mot_dinov3.perception.features.base import Embedder

log = logging.getLogger("mot_dinov3")

MOST_PICTURES = 64
"""Pictures of a name that are embedded, evenly chosen where there are more."""
PERSON = "person"


@dataclass(frozen=True, slots=True)
class Models:
    """What looks at the pictures; without a detector the whole picture is the object."""

    embedder: Embedder
    detector: Detector | None


def enrol(args: argparse.Namespace) -> str:
    """Add the object of each folder to the gallery, and say what was added.

    Raises:
        MotError: a folder, a name or the embedder cannot be used, or no picture shows an object.
    """
    folders = find_folders(args.folder, args.name)
    flags = {k: v for k, v in vars(args).items() if k in KEYS}
    config = resolve(TrackConfig, flags, None, environment_layer())
    if config.embedder.embedder == NO_EMBEDDER:
        raise UsageError("gallery enrol needs an embedder.", fix="Give another --embedder.")
    read_gallery(args.file)  # a file that is none is refused before any model is loaded
    models = load_models(config, detects="det" in flags)
    from mot_dinov3.systems.fingerprints import mark_embedder

    class_name = args.class_name or PERSON
    found = {name: embed_folder(path, models, class_name) for name, path in folders.items()}
    mark = mark_embedder(models.embedder, config.embedder)
    with edit_gallery(args.file) as gallery:
        gallery.require_embedder(mark.title, mark.fingerprint, args.file)
        added = [_add(gallery, name, class_name, found[name], folders[name]) for name in found]
    for one in added:
        for cosine, other in find_alike(gallery, one, 1):
            if cosine >= mark.gate:
                log.warning("%s looks like %s: cosine %.2f.", one.label, other.label, cosine)
    return "\n".join(f"{one.id} is {one.name}: {len(one.vectors)} embeddings" for one in added)


def find_folders(folder: Path, name: str | None) -> Mapping[str, Path]:
    """Name -> folder of its pictures.

    Raises:
        MotError: there is no such folder, no picture in it, or the names cannot be used.
    """
    if not folder.is_dir():
        raise InputError(f"'{folder}' is not a folder.", fix=find_path(folder))
    if list_pictures(folder):
        return {check_name(name or folder.resolve().name): folder}
    inner = [path for path in sorted(folder.iterdir()) if path.is_dir() and list_pictures(path)]
    if not inner:
        raise InputError(f"'{folder}' holds no pictures.", fix="Name a folder with .jpg or .png.")
    if name:
        raise UsageError(
            f"--name names one, but '{folder}' holds {counted(len(inner), 'folder')}.",
            fix="Leave it out: every folder has its own name.",
        )
    return {check_name(path.name): path for path in inner}


def list_pictures(folder: Path) -> list[Path]:
    """The picture files of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)


def load_models(config: TrackConfig, *, detects: bool) -> Models:
    """The embedder, and the detector where one is wanted."""
    from mot_dinov3.perception.features.base import Placement
    from mot_dinov3.perception.features.factory import create_embedder
    from mot_dinov3.runtime.compat import load_environment
    from mot_dinov3.runtime.device import choose_device
    from mot_dinov3.runtime.upload import FrameUpload
    from mot_dinov3.systems.making import load_detector

    load_environment()
    device = choose_device(config.device.name)
    upload = FrameUpload(device)
    detector = load_detector(config, device, upload) if detects else None
    place = Placement(device, config.device, upload, detector=detector)
    return Models(create_embedder(config.embedder, place), detector)


def embed_folder(folder: Path, models: Models, class_name: str) -> FloatArray:
    """(M, D) unit rows of the object in the pictures of a folder.

    Raises:
        InputError: no picture can be read, or none shows the object.
    """
    files = list_pictures(folder)
    chosen = np.linspace(0, len(files) - 1, min(len(files), MOST_PICTURES)).round().astype(int)
    vectors, damaged, empty = list[FloatArray](), 0, 0
    for place in chosen.tolist():
        image = read_image(files[place])
        if image is None:
            damaged += 1
            continue
        box = find_object(image, models.detector, class_name)
        vector = models.embedder.embed(image, box)
        if len(vector) and np.isfinite(vector).all():
            vectors.append(vector)
        else:
            empty += 1
    lost = [f"{counted(n, 'picture')} {why}" for n, why in
            ((damaged, "cannot be read"), (empty, f"without a {class_name}")) if n]  # fmt: skip
    if not vectors:
        raise InputError(
            f"No picture of '{folder}' can be used: {', '.join(lost)}.",
            fix="Give pictures that show the object; without --det the whole picture is it.",
        )
    if lost:
        log.warning("'%s': passed over %s.", folder, ", ".join(lost))
    return np.concatenate(vectors)


def find_object(image: Image, detector: Detector | None, class_name: str) -> FloatArray:
    """(1, 4) the box of the largest object of a class, the whole picture without a detector.

    (0, 4) where the detector finds none.
    """
    if detector is None:
        return np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32)
    found = detector.detect(Frame(0, 0.0, image))
    wanted = [detector.names.get(number) == class_name for number in found.class_id.tolist()]
    boxes = found.xyxy[np.array(wanted, np.bool_)]
    return boxes[np.argsort(-area(boxes))[:1]]


def _add(
    gallery: IdentityGallery, name: str, class_name: str, vectors: FloatArray, folder: Path
) -> KnownIdentity:
    """Add an identity, or more embeddings to the one that has the name.

    Raises:
        UsageError: that one is of another class.
    """
    same: Sequence[KnownIdentity] = [x for x in gallery.identities.values() if x.name == name]
    if not same:
        nothing = np.zeros((0, vectors.shape[1]), np.float32)
        blank = KnownIdentity(0, name, class_name, "", 0.0, nothing)
        return gallery.add(blank.learn(vectors, str(folder)))
    if same[0].class_name != class_name:
        raise UsageError(
            f"'{name}' is a {same[0].class_name} in the gallery, not a {class_name}.",
            fix="Give --class, or another name.",
        )
    gallery.identities[same[0].id] = same[0].learn(vectors, str(folder))
    return gallery.identities[same[0].id]
