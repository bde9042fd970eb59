"""Names of files that are not UTF-8: every output is whole and says the name with a `?`."""

from __future__ import annotations

import csv
import json
import os
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import read_back
from helpers.jobs import FRAMES, cli, mot_rows, records
from mot_dinov3.io.formats.frame_log import FrameLog


def foreign(name):
    """A name with a byte that is not UTF-8, as an old system left it."""
    return os.fsdecode(name.encode("latin-1"))


VIDEO = foreign("caf\u00e9.mp4")


@pytest.fixture
def named(scene, tmp_path):
    """The scene's video and its boxes, under names that are not UTF-8."""
    try:
        shutil.copy(scene / "clip.mp4", tmp_path / VIDEO)
    except (OSError, ValueError):
        pytest.skip("this file system takes no such name")
    shutil.copy(scene / "det.txt", tmp_path / foreign("caf\u00e9.txt"))
    return "--source", VIDEO, "--det", foreign("mot:caf\u00e9.txt"), "--embedder", "none"


def test_all_outputs_of_a_foreign_name_are_whole(track, named, tmp_path):
    kinds = {"--output": "mp4", "--save-mot": "txt", "--save-jsonl": "jsonl", "--save-csv": "csv",
             "--stats-json": "json", "--report": "html"}  # fmt: skip
    out = {flag: foreign(f"out\u00e9.{suffix}") for flag, suffix in kinds.items()}
    crops = foreign("crops\u00e9")
    code, err = track(
        *named, *(word for pair in out.items() for word in pair), "--save-crops", crops,
        "--crops-of", "seen",
    )  # fmt: skip
    assert code == 0, err
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]
    assert len(read_back(tmp_path / out["--output"])) == FRAMES
    assert len(mot_rows(tmp_path / out["--save-mot"])) == 2 * FRAMES
    assert len(records(tmp_path / out["--save-jsonl"])) == FRAMES
    rows = list(
        csv.DictReader((tmp_path / out["--save-csv"]).read_text(encoding="utf-8").splitlines())
    )
    assert len(rows) == 2 * FRAMES
    stats = json.loads((tmp_path / out["--stats-json"]).read_text(encoding="utf-8"))
    assert stats["frames"] == FRAMES
    page = (tmp_path / out["--report"]).read_text(encoding="utf-8")
    assert "caf?.mp4" in page
    assert page.rstrip().endswith("</html>")
    assert len(list((tmp_path / crops).rglob("*.jpg"))) > 2


def test_the_commands_after_a_run_take_such_names(track, named, tmp_path):
    log, video = foreign("log\u00e9.jsonl"), foreign("again\u00e9.mp4")
    assert track(*named, "--save-jsonl", log, "--save-mot", "a.txt", "--no-video")[0] == 0
    assert [record.result.frame_index for record in FrameLog(log)] == list(range(FRAMES))
    assert track("render", "--jsonl", log, "--source", VIDEO, "--output", video)[0] == 0
    assert len(read_back(tmp_path / video)) == FRAMES
    code, err = track("report", log, "--out", foreign("page\u00e9.html"))
    assert code == 0, err
    assert track("eval", "--gt", "a.txt", "--pred", "a.txt")[0] == 0


def test_a_printed_configuration_reads_back(track, named, tmp_path, capsys):
    from mot_dinov3.commands import main

    assert main([*named, "--print-config", "--save-mot", foreign("out\u00e9.txt")]) == 0
    text = capsys.readouterr().out
    assert tomllib.loads(text)["source"]["source"] == {"quoted": "caf%E9.mp4"}
    Path("run.toml").write_text(text, encoding="utf-8")
    code, err = track("--config", "run.toml", "--no-video")
    assert code == 0, err
    assert len(mot_rows(tmp_path / foreign("out\u00e9.txt"))) == 2 * FRAMES


def test_a_batch_of_names_that_look_alike(track, named, tmp_path):
    (tmp_path / "clips").mkdir()
    for name in ("caf\u00e9.mp4", "caf\u00e8.mp4"):
        shutil.copy(tmp_path / VIDEO, tmp_path / "clips" / foreign(name))
    code, err = track(
        "--source", "clips", "--each", "--det", "motion", "--embedder", "none", "--max-frames", 6,
        "--output", "{name}.mp4", "--report", "{name}.html", "--batch-json", "batch.json",
    )  # fmt: skip
    assert code == 0, err
    table = json.loads((tmp_path / "batch.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in table["videos"]] == ["caf", "caf-2"]
    for name in ("caf", "caf-2"):
        assert len(read_back(tmp_path / f"{name}.mp4")) == 6
        assert (tmp_path / f"{name}.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_a_run_of_such_a_name_is_resumed(track, named, tmp_path):
    words = (*named, "--output", foreign("out\u00e9.mp4"), "--resume")
    assert track(*words)[0] == 0
    assert track(*words)[0] == 0
    times = [time_s for time_s, _ in read_back(tmp_path / foreign("out\u00e9.mp4"))]
    assert np.all(np.diff(times) > 0)
    assert len(times) == FRAMES


def test_a_terminal_that_cannot_show_a_name_ends_nothing(named, tmp_path):
    code, out, err = cli(*named, "--no-video", "-v", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert code == 0, out + err
    assert "Error" not in err
