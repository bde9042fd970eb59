"""What differs between two runs is seen, what only a clock decides is not compared."""

from __future__ import annotations

import json
import sys
import textwrap

import pytest

from helpers.places import ASSETS
from mot_dinov3.lab.selftest import determinism
from mot_dinov3.lab.selftest.base import MeasureContext
from mot_dinov3.lab.selftest.cases import BrokenPromiseError, SelftestCase, run_cases

FAKE = """
    import json, pathlib, sys
    words = dict(zip(sys.argv, sys.argv[1:]))
    runs = pathlib.Path("../runs")
    run = len(runs.read_text()) if runs.exists() else 0
    runs.write_text("x" * (run + 1))
    line = {{"frame": 0, "latency_ms": run, "stage_ms": {{"read": run}}, "fps": run,
             "embed": {{"computed": {computed}, "embed_ms": run}}}}
    pathlib.Path(words["--output"]).write_bytes(b"video" + bytes([{video}]))
    pathlib.Path(words["--save-mot"]).write_text("1,{row},2,3\\n")
    pathlib.Path(words["--save-jsonl"]).write_text(json.dumps(line))
"""


def checked(tmp_path, computed="1", video="0", row="1"):
    script = tmp_path / "fake.py"
    script.write_text(textwrap.dedent(FAKE.format(computed=computed, video=video, row=row)))
    bench = MeasureContext(program=(sys.executable, str(script)), directory=tmp_path)
    (tmp_path / "case").mkdir()
    determinism.check_twice(bench, "clip", (), tmp_path / "case")


def test_times_may_differ(tmp_path):
    checked(tmp_path)


@pytest.mark.parametrize(
    ("fake", "words"),
    [
        ({"computed": "run"}, "o.jsonl differs: line 1 is"),
        ({"video": "run"}, "o.mp4 differs: line 1 is b'video"),
    ],
)
def test_anything_else_may_not(tmp_path, fake, words):
    with pytest.raises(BrokenPromiseError, match=words):
        checked(tmp_path, **fake)


def test_a_longer_output_differs():
    assert determinism.describe_difference(b"a\nb", b"a\nb\nc") == "3 bytes, then 5"


def test_a_journal_keeps_what_was_decided():
    record = {"frame": 3, "fps": 9.0, "embed": {"computed": 2, "budget_ms": 1.0}}
    assert determinism.drop_times(record) == {"frame": 3, "embed": {"computed": 2}}
    json.dumps(determinism.drop_times(record))


REAL = {
    "people-walking": ("--det", str(ASSETS / "weights/yolov8n_deq.pt"), "--imgsz", "320",
                       "--embedder", "onnx", "--device", "cpu", "--embed-model",
                       str(ASSETS / "weights/osnet_x0_25_msmt17.onnx")),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not ASSETS.is_dir(), reason="the assets are not here")
@pytest.mark.parametrize("name", REAL)
def test_a_real_clip_twice_is_the_same(tmp_path, name, monkeypatch):
    from mot_dinov3.lab.benchmarks.own_program import build_own_command

    monkeypatch.setattr(determinism, "FRAMES", 12)
    bench = MeasureContext(program=tuple(build_own_command()), directory=tmp_path)
    source = str(ASSETS / "videos" / f"{name}.mp4")

    def check(directory):
        determinism.check_twice(bench, source, REAL[name], directory)

    assert not run_cases(bench, [SelftestCase(name, check)]).failures
