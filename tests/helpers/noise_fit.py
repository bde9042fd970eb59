"""Fits `data.synthetic.noise` to the samples of `noise_samples`; see `noise_members`.

Chances are probit fits, courses in time those whose repetitions after `LAGS_S` come nearest to the
real ones in simulations, all else is quantiles and correlations. At last the bases are moved until
drawn boxes have the rates of the real ones on the same ground truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri

from helpers.noise_samples import (
    FEWEST,
    LAGS_S,
    Sample,
    count_draws,
    count_rates,
    count_repetitions,
    draw_sample,
    errors_of,
    share_repeated,
)
from mot_dinov3.data.synthetic.noise.base import (
    LEVELS,
    USUAL_HEIGHT,
    Background,
    BoxErrors,
    Course,
    DetectorNoise,
    Extras,
    Misses,
)
from mot_dinov3.data.synthetic.noise.drawing import (
    BACKGROUND,
    DUPLICATE,
    FOUND,
    PARTIAL,
    measure_strength,
)
from mot_dinov3.values.boxes import iou_matrix

SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.95)
SECONDS = (0.15, 0.4, 1.0, 2.5, 6.0)
LINKED_IOU, LINKED_S = 0.4, 1.0


def fit(samples: Sequence[Sample], long: Sequence[Sample]) -> DetectorNoise:
    """All errors of a detector.

    Args:
        samples: sequences that say how often and where.
        long: those among them that last long enough to say how errors go on in time.
    """
    misses = fit_misses(samples, long)
    noise = DetectorNoise(
        misses=misses,
        errors=fit_errors(samples, long, FOUND),
        score=quantiles(np.concatenate([s.found.score[s.labels[0] == FOUND] for s in samples])),
        score_link=fit_score_link(samples, misses),
        duplicates=fit_extras(samples, long, DUPLICATE),
        partials=fit_extras(samples, long, PARTIAL),
        background=fit_background(long),
        most_iou=fit_most_iou(samples),
    )
    return calibrate(noise, samples, long)


def quantiles(values):
    return tuple(float(v) for v in np.quantile(values, LEVELS))


def probit(columns, hits):
    """The coefficients of a probit regression."""

    def cost(beta):
        line = columns @ beta
        chance = np.clip(ndtr(np.where(hits, line, -line)), 1e-9, 1)
        return -np.log(chance).mean() + 1e-4 * (beta**2).sum()

    return minimize(cost, np.zeros(columns.shape[1])).x


def fit_misses(samples, long):
    size = [np.log((s.truth.xyxy[:, 3] - s.truth.xyxy[:, 1]) / s.picture.height / USUAL_HEIGHT)
            for s in samples]  # fmt: skip
    size = np.concatenate(size).astype(float)
    hidden = np.concatenate([1.0 - s.truth.visibility for s in samples])
    found = np.concatenate([s.has(FOUND) for s in samples])
    sizes = tuple(np.quantile(size, (0.02, 0.98)).tolist())
    size, seen = size.clip(*sizes), hidden <= 0.9
    columns = np.stack([np.ones(len(size)), size, size**2, -hidden], axis=1)
    base, first, second, lost = probit(columns[seen], found[seen])
    plain = Misses(base, first, second, sizes, lost, least_visible=0.1)
    lines = [-measure_strength(s.truth, s.picture, plain) for s in long]
    return replace(plain, course=fit_course(long, lines, [~s.has(FOUND) for s in long]))


def simulate(samples, lines, course, seed):
    """What `count_repetitions` counts where a normal value of that course is below a line."""
    rng = np.random.default_rng(seed)
    drawn = [s.timeline.draw(rng, course) < line for s, line in zip(samples, lines, strict=True)]
    return count_repetitions(samples, drawn)


def fit_course(samples, lines, flags):
    """The course whose flags come back as the real ones do."""
    real = share_repeated(count_repetitions(samples, flags))
    seeds = range(count_draws(samples))
    best, least = Course(), np.inf
    for course in list_courses():
        drawn = share_repeated(sum(simulate(samples, lines, course, seed) for seed in seeds))
        cost = float(np.nansum((drawn - real) ** 2))
        if cost < least:
            best, least = course, cost
    return best


def list_courses():
    """All that are tried."""
    return [Course(*c) for c in product(SHARES, SHARES, SECONDS) if c[0] + c[1] < 1]


def fit_errors(samples, long, kind):
    both = [errors_of(sample, kind) for sample in samples]
    errors = np.concatenate([one for one, _ in both])
    hidden = np.concatenate(
        [1 - s.truth.visibility[o] for s, (_, o) in zip(samples, both, strict=True)]
    )
    off = np.abs(errors - np.median(errors, axis=0)).mean(axis=1)
    slope, start = np.polyfit(hidden, off, 1)
    grow = float(np.clip(slope / max(start, 1e-6), 0, 2)) if kind == FOUND else 0.0
    errors = errors / (1 + grow * hidden[:, None])
    normal = to_normal(errors)
    links = np.corrcoef(normal.T)[np.triu_indices(4, 1)]
    course = fit_error_course(long, kind)
    marginals = [quantiles(errors[:, k]) for k in range(4)]
    return BoxErrors(*marginals, links=tuple(links), hidden=grow, course=course)


def to_normal(values):
    """(N, K) columns by rank as standard normal values."""
    rank = values.argsort(axis=0, kind="stable").argsort(axis=0)
    return ndtri((rank + 0.5) / len(values))


def fit_error_course(samples, kind):
    """The course whose correlations after `LAGS_S` come nearest to those of the errors."""
    real, lags = [], []
    tables = [(s, *errors_of(s, kind)) for s in samples]
    normals = np.split(to_normal(np.concatenate([e for _, e, _ in tables])),
                       np.cumsum([len(e) for _, e, _ in tables])[:-1])  # fmt: skip
    for lag in LAGS_S:
        products, spans = [], []
        for (sample, _, owner), normal in zip(tables, normals, strict=True):
            step = max(1, round(lag * sample.picture.fps))
            key = sample.truth.track_id[owner] * 1_000_000 + sample.truth.frame_index[owner]
            at = {k: row for row, k in enumerate(key.tolist())}
            pairs = [(row, at[k + step]) for k, row in at.items() if k + step in at]
            if pairs:
                a, b = np.array(pairs).T
                products.append((normal[a] * normal[b]).mean(axis=1))
                spans.append(np.full(len(a), step / sample.picture.fps))
        if sum(map(len, products)) > FEWEST:
            real.append(np.concatenate(products).mean())
            lags.append(np.concatenate(spans).mean())
    real, lags = np.array(real), np.array(lags)
    grid = list_courses()
    near = [c.constant + c.slow * np.exp(-lags / c.seconds) - real for c in grid]
    return grid[int(np.argmin([(off**2).sum() for off in near]))]


def fit_score_link(samples, misses):
    """Correlation of confidence and strength of found objects, from that with its known part."""
    lines, scores = [], []
    for s in samples:
        kinds, owner = s.labels
        lines.append(measure_strength(s.truth, s.picture, misses)[owner[kinds == FOUND]])
        scores.append(s.found.score[kinds == FOUND])
    line, score = np.concatenate(lines), np.concatenate(scores)
    known = np.corrcoef(line, to_normal(score[:, None])[:, 0])[0, 1]
    whole = line + np.random.default_rng(0).standard_normal(len(line))
    whole = whole[whole > 0]
    return float(np.clip(known * whole.std() / line.std(), 0, 0.9))


def fit_extras(samples, long, kind):
    there = [s.has(kind) for s in samples]
    boxes = [s.found.score[s.labels[0] == kind] for s in samples]
    if sum(map(len, boxes)) < FEWEST:
        return Extras()
    found = np.concatenate([s.has(FOUND) for s in samples]).astype(float)
    crowd = np.concatenate([s.crowd for s in samples])
    columns = np.stack([np.ones(len(found)), found, crowd], axis=1)
    if kind == DUPLICATE:
        columns[:, 1] = 0  # a duplicate is one because its object was found
    base, was_found, crowded = probit(columns, np.concatenate(there))
    lines = [base + was_found * s.has(FOUND) + crowded * s.crowd for s in long]
    course = fit_course(long, lines, [s.has(kind) for s in long])
    errors = fit_errors(samples, long, kind)
    return Extras(base, was_found, crowded, course, errors, quantiles(np.concatenate(boxes)))


def fit_most_iou(samples):
    """What no further box overlaps the box of a found object by."""
    most = []
    for s in samples:
        kinds, owner = s.labels
        own = np.full(len(s.truth), -1)
        own[owner[kinds == FOUND]] = np.flatnonzero(kinds == FOUND)
        for row in np.flatnonzero(kinds == DUPLICATE):
            if own[owner[row]] >= 0:
                pair = s.found.xyxy[[row, own[owner[row]]]]
                most.append(float(iou_matrix(pair[:1], pair[1:])[0, 0]))
    return float(np.quantile(most, 0.98)) if len(most) >= FEWEST else 0.7


def link_places(sample):
    """Background boxes that follow each other in one place, as lists of rows."""
    places: list[list[int]] = []
    gap = LINKED_S * sample.picture.fps
    rows = np.flatnonzero(sample.labels[0] == BACKGROUND)
    boxes, frames = sample.found.xyxy, sample.found.frame_index
    for row in rows:
        live = [p for p in places if 0 < frames[row] - frames[p[-1]] <= max(gap, 1)]
        near = iou_matrix(boxes[[row]], boxes[[p[-1] for p in live]])[0] if live else np.zeros(1)
        if near.max() > LINKED_IOU:
            live[int(near.argmax())].append(int(row))
        else:
            places.append([int(row)])
    return places


def fit_background(samples):
    linked = [(s, place) for s in samples for place in link_places(s)]
    if sum(len(place) for _, place in linked) < FEWEST:
        return Background()
    span = [s.found.frame_index[p[-1]] - s.found.frame_index[p[0]] + 1 for s, p in linked]
    life = np.array([n / s.picture.fps for n, (s, _) in zip(span, linked, strict=True)])
    sizes, on_path, wobble = [], [], []
    for s, place in linked:
        box = s.found.xyxy[place].astype(float)
        size = box[:, 2:] - box[:, :2]
        usual = np.median(s.truth.xyxy[:, 3] - s.truth.xyxy[:, 1])
        sizes.append([np.log(size[0, 1] / usual), size[0, 0] / size[0, 1]])
        on_path.append(iou_matrix(s.found.xyxy[place[:1]], s.truth.xyxy[::7]).max() > 0.3)
        wobble += list(((box[1:] - box[:-1]) / np.tile(size[1:], 2)).ravel() / np.sqrt(2))
    scores = [s.found.score[place] for s, place in linked]
    normal = np.split(to_normal(np.concatenate(scores)[:, None])[:, 0],
                      np.cumsum([len(one) for one in scores])[:-1])  # fmt: skip
    within = np.mean(np.concatenate([one - one.mean() for one in normal if len(one) > 3]) ** 2)
    return Background(
        births_per_s=len(linked) / sum(s.picture.frames / s.picture.fps for s in samples),
        life_s=quantiles(life),
        seen=sum(len(place) for _, place in linked) / float(np.sum(span)),
        on_path=float(np.mean(on_path)),
        height=quantiles(np.array(sizes)[:, 0]),
        aspect=quantiles(np.array(sizes)[:, 1]),
        wobble=float(np.median(np.abs(wobble)) / 0.6745),
        score=quantiles(np.concatenate(scores)),
        own_score=float(np.clip(1 - within, 0, 0.95)),
    )


def calibrate(noise, samples, long, rounds=5):
    """Move the bases until drawn boxes have the rates of the real ones."""
    want, want_long = count_rates(samples), count_rates(long)
    seeds = count_draws(samples)
    for _ in range(rounds):
        got = np.mean([count_rates([draw_sample(s, noise, k) for s in samples])
                       for k in range(seeds)], axis=0)  # fmt: skip
        many = np.mean([count_rates([draw_sample(s, noise, k) for s in long])
                        for k in range(seeds)], axis=0)[3]  # fmt: skip
        step = ndtri(want[:3].clip(1e-6, 0.999999)) - ndtri(got[:3].clip(1e-6, 0.999999))
        ground = noise.background
        ratio = want_long[3] / many if many else 1.0
        noise = replace(
            noise,
            misses=replace(noise.misses, base=noise.misses.base + step[0]),
            duplicates=move_base(noise.duplicates, step[1]),
            partials=move_base(noise.partials, step[2]),
            background=replace(ground, births_per_s=ground.births_per_s * ratio),
        )
    return noise


def move_base(extras, step):
    return replace(extras, base=extras.base + step) if extras != Extras() else extras
