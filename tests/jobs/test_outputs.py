"""What a job may write."""

from __future__ import annotations

import pytest

from mot_dinov3.config import OutputConfig, TrackConfig
from mot_dinov3.errors import OutputError, UsageError
from mot_dinov3.jobs.outputs import check_outputs, output_files


def outputs(**names):
    return TrackConfig(output=OutputConfig(**names))


def test_output_files_lists_what_will_be_written():
    config = outputs(output="a.mp4", save_mot="b.txt", stats_json="c.json")
    assert output_files(config) == {
        "--output": "a.mp4", "--save-mot": "b.txt", "--stats-json": "c.json",
    }  # fmt: skip
    assert output_files(outputs(no_video=True)) == {}


def test_two_outputs_may_not_share_a_file_under_any_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    with pytest.raises(UsageError, match="--save-jsonl and --save-mot name the same file"):
        check_outputs(outputs(no_video=True, save_mot="a", save_jsonl="sub/../a"), None)


def test_a_format_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"\*\.xyz"):
        check_outputs(outputs(output=str(tmp_path / "o.xyz")), None)
    check_outputs(outputs(output="o.xyz", no_video=True), None)
    with pytest.raises(UsageError, match="--output is empty"):
        check_outputs(outputs(output=""), None)
