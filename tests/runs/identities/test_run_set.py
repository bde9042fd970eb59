"""One set of ids over several finished runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from helpers.split_people import PEOPLE, tracked
from mot_dinov3.config import IdentityConfig, RelinkConfig
from mot_dinov3.errors import InputError
from mot_dinov3.runs.identities.run_set import find_common_ids, group_merged
from mot_dinov3.runs.relink.linking import find_merges
from mot_dinov3.runs.relink.tracklets import Sighting, Tracklet


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("run")
    tracked(place, relink=False, no_video=True)
    return place / "o.jsonl", place / "o.npz"


def change_arrays(source, target, **new):
    """A copy of an npz in which arrays are replaced; None leaves one out."""
    with np.load(source) as found:
        arrays = {name: found[name] for name in found.files} | new
    np.savez(target, **{name: value for name, value in arrays.items() if value is not None})
    return target


def common(*runs, **settings):
    return find_common_ids(runs, RelinkConfig(), IdentityConfig(**settings))


def test_people_of_two_runs_have_one_id_from_1_on_without_gaps(run):
    found = common(run, run)
    people = [one for one in found if one.run == 1]
    assert sorted(one.identity for one in people) == list(range(1, PEOPLE + 1))
    assert [(one.identity, one.tracks, one.frames) for one in people] == [
        (one.identity, one.tracks, one.frames) for one in found if one.run == 0
    ]
    assert sum(len(one.tracks) == 2 for one in people) == 2  # those whom each run had split


def test_a_gate_that_is_never_reached_leaves_all_apart(run):
    found = common(run, run, gallery_gate=1.0)
    most = max(one.identity for one in found)
    assert most > 2 * PEOPLE
    assert {one.identity for one in found} == set(range(1, most + 1))


def test_runs_of_two_embedders_are_refused_by_name(run, tmp_path):
    log, embeddings = run
    other = change_arrays(embeddings, tmp_path / "b.npz", fingerprint=np.array("other"),
                          embedder=np.array("osnet"))  # fmt: skip
    with pytest.raises(InputError, match=r"'.*b.npz' with osnet: their vectors cannot"):
        common(run, (log, other))


def test_vectors_of_an_unknown_embedder_are_refused(run, tmp_path):
    bare = change_arrays(run[1], tmp_path / "old.npz", gate=None)
    with pytest.raises(InputError, match="does not say which embedder"):
        common(run, (run[0], bare))
    shutil.copy(run[0], tmp_path / "text.npz")
    with pytest.raises(InputError, match="does not say which embedder"):
        common(run, (run[0], Path(tmp_path / "text.npz")))


def test_a_merger_within_a_run_has_to_reach_the_gate_too():
    def piece(number, begin_s, vectors):
        box = (0.0, 0.0, 30.0, 60.0)
        return Tracklet(number, 0, Sighting(begin_s, box), Sighting(begin_s + 1, box), vectors)

    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(2, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pieces = [piece(1, 0, vectors[:1]), piece(2, 2, vectors[1:])]
    loose = RelinkConfig(similarity=0.0)
    assert len(find_merges(pieces, loose)) == 1
    assert group_merged(pieces, loose, 0.7, 4) == [[4], [5]]
    assert group_merged(pieces, loose, -1.0, 4) == [[4, 5]]
