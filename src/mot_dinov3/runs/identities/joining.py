"""Which identities of several runs are one, by their embeddings.

Constrained agglomeration: the two groups that are most alike are joined first, and a group is
described by the mean of all its embeddings, so that what three runs say of one object counts
together. What a wrong joining would cost decides what is joined: two groups in doubt stay two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mot_dinov3.data.reid.crops import UNKNOWN
from mot_dinov3.evaluation.reid.cameras import FEWEST, normalise_cameras
from mot_dinov3.runs.identities.book import IdentityRule
from mot_dinov3.runs.identities.resolver import ENOUGH
from mot_dinov3.runs.relink.tracklets import Tracklet
from mot_dinov3.values import BoolArray, FloatArray, IntArray

Groups = list[list[int]]
"""Rows of tracklets; each group is one object."""


@dataclass(frozen=True, slots=True)
class RunTracklet:
    """A tracklet of one of several runs.

    Attributes:
        run: number of the run, from 0.
        class_name: what it is; runs may number classes differently.
        tracklet: as the run knows it.
    """

    run: int
    class_name: str
    tracklet: Tracklet


@dataclass(frozen=True, slots=True)
class _Table:
    """G groups; every array has a row a group.

    Attributes:
        cosine: (G, G) of the groups, which the gate is for.
        similarity: (G, G) cosines without what they say of the camera, which compare groups with
            each other; -1 for a group with itself and for other classes.
        able: (G, G) whether two groups may be one: of one class, and never there at once.
        shares: (G, G) whether two groups were in one run.
        counts: (G,) embeddings.
    """

    cosine: FloatArray
    similarity: FloatArray
    able: BoolArray
    shares: BoolArray
    counts: IntArray


def join_groups(members: Sequence[RunTracklet], groups: Groups, rule: IdentityRule) -> Groups:
    """Groups of which those that are surely one object are joined.

    Two groups are one if the cosine of their means reaches the gate, if every other group of the
    runs of each is less like the other one by the margin, and if none that was there at the same
    time as one of the two is more like it. Where a run has so few tracklets that there is little
    to compare with, the gate holds for the mean of the cosines of all pairs of embeddings, which
    is lower: a track in which two objects are mixed is then like none.

    Groups that were in one run at once, or are of different classes, are never joined; two of one
    run that were never there at once may be one object that came back. Groups with fewer than
    `ENOUGH` embeddings stay as they are.

    Args:
        members: the tracklets of all runs.
        groups: those that are one in each run already.
        rule: how alike two groups must be.

    Returns:
        The groups, in order of their first rows; which these are does not depend on the order of
        runs and tracklets.
    """
    known = [group for group in groups if sum(_count(members[row]) for row in group) >= ENOUGH]
    few = [group for group in groups if group not in known]
    overlap = _find_overlaps(members)
    while known and (pairs := _choose_pairs(_describe(members, known, overlap), rule)):
        for one, other in pairs:
            known[one] = known[one] + known[other]
        gone = {other for _, other in pairs}
        known = [group for row, group in enumerate(known) if row not in gone]
    return sorted(sorted(group) for group in [*known, *few])


def _count(member: RunTracklet) -> int:
    return len(member.tracklet.vectors)


def _find_overlaps(members: Sequence[RunTracklet]) -> FloatArray:
    """(T, T) 1 where two tracklets of one run were there at the same time, else 0."""
    run = np.array([one.run for one in members])
    begin = np.array([one.tracklet.first.time_s for one in members])
    end = np.array([one.tracklet.last.time_s for one in members])
    at_once = (begin[:, None] <= end[None]) & (begin[None] <= end[:, None])
    return np.asarray(at_once & (run[:, None] == run[None]), np.float32)


def _describe(members: Sequence[RunTracklet], groups: Groups, overlap: FloatArray) -> _Table:
    belongs = np.zeros((len(groups), len(members)), np.float32)
    for number, group in enumerate(groups):
        belongs[number, group] = 1
    counts: IntArray = np.array([_count(one) for one in members], np.int64)
    runs: IntArray = np.array([one.run for one in members], np.int64)
    classes = np.array([members[group[0]].class_name for group in groups])
    one_class = classes[:, None] == classes[None]
    np.fill_diagonal(one_class, val=False)
    in_run = belongs @ (runs[:, None] == np.unique(runs)).astype(np.float32)
    means = _average_members(members)
    units = _normalise(means)
    weights = belongs * counts / (belongs @ counts)[:, None]
    crowded = np.unique(runs[counts > 0], return_counts=True)[1].min() >= FEWEST
    bare = normalise_cameras(units, np.where(counts > 0, runs, UNKNOWN)) if crowded else units
    cosine = _normalise(weights @ units) if crowded else weights @ means
    similarity = _normalise(weights @ bare)
    return _Table(
        np.asarray(cosine @ cosine.T, np.float32),
        np.where(one_class, similarity @ similarity.T, np.float32(-1)),
        one_class & (belongs @ overlap @ belongs.T == 0),
        in_run @ in_run.T > 0,
        (belongs @ counts).astype(np.int64),
    )


def _average_members(members: Sequence[RunTracklet]) -> FloatArray:
    """(T, D) the mean of each tracklet's embeddings, as long as they agree; zeros without any."""
    width = max(one.tracklet.vectors.shape[1] for one in members)
    means = np.zeros((len(members), width), np.float32)
    for row, one in enumerate(members):
        if _count(one):
            means[row] = one.tracklet.vectors.mean(axis=0)
    return means


def _normalise(rows: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), np.float32)


def _choose_pairs(table: _Table, rule: IdentityRule) -> list[tuple[int, int]]:
    """Pairs to join, the most alike first; no group is in two of them."""
    fits = np.triu(table.able & (table.cosine >= rule.gate))
    rows, columns = np.nonzero(fits)
    taken: set[int] = set()
    chosen = []
    for pair in np.argsort(-table.similarity[rows, columns], kind="stable").tolist():
        one, other = int(rows[pair]), int(columns[pair])
        if taken & {one, other}:
            continue
        margin = rule.widen(int(table.counts[one]), int(table.counts[other]))
        if _is_sure(table, one, other, margin) and _is_sure(table, other, one, margin):
            taken |= {one, other}
            chosen.append((one, other))
    return chosen


def _is_sure(table: _Table, one: int, other: int, margin: float) -> bool:
    """Whether `one` is like `other` rather than like another of its runs, or one beside `one`."""
    alike, able = table.similarity[one].copy(), table.able[one]
    least, alike[other] = float(alike[other]), -1
    rivals, company = alike[able & table.shares[other]], alike[~able]
    return bool(rivals.max(initial=-1) <= least - margin and company.max(initial=-1) <= least)
