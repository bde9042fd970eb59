"""The table of camera motions."""

from __future__ import annotations

from typing import cast

from mot_dinov3.errors import UnknownNameError
from mot_dinov3.registry import Registry
from mot_dinov3.tracking.camera.base import CameraMotion

NONE, FLOW = "none", "flow"

CAMERAS = Registry(
    "camera motion",
    {
        FLOW: "mot_dinov3.tracking.camera.flow:FlowCamera",
        "file": "mot_dinov3.tracking.camera.file:FileCamera",
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
    if word not in CAMERAS.table:
        raise UnknownNameError("camera motion", name, [NONE, FLOW, "file:FILE"])
    return cast("CameraMotion", CAMERAS.load(word)(argument))
