"""That a secret which comes out is found, wherever and however."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from mot_dinov3.lab.selftest.plants import PLANTS
from mot_dinov3.lab.selftest.program import ProcessResult
from mot_dinov3.lab.selftest.secrets import (
    collect_texts,
    fill,
    forms_of,
    invent_secret,
    quote_around,
)

SECRET = "pa55/word"


def leaks(directory, ended, planted=()):
    quote_words = collect_texts(directory, ended, dict.fromkeys(planted, ""))
    return [where for where, text in quote_words if any(form in text for form in forms_of(SECRET))]


def test_everything_that_was_said_or_written_is_searched(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "s.json").write_text(f"rtsp://me:{SECRET}@host")
    (tmp_path / "run.toml").write_text(SECRET)
    (tmp_path / "o.txt").write_text("nothing")
    (tmp_path / f"x{SECRET.replace('/', '%2F')}").touch()
    found = leaks(tmp_path, ProcessResult(0, "", f"error: {SECRET}", 0.0), ["run.toml"])
    assert found == ["standard error", "deep/s.json", "the name of a file"]
    assert leaks(tmp_path, ProcessResult(0, "", "", 0.0), ["run.toml"]) == found[1:]


@pytest.mark.parametrize(
    "form", ["pa55%2Fword", base64.b64encode(SECRET.encode()).decode(), SECRET[::-1]]
)
def test_a_secret_is_found_in_disguise(tmp_path, form):
    assert leaks(tmp_path, ProcessResult(0, form, "", 0.0)) == ["standard output"]


def test_a_report_shows_the_surroundings_but_not_the_secret():
    shown = quote_around(f"source =\n rtsp://me:{SECRET}@host", SECRET)
    assert shown == "source = rtsp://me:<...>@host"


def test_there_are_enough_plants_and_each_holds_its_secret():
    assert len(PLANTS) >= 30
    assert len({plant.name for plant in PLANTS}) == len(PLANTS)
    for plant in PLANTS:
        texts = (plant.words, plant.said, *plant.files.values(), *plant.variables.values())
        assert any("{secret}" in text for text in texts), plant.name


def test_words_are_filled_in_and_secrets_differ():
    assert fill("{a} {b} {x}", {"a": "1", "b": "{a}"}) == "1 {a} {x}"
    token, other = (invent_secret(np.random.default_rng(seed), True) for seed in (1, 2))
    assert token.startswith("hf_")
    assert token != other
