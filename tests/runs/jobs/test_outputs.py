"""What a job may write."""

from __future__ import annotations

import os

import pytest

from mot_dinov3.config import (
    DetectorConfig,
    EmbedderConfig,
    MotionConfig,
    OutputConfig,
    SchedulerConfig,
    TrackConfig,
)
from mot_dinov3.errors import OutputError, UnknownNameError, UsageError
from mot_dinov3.runs.jobs.job import run_job
from mot_dinov3.runs.jobs.outputs import check_outputs


def outputs(**names):
    return TrackConfig(output=OutputConfig(**names))


def test_two_outputs_may_not_share_a_file_under_any_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    with pytest.raises(UsageError, match="--save-jsonl and --save-mot name the same file"):
        check_outputs(outputs(no_video=True, save_mot="a", save_jsonl="sub/../a"), None)


@pytest.mark.parametrize(
    "reads",
    [
        {"detector": DetectorConfig(det="mot:mine")},
        {"embedder": EmbedderConfig(embed_model="mine")},
        {"motion": MotionConfig(cmc="file:mine")},
        {"motion": MotionConfig(motion="kalman:mine")},
    ],
)
def test_no_file_that_is_read_is_replaced(tmp_path, monkeypatch, reads):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").touch()
    (tmp_path / "link").symlink_to("mine")
    for name in ("mine", "link"):
        config = TrackConfig(output=OutputConfig(no_video=True, save_mot=name), **reads)
        with pytest.raises(OutputError, match="is the input itself"):
            check_outputs(config, None)
    check_outputs(TrackConfig(output=OutputConfig(no_video=True, save_mot="new"), **reads), None)


def test_a_format_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"\*\.xyz"):
        check_outputs(outputs(output=str(tmp_path / "o.xyz")), None)
    check_outputs(outputs(output="o.xyz", no_video=True), None)
    with pytest.raises(UsageError, match="--output is empty"):
        check_outputs(outputs(output=""), None)


@pytest.mark.parametrize(
    "other", [{"save_csv": "c/a.csv"}, {"save_mot": "c/d/a.txt"}, {"stats_json": "c"}]
)
def test_crops_have_a_directory_of_their_own(tmp_path, monkeypatch, other):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="is in the way of --save-crops"):
        check_outputs(outputs(no_video=True, save_crops="c", **other), None)
    with pytest.raises(UsageError, match="is in the way of --save-crops"):
        check_outputs(outputs(no_video=True, save_crops="a.txt/c", save_mot="a.txt"), None)
    check_outputs(outputs(no_video=True, save_crops="c", save_mot="ca.txt"), None)


def test_crops_go_into_a_new_directory(tmp_path):
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "mine.jpg").touch()
    with pytest.raises(OutputError, match="is not empty"):
        check_outputs(outputs(no_video=True, save_crops=str(tmp_path / "c")), None)
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["mine.jpg"]


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        ({"save_embeddings": "e.npz"}, "Leave out one of them."),
        ({"save_crops": "c"}, "Give --crops-of seen."),
    ],
)
def test_what_holds_embeddings_needs_an_embedder(tmp_path, monkeypatch, output, remedy):
    monkeypatch.chdir(tmp_path)
    without = TrackConfig(
        embedder=EmbedderConfig(embedder="none"), output=OutputConfig(no_video=True, **output)
    )
    with pytest.raises(UsageError, match="has nothing to") as caught:
        check_outputs(without, None)
    assert caught.value.fix == remedy
    seen = OutputConfig(no_video=True, save_crops="c", crops_of="seen")
    check_outputs(TrackConfig(embedder=EmbedderConfig(embedder="none"), output=seen), None)


def test_an_output_that_no_table_knows_is_refused_before_any_model_is_loaded():
    with pytest.raises(UnknownNameError, match="Unknown output 'paint'") as caught:
        check_outputs(outputs(no_video=True, save="paint=a.png"), None)
    assert "mot" in caught.value.fix


def test_what_save_names_is_checked_like_any_output(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="--save-mot and --output name the same file"):
        check_outputs(outputs(output="a.mp4", save="mot=a.mp4"), None)
    with pytest.raises(UsageError, match="is in the way of --save-crops"):
        check_outputs(outputs(no_video=True, save="crops=c,mot=c/a.txt"), None)


@pytest.mark.parametrize(
    "wrong", [{"save_embeddings": "e.npy"}, {"crops_of": "all"}, {"crops_per_id": -1}]
)
def test_values_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UsageError, match="must be"):
        outputs(**wrong)


@pytest.mark.parametrize(
    ("chosen", "flag"),
    [
        ({"embedder": EmbedderConfig("none")}, "--embedder none"),
        ({"scheduler": SchedulerConfig("never")}, "--embed-policy never"),
    ],
)
def test_embeddings_are_not_written_where_none_is_computed(chosen, flag):
    output = OutputConfig(no_video=True, save_embeddings="o.npz")
    with pytest.raises(UsageError, match=f"--save-embeddings has nothing to write with {flag}"):
        check_outputs(TrackConfig(output=output, **chosen), None)
    check_outputs(TrackConfig(output=output), None)


@pytest.mark.parametrize("flag", ["output", "save_mot", "save_jsonl", "stats_json"])
def test_a_link_to_itself_is_like_any_other_link(tmp_path, flag):
    loop = tmp_path / "o.mp4"
    loop.symlink_to("o.mp4")
    check_outputs(outputs(no_video=flag != "output", **{flag: str(loop)}), None)


@pytest.mark.parametrize("linked", [False, True])
def test_no_video_takes_the_place_of_a_pipe_or_a_device(tmp_path, linked):
    place = tmp_path / "pipe.mp4"
    os.mkfifo(place)
    if linked:
        (place := tmp_path / "v.mp4").symlink_to("pipe.mp4")
    with pytest.raises(OutputError, match="nothing may take its place"):
        check_outputs(outputs(output=str(place)), None)


@pytest.mark.parametrize("flag", ["output", "save_mot", "save_crops", "stats_json"])
def test_a_name_with_a_nul_is_refused(flag):
    with pytest.raises(UsageError, match="has a NUL"):
        run_job(outputs(no_video=flag != "output", **{flag: "a\0.mp4"}))
