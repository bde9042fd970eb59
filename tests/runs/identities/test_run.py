"""Whole runs with a gallery: the same people have the same ids in every output of each run."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from helpers.identities import frame
from helpers.split_people import PEOPLE, configuration, system
from mot_dinov3.config import IdentityConfig
from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.io.formats.frame_log import FrameLog
from mot_dinov3.io.formats.identity_gallery import edit_gallery, read_gallery
from mot_dinov3.runs.identities.editing import rename
from mot_dinov3.runs.identities.run import GalleryRun
from mot_dinov3.runs.jobs.job import run_job
from mot_dinov3.values import EmbedderMark

MARK = EmbedderMark("fake", "f", 0.7)


def track(directory, gallery, **more):
    """Track the scene with a gallery, and return the people (by their row) of every id."""
    left_out = dict.fromkeys(("save_csv", "save_trace", "save_coco", "save_cvat"), "")
    config = configuration(directory, relink=False, no_video=True, **left_out, **more)
    config = replace(config, identities=IdentityConfig(str(gallery)))
    facts = run_job(config, system()).facts
    people = {}
    for record in FrameLog(directory / "o.jsonl"):
        tracks = record.result.tracks
        for row in tracks.present.nonzero()[0]:
            person = int(tracks.xyxy[row][1] // 38)
            people.setdefault(int(tracks.id[row]), set()).add(person)
    return facts, people


def test_people_keep_their_ids_in_a_second_run_and_are_called_by_name(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    gallery = tmp_path / "people.npz"
    facts, first = track(tmp_path / "a", gallery)
    assert facts.new_identities == PEOPLE
    assert sorted(map(tuple, first.values())) == [(n,) for n in range(PEOPLE)]
    known = next(iter(first))
    with edit_gallery(gallery) as found:
        rename(found, str(known), "Anna")
    facts, second = track(tmp_path / "b", gallery, report=str(tmp_path / "b" / "o.html"))
    assert second == first
    assert facts.new_identities == 0
    assert {one.identity for one in facts.recognised} == set(first)
    named = [record.result.known for record in FrameLog(tmp_path / "b" / "o.jsonl")]
    assert named[0] in ({}, {known: "Anna"})
    assert named[-1] == {known: "Anna"}
    rows = (tmp_path / "b" / "o.txt").read_text().splitlines()
    assert {int(row.split(",")[1]) for row in rows} == set(first)
    assert "Anna" in (tmp_path / "b" / "o.html").read_text()
    stats = json.loads((tmp_path / "b" / "o.json").read_text())
    assert any(row["name"] == "Anna" for row in stats["recognised"])
    assert {int(path.name) for path in (tmp_path / "b" / "crops").iterdir()} <= set(first)


def open_run(path, mark=MARK, **settings):
    return GalleryRun(IdentityConfig(str(path), **settings), mark, {0: "person"}, "clip")


def see(run, number, vector):
    for index in range(6):
        result = frame(index, {number + run.resolver.offset: vector})
        run.resolver.observe(result)


def test_two_runs_at_once_lose_nothing_and_share_who_is_one(tmp_path):
    path = tmp_path / "g.npz"
    one, other = open_run(path), open_run(path)
    see(one, 1, 0)
    see(other, 1, 90)
    other.resolver.observe(frame(9, {}))
    see(other, 2, 3)
    assert one.find()[0] == {}
    new_of, facts = other.find()
    assert new_of == {1: 3, 2: 1}
    assert facts["new_identities"] == 1
    gallery = read_gallery(path)
    assert sorted(gallery.identities) == [1, 3]
    assert gallery.next_id == 5


def test_threads_that_write_at_once_keep_all_of_it(tmp_path):
    path = tmp_path / "g.npz"
    runs = [open_run(path) for _ in range(6)]
    for place, run in enumerate(runs):
        see(run, 1, 60 * place)
    threads = [threading.Thread(target=run.find) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_gallery(path).identities) == 6


def test_a_gallery_that_is_only_read_stays_as_it_is(tmp_path):
    path = tmp_path / "g.npz"
    with pytest.raises(UsageError, match="holds no identity"):
        open_run(path, gallery_known=True)
    first = open_run(path)
    see(first, 1, 0)
    first.find()
    before = path.read_bytes()
    run = open_run(path, gallery_known=True)
    see(run, 1, 2)
    assert run.find()[0] == {2: 1}
    assert path.read_bytes() == before


def test_a_gallery_of_another_embedder_is_refused_by_name(tmp_path):
    path = tmp_path / "g.npz"
    run = open_run(path)
    see(run, 1, 0)
    run.find()
    with pytest.raises(InputError, match="made with the embedder fake, not with other"):
        open_run(path, replace(MARK, title="other", fingerprint="o"))


def test_what_resume_compares_changes_with_the_gallery(tmp_path):
    path = tmp_path / "g.npz"
    run = open_run(path)
    assert run.fingerprint == ""
    see(run, 1, 0)
    run.find()
    assert open_run(path).fingerprint == open_run(path).fingerprint != ""
