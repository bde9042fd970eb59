"""Which recordings may stand for each other, and which may stand in one table."""

from __future__ import annotations

import pytest

from helpers.recordings import recording
from mot_dinov3.config import EmbedderConfig, TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.lab.recordings import recording as module
from mot_dinov3.lab.recordings.recording import (
    GATE,
    TRUSTED,
    require_comparable,
    require_same,
    select_settings,
)
from mot_dinov3.values import SimilarityPrior


def test_the_same_recording_may_be_kept():
    require_same("a.npz", recording(), recording())


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        pytest.param({"content": "b" * 64}, "bbbbbbbb", id="another video"),
        pytest.param({"weights": "w2"}, "fake and fake with other weights", id="other weights"),
        pytest.param(
            {"settings": {"conf": 0.3, "crop_pad": 0.3}}, r"crop_pad 0\.12 and 0\.3", id="settings"
        ),
    ],
)
def test_another_recording_may_not(other, reason):
    with pytest.raises(UsageError, match="holds something else") as problem:
        require_same("a.npz", recording(), recording(**other))
    assert problem.match(reason)


def test_sources_may_differ_in_one_table_but_models_may_not():
    one, two = recording(), recording(content="b" * 64, name="other.mp4")
    require_comparable({"a": one, "b": two})
    with pytest.raises(UsageError, match=r"'a' and 'c' cannot be compared: embedder"):
        require_comparable({"a": one, "b": two, "c": recording(weights="w2")})


def test_a_replay_trusts_an_embedder_as_a_run_does():
    def prior(**embedder):
        config = TrackConfig(embedder=EmbedderConfig(**embedder))
        return recording(settings=select_settings(config)).prior

    assert prior(embedder="onnx", embed_model="reid.onnx").trusted
    assert not prior(embedder="dino").trusted
    older = recording()
    assert older.prior.trusted
    require_comparable({"a": older, "b": recording(settings={**older.setup.settings, TRUSTED: 0})})


def test_a_replay_begins_with_the_gate_that_a_checkpoint_names(monkeypatch):
    monkeypatch.setattr(module, "find_prior", lambda config: SimilarityPrior(gate=0.55))
    stored = recording(settings=select_settings(TrackConfig()))
    assert stored.prior == SimilarityPrior(gate=0.55)
    require_comparable({"a": recording(settings={**stored.setup.settings, GATE: 0.6}), "b": stored})
