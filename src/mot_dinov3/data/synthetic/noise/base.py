"""What is known of the errors of a detector; a detector without errors has the defaults.

Values that spread are given by their quantiles at `LEVELS`, and drawn from a normal value that
goes on in time as its `Course` says. Chances are given by where on a standard normal value the
line lies: a base, and what moves it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LEVELS = (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)
"""Shares below the values of `Quantiles`."""

Quantiles = tuple[float, float, float, float, float, float, float]

NOTHING: Quantiles = (0.0,) * 7
CERTAIN: Quantiles = (1.0,) * 7
ALWAYS = 9.0
"""A base so high that chance does not matter."""
USUAL_HEIGHT = 0.15
"""Height, as a share of the picture, at which the term of size is 0."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a standard normal value of an object goes on in time.

    Attributes:
        constant: the share of its variance that is the object's own for good.
        slow: the share that fades within `seconds`; the rest is new in every frame.
        seconds: time after which the slow part has fallen to 1/e.
    """

    constant: float = 0.0
    slow: float = 0.0
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Misses:
    """Which objects are found: those whose strength is above 0.

    The strength is `base + size l + size_twice l^2 - hidden (1 - visibility)` plus a standard
    normal value, with l the logarithm of the height over `USUAL_HEIGHT`. Beyond
    `sizes` nothing is known, so l ends there.

    Attributes:
        base: strength of a wholly visible object of the usual height.
        size: what l adds.
        size_twice: what its square adds.
        sizes: least and largest l.
        hidden: what is lost with the visible share.
        least_visible: objects that are less visible are never found.
        course: how the normal value goes on.
    """

    base: float = ALWAYS
    size: float = 0.0
    size_twice: float = 0.0
    sizes: tuple[float, float] = (-9.0, 9.0)
    hidden: float = 0.0
    least_visible: float = 0.0
    course: Course = Course()


@dataclass(frozen=True, slots=True)
class BoxErrors:
    """Where a box lies beside its object.

    Attributes:
        x: shift of the centre, in widths of the object.
        y: the same in heights.
        width: logarithm of its width over the object's.
        height: the same of the heights.
        links: correlations of (x, y), (x, width), (x, height), (y, width), (y, height) and
            (width, height).
        hidden: by how much all grow where the object is hidden, as a share of themselves.
        course: how they go on.
    """

    x: Quantiles = NOTHING
    y: Quantiles = NOTHING
    width: Quantiles = NOTHING
    height: Quantiles = NOTHING
    links: tuple[float, float, float, float, float, float] = (0.0,) * 6
    hidden: float = 0.0
    course: Course = Course()


@dataclass(frozen=True, slots=True)
class Extras:
    """Further boxes beside an object: duplicates, or parts and pairs of objects.

    Attributes:
        base: the line of the chance that there is one.
        found: what moves it where the object was found.
        crowd: what moves it with the share of the object's box that another box covers.
        course: how they go on.
        errors: where they lie.
        score: their confidence.
    """

    base: float = -ALWAYS
    found: float = 0.0
    crowd: float = 0.0
    course: Course = Course()
    errors: BoxErrors = BoxErrors()
    score: Quantiles = CERTAIN


@dataclass(frozen=True, slots=True)
class Background:
    """Boxes where nothing is; the same place is often taken again.

    Attributes:
        births_per_s: places that begin in a second.
        life_s: how long a place lasts.
        seen: share of its frames in which there is a box.
        on_path: share of the places where some object stands at another time.
        height: logarithm of the height over the median of the objects.
        aspect: width over height.
        wobble: standard deviation of each side in a frame, in sizes of the box.
        score: their confidence.
        own_score: share of the variance of the confidence that is the place's own.
    """

    births_per_s: float = 0.0
    life_s: Quantiles = NOTHING
    seen: float = 1.0
    on_path: float = 0.0
    height: Quantiles = NOTHING
    aspect: Quantiles = CERTAIN
    wobble: float = 0.0
    score: Quantiles = CERTAIN
    own_score: float = 0.0


@dataclass(frozen=True, slots=True)
class DetectorNoise:
    """All errors of a detector.

    Attributes:
        misses: what is not found.
        errors: where the box of a found object lies.
        score: confidence of found objects.
        score_link: correlation of confidence and strength.
        duplicates: boxes on an object that has a better one (IoU 0.5 or more with it).
        partials: boxes that overlap an object by less (IoU 0.15 to 0.5).
        background: boxes on nothing.
        most_iou: no further box overlaps that of a found object by more (the detector's own
            suppression).
    """

    misses: Misses = field(default=Misses())
    errors: BoxErrors = field(default=BoxErrors())
    score: Quantiles = CERTAIN
    score_link: float = 0.0
    duplicates: Extras = field(default=Extras())
    partials: Extras = field(default=Extras())
    background: Background = field(default=Background())
    most_iou: float = 1.0
