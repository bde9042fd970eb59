from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from mot_dinov3.lap import linear_sum_assignment, load_solver


@pytest.mark.parametrize("shape", [(1, 1), (7, 7), (5, 9), (9, 5), (0, 3), (60, 80)])
def test_it_is_scipy_s_solver(shape):
    from scipy import optimize

    cost = np.random.default_rng(1).random(shape, np.float32)
    ours, theirs = linear_sum_assignment(cost), optimize.linear_sum_assignment(cost)
    assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))


def test_a_scipy_that_keeps_it_elsewhere_is_imported_as_a_whole():
    from scipy import optimize

    assert load_solver("_nowhere") is optimize.linear_sum_assignment


def test_importing_it_does_not_import_scipy_s_optimisers():
    code = "import sys, mot_dinov3.lap; print('scipy.optimize' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "False"
