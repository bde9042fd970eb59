"""One set of ids over several finished runs, of cameras or of days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mot_dinov3.config import IdentityConfig, RelinkConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.formats.embeddings import read_mark
from mot_dinov3.io.formats.frame_log import FrameLog
from mot_dinov3.runs.identities.book import IdentityRule, average
from mot_dinov3.runs.identities.joining import Groups, RunTracklet, join_groups
from mot_dinov3.runs.relink.collector import read_tracklets
from mot_dinov3.runs.relink.linking import find_merges
from mot_dinov3.runs.relink.tracklets import Tracklet
from mot_dinov3.wording import name_class


@dataclass(frozen=True, slots=True)
class Presence:
    """An identity in one run.

    Attributes:
        identity: its id in the whole set, from 1.
        run: number of the run, from 0.
        tracks: the ids that the run gave it, ascending.
        frames: in which it was detected there.
    """

    identity: int
    run: int
    tracks: tuple[int, ...]
    frames: int


def find_common_ids(
    runs: Sequence[tuple[Path, Path]], relink: RelinkConfig, identities: IdentityConfig
) -> list[Presence]:
    """Who is who in several runs: every identity in every run that it is in, in order of ids.

    Each run is relinked by itself first. Ids count from 1 without gaps: those of the first run in
    the order in which it gave them, then those that are new in the second one, and so on.

    Args:
        runs: what `--save-jsonl` and `--save-embeddings` wrote in each.
        relink: when two tracks of one run are merged.
        identities: when two identities are one; gate 0 takes that of the embedder.

    Raises:
        InputError: a file cannot be read, or two runs had different embedders.
    """
    gate = require_one_embedder([embeddings for _, embeddings in runs])
    rule = IdentityRule(identities.gallery_gate or gate, identities.gallery_margin)
    members: list[RunTracklet] = []
    groups: Groups = []
    for number, (frame_log, embeddings) in enumerate(runs):
        log = FrameLog(frame_log)
        tracklets = read_tracklets(log, embeddings)
        groups += group_merged(tracklets, relink, rule.gate, len(members))
        members += [RunTracklet(number, name_class(t.class_id, log.names), t) for t in tracklets]
    return list(_list_presences(members, join_groups(members, groups, rule)))


def require_one_embedder(files: Sequence[Path]) -> float:
    """The gate of the embedder that made the vectors of all files.

    Raises:
        InputError: a file cannot be read, or they are of several embedders.
    """
    first, *others = [read_mark(path) for path in files]
    for path, mark in zip(files[1:], others, strict=True):
        if mark.fingerprint != first.fingerprint:
            raise InputError(
                f"'{files[0]}' was made with the embedder {first.title}, '{path}' with "
                f"{mark.title}: their vectors cannot be compared.",
                fix="Track all runs with the same --embedder and --embed-model.",
            )
    return max(mark.gate for mark in (first, *others))


def group_merged(
    tracklets: Sequence[Tracklet], config: RelinkConfig, gate: float, offset: int
) -> Groups:
    """The tracklets of a run, those together that `--relink` merges; rows count from `offset`.

    A merger must reach the gate of the embedder too: strangers may share their neighbours where
    few people are in a run, and what is mixed in one run would be mixed in all.
    """
    means = {one.id: average(one.vectors) for one in tracklets if len(one.vectors)}
    root: dict[int, int] = {}
    for merge in find_merges(tracklets, config):
        if float(means[merge.after] @ means[merge.old]) >= gate:
            root[merge.old] = root.get(merge.after, merge.after)
    groups: dict[int, list[int]] = {}
    for row, tracklet in enumerate(tracklets, offset):
        groups.setdefault(root.get(tracklet.id, tracklet.id), []).append(row)
    return list(groups.values())


def _list_presences(members: Sequence[RunTracklet], groups: Groups) -> Iterable[Presence]:
    for identity, group in enumerate(groups, 1):
        of_run: dict[int, list[Tracklet]] = {}
        for row in group:
            of_run.setdefault(members[row].run, []).append(members[row].tracklet)
        for run, found in of_run.items():
            ids = tuple(tracklet.id for tracklet in found)
            yield Presence(identity, run, ids, sum(tracklet.frames for tracklet in found))
