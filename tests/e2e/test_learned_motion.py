"""A job with `--motion samba:RUN`, from stored detections to MOT text."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.moving_together import draw_together, make_cell, store_cell, write_sequence
from mot_dinov3.commands import main
from mot_dinov3.errors import EXIT_MODEL, EXIT_OK, EXIT_USAGE


@pytest.fixture
def sequence(tmp_path):
    """Objects that move together, one of which is not detected for a second."""
    one = draw_together(0, frames=50, objects=5, shared=0.02)
    folder = write_sequence(tmp_path / "a", one, detections=True)
    file = folder / "det" / "det.txt"
    rows = file.read_text().splitlines()
    numbers = np.array([row.split(",")[0] for row in rows], int)
    place = np.concatenate([np.arange((numbers == n).sum()) for n in np.unique(numbers)])
    kept = ~((place == 2) & (numbers > 20) & (numbers < 40))
    file.write_text("\n".join(row for row, keep in zip(rows, kept, strict=True) if keep) + "\n")
    return folder


def track(sequence, out, *words):
    given = ["--source", f"mot:{sequence}", "--det", f"mot:{sequence / 'det' / 'det.txt'}"]
    none = ["--embedder", "none", "--no-video", "--quiet", "--no-overlap", "--save-mot", str(out)]
    assert main([*given, *none, *words]) == EXIT_OK
    return out.read_bytes()


def test_tracks_are_the_same_bytes_twice_and_without_learning_those_of_kalman(sequence, tmp_path):
    trained = f"samba:{store_cell(tmp_path / 'trained', make_cell(noise=0.2))}"
    untrained = f"samba:{store_cell(tmp_path / 'untrained', make_cell())}"
    once, again = (track(sequence, tmp_path / n, "--motion", trained) for n in ("1.txt", "2.txt"))
    assert once == again
    kalman = track(sequence, tmp_path / "3.txt")
    assert track(sequence, tmp_path / "4.txt", "--motion", untrained) == kalman
    assert once != kalman


@pytest.mark.parametrize(
    ("motion", "code", "said"),
    [
        ("samba", EXIT_USAGE, "--motion samba:DIR"),
        ("samba:nowhere", EXIT_MODEL, "'nowhere' is not a checkpoint"),
        ("sambas:x", EXIT_USAGE, "Unknown motion model 'sambas'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(sequence, capsys, motion, code, said):
    words = ["--source", f"mot:{sequence}", "--det", f"mot:{sequence / 'det' / 'det.txt'}"]
    assert main([*words, "--embedder", "none", "--no-video", "--motion", motion]) == code
    assert said in capsys.readouterr().err
