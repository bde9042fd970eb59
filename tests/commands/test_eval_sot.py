"""`eval sot` as a user runs it, on a drawn square."""

from __future__ import annotations

import json

import pytest

from helpers.moving_square import write_otb
from helpers.places import ASSETS
from mot_dinov3.commands import main
from mot_dinov3.errors import EXIT_INPUT, EXIT_MODEL, EXIT_OK, EXIT_USAGE

BACKBONE = ASSETS / "weights" / "nanotrackv2_backbone.onnx"
NANO = f"nano:{BACKBONE},{BACKBONE.with_name('nanotrackv2_head.onnx')}"
DRAGON_BABY = 0.706
"""Average overlap of `cv2.TrackerNano`, called directly."""


@pytest.fixture
def data(tmp_path):
    write_otb(tmp_path / "set" / "near", 4)
    write_otb(tmp_path / "set" / "far", 12)
    return f"otb:{tmp_path / 'set'}"


def test_searchers_stand_beside_each_other_with_a_mean(data, tmp_path, capsys):
    pytest.importorskip("jinja2")
    pytest.importorskip("plotly")
    files = tmp_path / "f.json", tmp_path / "f.html"
    words = ("--searcher", "flow", "--searcher", "predict")
    out = ("--json", str(files[0]), "--plot", str(files[1]))
    assert main(["eval", "sot", "--data", data, *words, *out]) == EXIT_OK
    printed = capsys.readouterr().out
    assert "flow: " in printed
    assert " ms a frame" in printed
    assert printed.splitlines()[-1] == "2 sequences, 16 frames"
    flow, still = json.loads(files[0].read_text())["searchers"]
    assert (flow["searcher"], still["title"], still["frames"]) == ("flow", "predict", 14)
    assert flow["sequences"].keys() == {"near", "far"}
    assert flow["mean"]["ao"] > 0.8 > 0.5 > still["mean"]["ao"]
    mean = sum(one["auc"] for one in still["sequences"].values()) / 2
    assert still["mean"]["auc"] == pytest.approx(mean)
    beside = printed[printed.index("\nAO") :].splitlines()
    assert beside[-3].split() == ["mean", f"{flow['mean']['ao']:.3f}", f"{still['mean']['ao']:.3f}"]
    page = files[1].read_text()
    assert "Success" in page
    assert "Precision" in page


def test_without_a_searcher_flow_is_measured(data, capsys):
    assert main(["eval", "sot", "--data", data]) == EXIT_OK
    printed = capsys.readouterr().out
    assert printed.startswith("flow: ")
    assert "\nAO" not in printed


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--data", "otb:nowhere"], EXIT_INPUT, "'nowhere' does not exist"),
        (["--data", "nowhere"], EXIT_USAGE, "does not say what kind of data set"),
        (["--searcher", "flowing"], EXIT_USAGE, "Unknown searcher 'flowing'"),
        (["--searcher", "nano"], EXIT_USAGE, "nano:BACKBONE,HEAD"),
        (["--searcher", "nano:a,b"], EXIT_MODEL, "'a' is not there"),
        (["--json", "."], 5, "'.'"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(data, capsys, words, code, said):
    assert main(["eval", "sot", "--data", data, *words]) == code
    assert said in capsys.readouterr().err


@pytest.mark.skipif(not (ASSETS / "sot").is_dir(), reason="the shared test assets are not here")
def test_nano_reaches_what_opencv_reaches_on_real_sequences(tmp_path):
    file = tmp_path / "f.json"
    words = ["--data", f"otb:{ASSETS / 'sot' / 'DragonBaby'}", "--searcher", NANO]
    assert main(["eval", "sot", *words, "--json", str(file)]) == EXIT_OK
    (nano,) = json.loads(file.read_text())["searchers"]
    assert nano["mean"]["ao"] == pytest.approx(DRAGON_BABY, abs=0.01)
