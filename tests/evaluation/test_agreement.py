"""`eval` against the script that scored other trackers: the same files, the same figures."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from helpers.jobs import environment
from helpers.places import ASSETS
from mot_dinov3.commands import main

SCRIPT = ASSETS.parent / "bench" / "peer_accuracy.py"
SETS = {
    "mot17-frcnn": ("MOT17-train", ["MOT17-05-FRCNN", "MOT17-09-FRCNN"], []),
    "mot17-yolox-half": (
        "MOT17-train",
        ["MOT17-02-FRCNN", "MOT17-05-FRCNN"],
        ["--frames", "second-half", "--renumbered"],
    ),
    "dancetrack": ("DanceTrack-val", ["dancetrack0018", "dancetrack0065"], []),
}


def damaged(truth, first, last, seed):
    """A ground truth of every class with boxes lost and shaken and identities cut, from frame 1."""
    rng = np.random.default_rng(seed)
    rows = np.loadtxt(truth, delimiter=",")
    rows = rows[(rows[:, 0] >= first) & (rows[:, 0] <= last) & (rng.random(len(rows)) > 0.2)]
    rows[:, 0] -= first - 1
    rows[:, 1] += 1000 * (rows[:, 0] // 90)
    rows[:, 2:6] += rng.normal(0, 0.06, (len(rows), 4)) * rows[:, [4, 5, 4, 5]]
    rows[:, 4:6] = rows[:, 4:6].clip(1)
    return "".join(
        f"{int(f)},{int(i)},{x:.2f},{y:.2f},{w:.2f},{h:.2f},0.9,1,-1,-1\n"
        for f, i, x, y, w, h in rows[:, :6]
    )


def results(directory, source, name, half):
    length = int((source / "seqinfo.ini").read_text().partition("seqLength=")[2].split()[0])
    first = length // 2 + 2 if half else 1
    directory.mkdir(exist_ok=True)
    text = damaged(source / "gt" / "gt.txt", first, length, seed=len(name))
    (directory / f"{name}.txt").write_text(text)


@pytest.mark.slow
@pytest.mark.skipif(not SCRIPT.is_file(), reason="the shared benchmark script is not here")
@pytest.mark.skipif(not (ASSETS / "mot17").is_dir(), reason="the shared test assets are not here")
@pytest.mark.parametrize("name", SETS)
def test_every_figure_agrees_to_a_hundredth(tmp_path, name):
    pytest.importorskip("trackeval", reason="the extra [eval] is not installed")
    part, sequences, words = SETS[name]
    (tmp_path / part).mkdir()
    for sequence in sequences:
        source = ASSETS / "mot17" / part / sequence
        (tmp_path / part / sequence).symlink_to(source)
        results(tmp_path / "ours", source, sequence, half="half" in name)
    script = [sys.executable, SCRIPT, "--root", tmp_path, "--set", name, "--peers"]
    script += ["--out", tmp_path / "theirs", "--results", f"ours={tmp_path / 'ours'}"]
    subprocess.run(list(map(str, script)), check=True, timeout=300, env=environment())
    theirs = json.loads((tmp_path / "theirs" / f"{name}.json").read_text())
    words = ["--gt", tmp_path / part, "--pred", tmp_path / "ours", *words]
    assert main(["eval", *map(str, words), "--json", str(tmp_path / "ours.json")]) == 0
    ours = json.loads((tmp_path / "ours.json").read_text())
    rows = {"COMBINED": ours["combined"], **ours["sequences"]}
    for row, figures in theirs["results"]["ours"]["table"].items():
        for figure, value in figures.items():
            assert rows[row][figure.lower()] == pytest.approx(value, abs=0.01), (row, figure)
        assert 20 < figures["HOTA"] < 95
