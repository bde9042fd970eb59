"""A street with people and vehicles whose identities are known: the whole world of a clip.

Every frame is a pure function of the configuration and the frame's number, so frames can be
drawn in any order and the same seed always gives the same pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import pi, sin

import cv2
import numpy as np

from mot_dinov3.structures import Frame, Image
from mot_dinov3.synthetic.looks import PersonLook, VehicleLook, cast_people, cast_vehicles
from mot_dinov3.synthetic.motion import (
    Place,
    Trip,
    metre_at,
    plan_stroll,
    plan_traffic,
)
from mot_dinov3.synthetic.paint import Sprite
from mot_dinov3.synthetic.people import PHASES, STANDING, person_sprite
from mot_dinov3.synthetic.render import Stage, Stamp
from mot_dinov3.synthetic.scenery import paint_street, place_occluders
from mot_dinov3.synthetic.truth import PERSON, VEHICLE, GroundTruth
from mot_dinov3.synthetic.vehicles import WHEEL_PHASES, vehicle_sprite

_VIEWS = {"left": "side", "right": "side", "near": "front", "far": "back"}
_MOST_ACTORS = 255
_VEHICLE_SCALE = 0.78
_FILM_SLACK = 32


@dataclass(frozen=True, slots=True)
class StreetConfig:
    """One clip; two equal configurations give the same pixels.

    Attributes:
        seed: decides everything that is drawn by chance.
        width: pixels across.
        height: pixels down.
        fps: frames per second.
        frames: how many frames there are.
        people: identities of class person, whether in the picture or elsewhere.
        vehicles: identities of class vehicle.
        occluders: trees, lamp posts, kiosks and skips that hide what passes behind them.
        pan: how far the camera turns to either side, in frame heights.
        pan_period_s: seconds for it to turn to both sides and back.
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
    people: int = 14
    vehicles: int = 5
    occluders: int = 4
    pan: float = 0.14
    pan_period_s: float = 14.0
    noise: float = 3.0
    light: float = 0.06
    exposure: float = 1.0
    blur_px: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.people + self.vehicles <= _MOST_ACTORS:
            raise ValueError(f"StreetConfig: at most {_MOST_ACTORS} people and vehicles together")
        if min(self.width, self.height) < 64 or self.fps <= 0 or self.frames < 0:
            raise ValueError("StreetConfig: at least 64 x 64 pixels, fps above 0, frames from 0")


@dataclass(frozen=True, slots=True)
class Actor:
    """An identity: its number, its looks and its plans."""

    track_id: int
    class_id: int
    look: PersonLook | VehicleLook
    trip: Trip


class StreetWorld:
    """Iterates `(Frame, GroundTruth)` of a clip, or draws any one of its frames."""

    def __init__(self, config: StreetConfig) -> None:
        self.config = config
        reach = config.pan
        self.span = (-reach, config.width / config.height + reach)
        self.actors = self._cast()
        scene = np.random.default_rng([config.seed, 2])
        wide = config.width + 2 * round(reach * config.height)
        self._backdrop = paint_street(scene, wide, config.height)
        self._occluders = place_occluders(scene, config.occluders, self.span)
        self._grain = self._film(scene)
        self._sprites: dict[tuple[int, str, bool, int], Sprite] = {}

    def __len__(self) -> int:
        return self.config.frames

    def __iter__(self) -> Iterator[tuple[Frame, GroundTruth]]:
        return (self.frame(index) for index in range(self.config.frames))

    def frame(self, index: int) -> tuple[Frame, GroundTruth]:
        """Draw one frame and say who is in it; `index` may be any number from 0 on."""
        time_s = index / self.config.fps
        pan_px = self.pan_px(time_s)
        left = pan_px + round(self.config.pan * self.config.height)
        stage = Stage(self._backdrop[:, left : left + self.config.width].copy())
        stage.draw(self._stamps(time_s, pan_px))
        return Frame(index, time_s, self._exposed(stage.picture, index)), stage.truth()

    def pan_px(self, time_s: float) -> int:
        """How many pixels the camera has turned to the right."""
        turn = self.config.pan * sin(2 * pi * time_s / self.config.pan_period_s)
        return round(turn * self.config.height)

    def _cast(self) -> list[Actor]:
        config = self.config
        rng = np.random.default_rng([config.seed, 1])
        seconds = config.frames / config.fps
        people = cast_people(rng, config.people)
        vehicles = cast_vehicles(rng, config.vehicles)
        strolls = [plan_stroll(rng, look, seconds, self.span) for look in people]
        traffic = plan_traffic(rng, vehicles, seconds, self.span)
        cast = [(PERSON, look, trip) for look, trip in zip(people, strolls, strict=True)]
        cast += [(VEHICLE, look, trip) for look, trip in zip(vehicles, traffic, strict=True)]  # type: ignore[misc]
        return [Actor(number, *who) for number, who in enumerate(cast, start=1)]

    def _film(self, rng: np.random.Generator) -> Image | None:
        """Sensor noise around 128, larger than a frame: each frame takes another part of it."""
        config = self.config
        if config.noise <= 0:
            return None
        shape = (config.height + _FILM_SLACK, config.width + _FILM_SLACK, 3)
        grain = 128 + config.noise * rng.standard_normal(shape, np.float32)
        film: Image = np.clip(grain.round(), 0, 255).astype(np.uint8)
        return film

    def _stamps(self, time_s: float, pan_px: int) -> list[Stamp]:
        height = self.config.height
        stamps = [
            Stamp(o.sprite, o.x * height - pan_px, o.y * height, metre_at(o.y) * height)
            for o in self._occluders
        ]
        for actor in self.actors:
            place = actor.trip.at(time_s)
            if place is not None:
                x, y = place.x * height - pan_px, place.y * height
                size = metre_at(place.y) * height * _unit_m(actor.look)
                sprite = self._sprite(actor, place)
                stamps.append(Stamp(sprite, x, y, size, actor.track_id, actor.class_id))
        return stamps

    def _sprite(self, actor: Actor, place: Place) -> Sprite:
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
                person_sprite(look, view, phase)
                if isinstance(look, PersonLook)
                else vehicle_sprite(look, phase)
            )
            self._sprites[key] = sprite.mirrored() if mirrored else sprite
        return self._sprites[key]

    def _exposed(self, picture: Image, index: int) -> Image:
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
