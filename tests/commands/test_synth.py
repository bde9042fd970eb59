from __future__ import annotations

import numpy as np
import pytest

from helpers.clips import read_back
from mot_dinov3.commands import main
from mot_dinov3.config import SourceConfig
from mot_dinov3.data.detection.yolo import open_detection_set
from mot_dinov3.data.synthetic.presets.factory import PRESETS, create_world, load_preset
from mot_dinov3.data.synthetic.truth import as_table
from mot_dinov3.io.formats.mot import read_mot
from mot_dinov3.io.read.seqinfo import read_seqinfo
from mot_dinov3.io.read.sources import open_source


def test_a_world_becomes_a_sequence_with_its_truth(tmp_path, capsys):
    assert main(["synth", "--preset", "lowfps", "--frames", "4", "--out", str(tmp_path)]) == 0
    place = tmp_path / "lowfps"
    info, table = read_seqinfo(place), read_mot(place / "gt" / "gt.txt")
    assert (info.name, info.fps, info.frames) == ("lowfps", load_preset("lowfps").clip.fps, 4)
    assert (info.width, info.height) == (768, 432)
    known = as_table([truth for _, truth in create_world("lowfps", frames=4)])
    np.testing.assert_array_equal(table.track_id, known.track_id)
    np.testing.assert_array_equal(table.xyxy, known.xyxy)
    np.testing.assert_allclose(table.visibility, known.visibility, atol=1e-3)
    assert len(read_back(place / "lowfps.mp4")) == 4
    assert "4 frames" in capsys.readouterr().err


def test_images_can_be_tracked_as_a_sequence(tmp_path, capsys):
    words = ["synth", "--preset", "flock", "--frames", "3", "--seed", "9", "--images", "-q"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""
    place = tmp_path / "flock-9"
    files = sorted(file.name for file in (place / "img1").iterdir())
    assert files == ["000001.jpg", "000002.jpg", "000003.jpg"]
    with open_source(SourceConfig(str(place))) as reader:
        frames = list(reader)
    assert [frame.index for frame in frames] == [0, 1, 2]
    drawn, _ = create_world("flock", seed=9).frame(2)
    assert np.abs(frames[2].image.astype(int) - drawn.image).mean() < 4
    assert main([*words, "--out", str(tmp_path)]) == 5
    assert "holds images already" in capsys.readouterr().err


def test_without_a_name_the_presets_are_listed(capsys):
    assert main(["synth"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(PRESETS)


def test_all_means_every_preset(tmp_path):
    assert main(["synth", "--preset", "all", "--frames", "1", "--out", str(tmp_path), "-q"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == set(PRESETS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--preset", "street", "nope"], "Unknown preset 'nope'"),
        (["--preset", "street", "--frames", "0"], "--frames must be at least 1"),
        (["--preset", "street", "--seed", "-2"], "seed is 0 to"),
    ],
)
def test_wrong_words_are_explained_before_anything_is_drawn(tmp_path, capsys, words, message):
    assert main(["synth", "--out", str(tmp_path / "out"), *words]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_stills_are_a_data_set_to_learn_from(tmp_path, capsys):
    assert main(["synth", "--stills", "3", "--out", str(tmp_path)]) == 0
    assert "3 pictures to learn from, 1 to measure on" in capsys.readouterr().out
    learned, held_out = (open_detection_set(tmp_path, split) for split in ("train", "val"))
    assert (len(learned), len(held_out)) == (3, 1)
    assert dict(learned.names) == {0: "person", 1: "vehicle"}
    assert learned.box_count > 3
    assert not learned.left_out
    assert main(["synth", "--stills", "0", "--out", str(tmp_path / "none")]) == 2
    assert "--stills" in capsys.readouterr().err
