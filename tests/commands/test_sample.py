"""`sample` as a user runs it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mot_dinov3.commands import main
from mot_dinov3.data.reid.crops import list_pictures, read_crops
from mot_dinov3.errors import EXIT_MODEL, EXIT_OK, EXIT_OUTPUT, EXIT_USAGE, InputError
from mot_dinov3.io.checkpoint import CheckpointConfig, ModelCheckpoint, save_checkpoint


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run with an untrained generator."""
    from mot_dinov3.nets.gan.network import Generator

    folder = tmp_path_factory.mktemp("run")
    weights = {name: value.numpy() for name, value in Generator(4, 2).state_dict().items()}
    for name, kind, width in (("best", "gan", 2), ("other", "reid", 2), ("torn", "gan", 3)):
        config = CheckpointConfig(kind, sizes={"noise": 4, "width": width})
        save_checkpoint(folder / name, ModelCheckpoint(config, weights, {}))
    return folder


def sample(run, out, *words):
    return main(["sample", str(run), "-n", "18", "--out", str(out), *words])


def test_pictures_show_no_known_identity_and_stand_side_by_side(run, tmp_path, capsys):
    grid = tmp_path / "grid.png"
    assert sample(run, tmp_path / "s", "--grid", str(grid)) == EXIT_OK
    assert capsys.readouterr().err == f"18 pictures in {tmp_path / 's'}\n"
    files = list_pictures(tmp_path / "s")
    assert [file.name for file in files[:2]] == ["-1_c0s1_000000_00.png", "-1_c0s1_000001_00.png"]
    with pytest.raises(InputError, match="18 pictures such as"):
        read_crops(tmp_path / "s")
    shown, pictures = cv2.imread(str(grid)), [cv2.imread(str(file)) for file in files]
    assert shown.shape == (2 * 128, 16 * 64, 3)
    assert np.array_equal(shown[128:, 64:128], pictures[17])
    assert not shown[128:, 128:].any()


def test_a_seed_decides_the_pictures(run, tmp_path):
    for name, words in {"a": (), "b": (), "c": ("--seed", "5")}.items():
        assert sample(run, tmp_path / name, *words) == EXIT_OK
    a, b, c = ([file.read_bytes() for file in list_pictures(tmp_path / n)] for n in "abc")
    assert a == b
    assert a[0] != c[0]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("other", EXIT_MODEL, "is of kind 'reid'"),
        ("torn", EXIT_MODEL, "does not hold the generator"),
        ("nowhere", EXIT_MODEL, "is not a checkpoint"),
        ("best -n 0", EXIT_USAGE, "--count must be at least 1"),
        ("best --out HERE", EXIT_OUTPUT, "is not empty"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(run, tmp_path, capsys, words, code, said):
    (tmp_path / "here").touch()
    name, *more = words.replace("HERE", str(tmp_path)).split()
    assert sample(run / name, tmp_path / "s", *more) == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert not (tmp_path / "s").exists()
