"""A batch as tasks, and what is refused before any of them begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.batches import batch_of
from mot_dinov3.config import (
    BatchConfig,
    DetectorConfig,
    LiveConfig,
    OutputConfig,
    ResumeConfig,
    SourceConfig,
    TrackConfig,
)
from mot_dinov3.errors import OutputError, UsageError
from mot_dinov3.runs.batch.tasks import create_tasks, fill_in_name, is_batch


def config(*sources, out="", **batch):
    return TrackConfig(
        source=SourceConfig(source=sources[0]),
        output=OutputConfig(output=out or "outputs/tracked.mp4"),
        batch=BatchConfig(sources=sources if len(sources) > 1 else (), **batch),
    )


def test_a_task_is_the_job_of_one_video_alone(tmp_path):
    (tmp_path / "list.txt").write_text("b.mp4\n")
    batch = config("a/b.mp4", str(tmp_path / "list.txt"), workers=3, batch_json="all.json")
    first, second = create_tasks(batch)
    assert (first.number, first.name, first.where) == (1, "b", "")
    assert (second.number, second.name) == (2, "b-2")
    assert second.where.endswith("list.txt:1")
    assert first.config == TrackConfig(
        source=SourceConfig(source="a/b.mp4"),
        output=OutputConfig(output="outputs/b/tracked.mp4"),
        resume=ResumeConfig(one_of_many=True),
    )


@pytest.mark.parametrize(
    ("batch", "asked"),
    [
        (config("a.mp4"), False),
        (config("a.mp4", "b.mp4"), True),
        (config("a.txt"), True),
        (config("a.mp4", each=True), True),
        (config("a.mp4", workers=1), True),
        (config("a.mp4", ray="local"), True),
        (config("a.mp4", batch_json="x"), True),
        (config("a.mp4", worker_cores=1), False),
    ],
)
def test_what_makes_a_batch(batch, asked):
    assert is_batch(batch) is asked


def test_a_single_video_fills_its_name_in_too():
    assert fill_in_name(config("a/b.mp4", out="{name}-seen.mp4")).output.output == "b-seen.mp4"
    assert fill_in_name(config("a/b.mp4")) == config("a/b.mp4")


def test_an_output_never_replaces_a_video_of_the_batch(tmp_path):
    sources = [str(tmp_path / name) for name in ("a.mp4", "b.mp4")]
    for source in sources:
        (tmp_path / source).write_bytes(b"x")
    create_tasks(config(*sources, out=str(tmp_path / "{name}-seen.mp4")))
    with pytest.raises(OutputError, match=r"--output '.*a.mp4' is one of the videos"):
        create_tasks(config(*sources, out=str(tmp_path / "sub" / ".." / "{name}.mp4")))
    with pytest.raises(OutputError, match="--batch-json"):
        create_tasks(config(*sources, batch_json=sources[1]))


def test_a_table_that_cannot_be_written_is_told_first(tmp_path):
    with pytest.raises(OutputError, match="is a directory"):
        create_tasks(config("a.mp4", "b.mp4", batch_json=str(tmp_path)))


@pytest.mark.parametrize("watching", [{"serve": "8080"}, {"show": True}])
def test_nobody_watches_a_batch(watching):
    with pytest.raises(UsageError, match="shows a single run"):
        create_tasks(replace(config("a.mp4", "b.mp4"), live=LiveConfig(**watching)))


def test_boxes_of_one_video_are_refused_for_several():
    shared = replace(config("a.mp4", "b.mp4"), detector=DetectorConfig(det="mot:det.txt"))
    with pytest.raises(
        UsageError, match=r"--det mot:det\.txt belongs to one video, not to 2"
    ) as no:
        create_tasks(shared)
    assert "mot:{name}.txt" in no.value.fix
    assert create_tasks(
        replace(config("a.mp4", each=True), detector=DetectorConfig(det="mot:d.txt"))
    )


def test_tasks_share_no_output(tmp_path):
    tasks = create_tasks(batch_of(tmp_path, ("a/x", "b/x", "x-2", "X"), tmp_path / "out"))
    outputs = [task.config.output.save_mot.casefold() for task in tasks]
    assert len(set(outputs)) == 4
