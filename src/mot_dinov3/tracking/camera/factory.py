"""The table of camera motions."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mot_dinov3.errors import UnknownNameError
from mot_dinov3.registry import Registry

if TYPE_CHECKING:
    from mot_dinov3.tracking.camera.base import CameraMotion

NONE, FLOW = "none", "flow"

CAMERAS = Registry(
    "camera motion",
    {
        FLOW: (
            "mot_dinov3.tracking.camera.flow:FlowCamera",
            "camera motion from sparse optical flow",
        ),
        "file": (
            "mot_dinov3.tracking.camera.file:FileCamera",
            "camera motion from a file: file:FILE",
        ),
    },
)


def create_camera(name: str) -> CameraMotion | None:
    """The source of camera motion called `name`, such as "file:gmc.txt"; None for "none".

    Raises:
        UnknownNameError: no such source.
        InputError: its file cannot be used.
    """
    if name == NONE:
        return None
    word, _, argument = name.partition(":")
    if word not in CAMERAS:
        raise UnknownNameError("camera motion", name, [NONE, FLOW, "file:FILE"])
    return cast("CameraMotion", CAMERAS.load(word)(argument))
