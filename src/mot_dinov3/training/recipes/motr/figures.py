"""What an end-to-end tracker reaches on sequences that it does not learn from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations_with_replacement, islice, starmap

import numpy as np

from mot_dinov3.evaluation.preprocessing import ScoredSequence
from mot_dinov3.evaluation.scores import evaluate
from mot_dinov3.io.checkpoint import CheckpointConfig
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.nets.motr.network import MotrNetwork
from mot_dinov3.perception.motr_networks import BIRTH, KEEP
from mot_dinov3.perception.query_tracker import QueryRules, QueryTracker
from mot_dinov3.training.recipes.base import Assessment
from mot_dinov3.training.recipes.motr.crossings import (
    Crossing,
    count_kept,
    find_crossings,
    find_tracks,
)
from mot_dinov3.training.recipes.motr.sources import LEAST_VISIBLE, Film
from mot_dinov3.values import CONFIRMED, Tracks

SHUFFLED_FRAMES = 300
"""Of each sequence so many are tracked a second time, with memories exchanged."""
CHOICE_FRAMES, CHOICE_FILMS = 100, 5
"""So many frames of so many sequences are tracked with each of the scores to choose from."""
SCORES = (0.5, 0.4, 0.3)
"""That begin a track, and that keep one, from the highest; none is kept at more than begins it."""


def assess(
    network: MotrNetwork, films: Sequence[Film], config: CheckpointConfig, *, best: str = "hota"
) -> Assessment:
    """HOTA and its parts, identities kept through crossings, and the control of these.

    Tracks begin and go on at the scores that suit the sequences best; the checkpoint keeps them.
    For the control two tracks exchange all that they remember where they are closest. If memory
    tells who is who, they come out with each other's identities.
    """
    rules = choose_rules(network, films[:CHOICE_FILMS], config)
    cases: list[ScoredSequence] = []
    kept, shuffled = np.zeros(2, np.int64), np.zeros(2, np.int64)
    for film in films:
        result = track(QueryTracker(network, config, rules), film, len(film))
        cases.append(pair_up(film, result, len(film), len(cases)))
        crossings = find_crossings(film.truth, int(film.footage.frames[-1]) + 1)
        kept += count_kept(crossings, film.truth, result)
        last = int(film.footage.frames[:SHUFFLED_FRAMES][-1])
        some = [one for one in crossings if one.after <= last]
        if some:
            other = track(QueryTracker(network, config, rules), film, SHUFFLED_FRAMES, some)
            shuffled += count_kept(some, film.truth, other)
    scores = evaluate(cases).combined
    values = {name: getattr(scores, name) for name in ("hota", "deta", "assa", "idf1")}
    for name, (good, counted) in (("kept", kept), ("kept_shuffled", shuffled)):
        if counted:
            values[name] = float(good / counted)
    thresholds = {BIRTH: rules.birth, KEEP: rules.keep}
    return Assessment({**values, "crossings": float(kept[1])}, best=best, thresholds=thresholds)


def choose_rules(
    network: MotrNetwork, films: Sequence[Film], config: CheckpointConfig
) -> QueryRules:
    """The scores that begin and keep tracks with the best HOTA on the first frames of sequences.

    How sure a network is depends on how long it has learned. The highest of equally good ones.
    """
    best, most = QueryRules(), 0.0
    for rules in starmap(QueryRules, combinations_with_replacement(SCORES, 2)):
        cases = []
        for number, film in enumerate(films):
            result = track(QueryTracker(network, config, rules), film, CHOICE_FRAMES)
            cases.append(pair_up(film, result, CHOICE_FRAMES, number))
        hota = evaluate(cases).combined.hota
        if hota > most:
            best, most = rules, hota
    return best


def pair_up(film: Film, result: MotTable, frames: int, number: int) -> ScoredSequence:
    """What was found in the first frames of a sequence, beside what is true there."""
    last = int(film.footage.frames[:frames][-1])
    name, truth = f"{film.footage.name}-{number}", film.truth.cut(0, last)
    return ScoredSequence(name, truth, result, last + 1, min_visibility=LEAST_VISIBLE)


def track(
    tracker: QueryTracker, film: Film, frames: int, exchange: Iterable[Crossing] = ()
) -> MotTable:
    """Track the first frames of a sequence; with crossings the memories are exchanged in each."""
    due: dict[int, list[Crossing]] = {}
    for crossing in exchange:
        due.setdefault(crossing.closest, []).append(crossing)
    rows: list[tuple[int, Tracks]] = []
    for place, frame in enumerate(islice(film.footage.frames.tolist(), frames)):
        _, tracks = tracker.step(film.footage.pictures[place], frame / film.footage.fps)
        rows.append((frame, tracks))
        for crossing in due.get(frame, []):
            before = find_tracks(crossing.pair, film.truth, tabulate(rows), crossing.before)
            exchange_memory(tracker, before)
    return tabulate(rows)


def exchange_memory(tracker: QueryTracker, pair: tuple[int, int]) -> None:
    """Let two tracks exchange all that they remember but where they are."""
    places = [np.flatnonzero(tracker.ids == one) for one in pair]
    if pair[0] == pair[1] or not all(len(one) for one in places):
        return
    order = np.arange(len(tracker.ids))
    order[[places[0][0], places[1][0]]] = places[1][0], places[0][0]
    queries = tracker.queries
    tracker.queries = queries._replace(
        content=queries.content[order], memory=tuple(one[order] for one in queries.memory)
    )


def tabulate(rows: Sequence[tuple[int, Tracks]]) -> MotTable:
    """The tracks that were seen, as a table of MOT text."""
    seen = [(frame, tracks[tracks.state == CONFIRMED]) for frame, tracks in rows]
    known = [Tracks.empty(), *(tracks for _, tracks in seen)]
    frames = [np.full(len(tracks), frame, np.int64) for frame, tracks in seen]
    score = np.concatenate([one.score for one in known])
    return MotTable(
        np.concatenate([np.empty(0, np.int64), *frames]),
        np.concatenate([one.id for one in known]),
        np.concatenate([one.xyxy for one in known]),
        score,
        np.concatenate([one.class_id for one in known]) + 1,
        np.ones_like(score),
    )
