"""A head behind pooled maps: one matrix, for the backbone that it learned and for no other."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.errors import ModelError
from mot_dinov3.io.checkpoint import CheckpointConfig, ModelCheckpoint, save_checkpoint
from mot_dinov3.perception.features.shared_head import load_head

PROBE = np.array([0.5, -1.0, 2.0], np.float32)


def save(folder, **changes):
    rng = np.random.default_rng(0)
    weights = {
        "matrix": rng.normal(size=(4, 3)).astype(np.float32),
        "offset": rng.normal(size=3).astype(np.float32),
        "probe": PROBE,
        **changes,
    }
    kept = {name: value for name, value in weights.items() if value is not None}
    save_checkpoint(folder, ModelCheckpoint(CheckpointConfig("reid"), kept, {}))
    return weights


def test_vectors_are_unit_rows_and_what_is_not_known_stays_so(tmp_path):
    weights = save(tmp_path / "head")
    head = load_head(tmp_path / "head", PROBE + 1e-3)
    values = np.random.default_rng(1).normal(size=(2, 4)).astype(np.float32)
    values[1, 2] = np.nan
    vectors = head.tell_apart(values)
    wanted = values[0] @ weights["matrix"] + weights["offset"]
    assert vectors[0] == pytest.approx(wanted / np.linalg.norm(wanted), abs=1e-6)
    assert np.isnan(vectors[1]).all()


@pytest.mark.parametrize("probe", [PROBE + 0.1, PROBE[:2]])
def test_another_backbone_is_refused(tmp_path, probe):
    save(tmp_path / "head")
    with pytest.raises(ModelError, match="another detector's backbone"):
        load_head(tmp_path / "head", probe)


def test_a_network_for_crops_is_refused(tmp_path):
    save(tmp_path / "head", probe=None)
    with pytest.raises(ModelError, match="a network for crops"):
        load_head(tmp_path / "head", PROBE)


def test_heads_of_other_weights_have_other_fingerprints(tmp_path):
    save(tmp_path / "a")
    save(tmp_path / "b", offset=np.ones(3, np.float32))
    assert len({load_head(tmp_path / name, PROBE).digest for name in "ab"}) == 2
