"""A street with people and vehicles: pavements, lanes, and a camera that turns slowly."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin

import numpy as np

from mot_dinov3.data.synthetic.looks import cast_people, cast_vehicles
from mot_dinov3.data.synthetic.motion import plan_stroll, plan_traffic
from mot_dinov3.data.synthetic.scenery import paint_street, place_occluders
from mot_dinov3.data.synthetic.truth import PERSON, VEHICLE
from mot_dinov3.data.synthetic.world import MOST_ACTORS, Actor, ClipConfig, Script, Turn, World


@dataclass(frozen=True, slots=True)
class StreetConfig(ClipConfig):
    """One clip of a street; two equal configurations give the same pixels.

    Attributes:
        people: identities of class person, whether in the picture or elsewhere.
        vehicles: identities of class vehicle.
        occluders: trees, lamp posts, kiosks and skips that hide what passes behind them.
        pan: how far the camera turns to either side, in frame heights.
        pan_period_s: seconds for it to turn to both sides and back.
    """

    people: int = 14
    vehicles: int = 5
    occluders: int = 4
    pan: float = 0.14
    pan_period_s: float = 14.0

    def __post_init__(self) -> None:
        ClipConfig.__post_init__(self)
        if not 0 <= self.people + self.vehicles <= MOST_ACTORS:
            raise ValueError(f"a street has at most {MOST_ACTORS} people and vehicles together")

    @property
    def span(self) -> tuple[float, float]:
        """Left and right end of all that the camera ever sees, in frame heights."""
        return (-self.pan, self.aspect + self.pan)


class StreetWorld(World):
    """The world of a street; iterate it or ask for any one of its frames."""

    def __init__(self, config: StreetConfig, turn: Turn | None = None) -> None:
        """Cast the street.

        Args:
            config: what is drawn.
            turn: a camera that takes the place of the one that sways.
        """
        scene = np.random.default_rng([config.seed, 2])
        wide = config.width + 2 * round(config.pan * config.height)
        script = Script(
            actors=cast_street(config),
            backdrop=paint_street(scene, wide, config.height),
            occluders=tuple(place_occluders(scene, config.occluders, config.span)),
            turn=turn or make_swaying(config.pan, config.pan_period_s),
            reach=config.pan,
        )
        super().__init__(config, script, scene)


def make_swaying(pan: float, period_s: float) -> Turn:
    """A camera that turns `pan` frame heights to both sides within `period_s`."""
    return lambda time_s: pan * sin(2 * pi * time_s / period_s)


def cast_street(config: StreetConfig) -> tuple[Actor, ...]:
    """People who stroll and vehicles that drive by, with ids from 1, people first."""
    rng = np.random.default_rng([config.seed, 1])
    seconds = config.frames / config.fps
    people = cast_people(rng, config.people)
    vehicles = cast_vehicles(rng, config.vehicles)
    strolls = [plan_stroll(rng, look, seconds, config.span) for look in people]
    traffic = plan_traffic(rng, vehicles, seconds, config.span)
    walkers = [
        Actor(number, PERSON, look, trip)
        for number, (look, trip) in enumerate(zip(people, strolls, strict=True), 1)
    ]
    drivers = [
        Actor(number, VEHICLE, look, trip)
        for number, (look, trip) in enumerate(zip(vehicles, traffic, strict=True), 1 + len(walkers))
    ]
    return (*walkers, *drivers)
