"""Searchers among the models: made where something is searched, kept from clip to clip."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.fakes import ScriptedDetector
from mot_dinov3.config import DetectorConfig, EmbedderConfig, SearchConfig, TrackConfig
from mot_dinov3.errors import UnknownNameError, UsageError
from mot_dinov3.perception.searchers.predicted import PredictedPlaces
from mot_dinov3.systems.fingerprints import fingerprint_models
from mot_dinov3.systems.loading import LoadedModular
from mot_dinov3.systems.making import check_names, load_searcher, renew_models
from mot_dinov3.systems.models import Models, describe_models, join_titles

PLAIN = TrackConfig(detector=DetectorConfig(det="motion"), embedder=EmbedderConfig(embedder="none"))


def searching(searcher="flow", **more):
    return replace(PLAIN, search=SearchConfig(searcher=searcher, **more))


@pytest.mark.parametrize("wanted", [{"det_every": "3"}, {"det_every": "auto"}, {"rescue": True}])
def test_a_searcher_is_made_where_something_is_searched(wanted):
    assert load_searcher(searching(**wanted), "cpu").title == "flow"
    assert load_searcher(searching("predict", **wanted), "cpu").title == "predict"


def test_otherwise_there_is_none_whatever_its_name():
    assert load_searcher(PLAIN, "cpu") is None
    assert load_searcher(searching("no such"), "cpu") is None


def test_wrong_names_are_refused_before_anything_is_loaded():
    with pytest.raises(UnknownNameError, match="flaw"):
        check_names(searching("flaw", rescue=True))
    with pytest.raises(UsageError, match="takes nothing after its name"):
        check_names(searching("flow:9", det_every="2"))
    check_names(searching("flaw"))


def test_the_searcher_stays_for_the_next_clip_and_each_clip_has_one_that_follows_nothing():
    class Renewed(PredictedPlaces):
        def renew(self):
            return Renewed()

    searcher = Renewed()
    config = searching(rescue=True)
    models = renew_models(Models(ScriptedDetector([]), searcher=searcher), config)
    assert models.searcher is searcher
    loaded = LoadedModular(models)
    first, second = (loaded.start(config).search.searcher for _ in range(2))
    assert searcher is not first is not second


def test_the_searcher_is_named_among_the_models_and_tells_them_apart():
    alone, both = Models(ScriptedDetector([])), Models(ScriptedDetector([]), searcher=predict())
    assert list(describe_models(alone.detector, None)) == ["detector", "embedder"]
    assert "; searcher predict" in LoadedModular(both).title
    assert join_titles({"a": "b", "c": "d"}) == "a b; c d"
    assert "weights of the searcher" not in fingerprint_models(alone)
    assert fingerprint_models(both)["weights of the searcher"] == "built in"
    assert (both.device, both.whole_frame) == ("cpu", False)


def predict():
    return PredictedPlaces()


def test_what_looks_at_pictures_says_so():
    needs = LoadedModular.find_pixel_needs
    assert "--searcher flow" not in needs(PLAIN)
    assert needs(searching(rescue=True))["--searcher flow"] == "--searcher predict"
    assert "--searcher predict" not in needs(searching("predict", rescue=True))


def test_files_of_a_searcher_are_inputs():
    files = LoadedModular.list_input_files(searching("nano:a.onnx,b.onnx", rescue=True))
    assert [file.name for file in files][-2:] == ["a.onnx", "b.onnx"]
