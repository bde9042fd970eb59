"""The table of camera motions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from mot_dinov3.errors import UnknownNameError
from mot_dinov3.registry import Registry

if TYPE_CHECKING:
    from mot_dinov3.tracking.camera.base import CameraMotion

NONE = "none"

CAMERAS = Registry(
    "camera motion",
    {
        "flow": (
            "mot_dinov3.tracking.camera.flow:FlowCamera",
            "camera motion from sparse optical flow",
        ),
        "file": (
            "mot_dinov3.tracking.camera.file:FileCamera",
            "camera motion from a file: file:FILE",
        ),
    },
)


def camera_class(name: str) -> type[CameraMotion] | None:
    """The class behind a value of `--cmc`; None for "none".

    Raises:
        UnknownNameError: no such source.
    """
    if name == NONE:
        return None
    word = name.partition(":")[0]
    if word not in CAMERAS:
        raise UnknownNameError("camera motion", name, list_choices())
    return cast("type[CameraMotion]", CAMERAS.load(word))


def list_choices(*, blind: bool = False) -> list[str]:
    """What may be written behind `--cmc`, such as "file:FILE".

    Args:
        blind: only what needs no pictures.
    """
    kinds: dict[str, type[CameraMotion]] = {name: CAMERAS.load(name) for name in CAMERAS}
    shown = {n: k for n, k in kinds.items() if not (blind and k.needs_pixels)}
    return [NONE, *(f"{n}:{k.argument}" if k.argument else n for n, k in shown.items())]


def create_camera(name: str) -> CameraMotion | None:
    """The source of camera motion called `name`, such as "file:gmc.txt"; None for "none".

    Raises:
        UnknownNameError: no such source.
        InputError: its file cannot be used.
    """
    kind = camera_class(name)
    if kind is None:
        return None
    # The table promises classes that are built from an argument, which no protocol can say.
    return cast("Callable[[str], CameraMotion]", kind)(name.partition(":")[2])
