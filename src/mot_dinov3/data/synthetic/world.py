"""A clip being drawn: a script's people and vehicles before its backdrop, frame by frame.

Every frame is a pure function of the configuration, the script and the frame's number, so frames
can be drawn in any order and the same seed always gives the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sin

import cv2
import numpy as np

from mot_dinov3.data.synthetic.looks import PersonLook, VehicleLook
from mot_dinov3.data.synthetic.motion import Place, Trip, metre_at
from mot_dinov3.data.synthetic.paint import Sprite
from mot_dinov3.data.synthetic.people import PHASES, STANDING, draw_person
from mot_dinov3.data.synthetic.render import Stage, Stamp
from mot_dinov3.data.synthetic.scenery import Occluder
from mot_dinov3.data.synthetic.truth import GroundTruth
from mot_dinov3.data.synthetic.vehicles import WHEEL_PHASES, draw_vehicle
from mot_dinov3.values import Frame, Image

Turn = Callable[[float], float]
"""Seconds -> how far the camera has turned to the right, in frame heights."""

MOST_ACTORS = 255
"""Ids fit into the bytes of the stage's mask."""
_VIEWS = {"left": "side", "right": "side", "near": "front", "far": "back"}
_VEHICLE_SCALE = 0.78
_FILM_SLACK = 32


@dataclass(frozen=True, slots=True)
class ClipConfig:
    """What every clip has, whatever happens in it; equal ones give the same pixels.

    Attributes:
        seed: decides everything that is drawn by chance.
        width: pixels across.
        height: pixels down.
        fps: frames per second.
        frames: how many frames there are.
        noise: standard deviation of the sensor noise in grey levels.
        light: how much the brightness wavers, as a share.
        exposure: brightness of the whole clip, 1 for normal.
        blur_px: standard deviation of the lens blur, 0 for none.
    """

    seed: int = 0
    width: int = 768
    height: int = 432
    fps: float = 25.0
    frames: int = 300
    noise: float = 3.0
    light: float = 0.06
    exposure: float = 1.0
    blur_px: float = 0.0

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 64 or self.fps <= 0 or self.frames < 0:
            raise ValueError("a world has at least 64 x 64 pixels, fps above 0, frames from 0")

    @property
    def aspect(self) -> float:
        """Width of the picture in frame heights."""
        return self.width / self.height


@dataclass(frozen=True, slots=True)
class Actor:
    """An identity: its number, its looks and its plans."""

    track_id: int
    class_id: int
    look: PersonLook | VehicleLook
    trip: Trip


@dataclass(frozen=True, slots=True)
class Script:
    """All that happens in a clip.

    Attributes:
        actors: who is in it.
        occluders: what they vanish behind.
        backdrop: (height, width + 2 `reach`, 3) what stands behind all actors.
        turn: where the camera looks.
        reach: how far it ever turns to either side, in frame heights.
    """

    actors: tuple[Actor, ...]
    occluders: tuple[Occluder, ...]
    backdrop: Image
    turn: Turn
    reach: float = 0.0

    def __post_init__(self) -> None:
        if len(self.actors) > MOST_ACTORS:
            raise ValueError(f"Script: at most {MOST_ACTORS} actors")


def still(time_s: float) -> float:
    """A camera that stands still."""
    return 0.0


class World:
    """Iterates `(Frame, GroundTruth)` of a clip, or draws any one of its frames."""

    def __init__(self, config: ClipConfig, script: Script, rng: np.random.Generator) -> None:
        """Prepare to draw.

        Args:
            config: the clip.
            script: what happens in it.
            rng: makes the grain of the film.
        """
        self.config = config
        self.script = script
        self.actors = script.actors
        self._grain = self._make_film(rng)
        self._sprites: dict[tuple[int, str, bool, int], Sprite] = {}

    def __len__(self) -> int:
        return self.config.frames

    def __iter__(self) -> Iterator[tuple[Frame, GroundTruth]]:
        return (self.frame(index) for index in range(self.config.frames))

    def frame(self, index: int) -> tuple[Frame, GroundTruth]:
        """Draw one frame and say who is in it; `index` may be any number from 0 on."""
        time_s = index / self.config.fps
        pan_px = self.pan_px(time_s)
        left = pan_px + round(self.script.reach * self.config.height)
        stage = Stage(self.script.backdrop[:, left : left + self.config.width].copy())
        stage.draw(self._collect_stamps(time_s, pan_px))
        return Frame(index, time_s, self._expose(stage.picture, index)), stage.truth()

    def pan_px(self, time_s: float) -> int:
        """How many pixels the camera has turned to the right."""
        return round(self.script.turn(time_s) * self.config.height)

    def _make_film(self, rng: np.random.Generator) -> Image | None:
        """Sensor noise around 128, larger than a frame: each frame takes another part of it."""
        config = self.config
        if config.noise <= 0:
            return None
        shape = (config.height + _FILM_SLACK, config.width + _FILM_SLACK, 3)
        grain = 128 + config.noise * rng.standard_normal(shape, np.float32)
        return np.asarray(np.clip(grain.round(), 0, 255), np.uint8)

    def _collect_stamps(self, time_s: float, pan_px: int) -> list[Stamp]:
        height = self.config.height
        stamps = [
            Stamp(o.sprite, o.x * height - pan_px, o.y * height, metre_at(o.y) * height)
            for o in self.script.occluders
        ]
        for actor in self.actors:
            place = actor.trip.at(time_s)
            if place is not None:
                x, y = place.x * height - pan_px, place.y * height
                size = metre_at(place.y) * height * _unit_m(actor.look)
                sprite = self._take_sprite(actor, place)
                stamps.append(Stamp(sprite, x, y, size, actor.track_id, actor.class_id))
        return stamps

    def _take_sprite(self, actor: Actor, place: Place) -> Sprite:
        mirrored = place.heading == "left"
        if isinstance(actor.look, PersonLook):
            view = _VIEWS[place.heading] if place.moving else "front"
            phase = int(place.turns * PHASES) % PHASES if place.moving else STANDING
        else:
            view, phase = "side", int(place.turns * 3 * WHEEL_PHASES) % WHEEL_PHASES
        key = (actor.track_id, view, mirrored, phase)
        if key not in self._sprites:
            look = actor.look
            sprite = (
                draw_person(look, view, phase)
                if isinstance(look, PersonLook)
                else draw_vehicle(look, phase)
            )
            self._sprites[key] = sprite.mirror() if mirrored else sprite
        return self._sprites[key]

    def _expose(self, picture: Image, index: int) -> Image:
        """What the camera makes of the light: blur, wavering brightness, noise."""
        config = self.config
        if config.blur_px > 0:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), config.blur_px), np.uint8)
        gain = config.exposure * (1 + config.light * sin(index / config.fps * 1.7 + config.seed))
        if self._grain is None:
            return np.asarray(cv2.convertScaleAbs(picture, alpha=gain), np.uint8)
        y, x = index * 37 % _FILM_SLACK, index * 61 % _FILM_SLACK
        tile = self._grain[y : y + config.height, x : x + config.width]
        return np.asarray(cv2.addWeighted(picture, gain, tile, 1.0, -128.0), np.uint8)


def _unit_m(look: PersonLook | VehicleLook) -> float:
    """Metres per unit of the actor's sprite."""
    return look.height_m if isinstance(look, PersonLook) else _VEHICLE_SCALE
