"""One number: quality, less what crops cost."""

from __future__ import annotations

import pytest

from mot_dinov3.errors import UnknownNameError, UsageError
from mot_dinov3.lab.tuning.objective import Objective, Verdict

VERDICT = Verdict(
    {"a": {"hota": 60.0, "idf1": 70.0}, "b": {"hota": 40.0, "idf1": 80.0}},
    {"a": 10, "b": 90},
    {"a": 10.0, "b": 30.0},
)


def test_recordings_count_alike():
    assert Objective("hota").value(VERDICT) == 50
    assert Objective("idf1").value(VERDICT) == 75
    assert VERDICT.share == 20


def test_crops_have_a_price():
    assert Objective("hota", crop_price=0.1).value(VERDICT) == 48


def test_too_many_crops_are_told_and_cost_more_the_more_there_are():
    limits = [Objective("hota", max_share=share) for share in (20.0, 15.0, 5.0)]
    assert [limit.admits(VERDICT) for limit in limits] == [True, False, False]
    values = [limit.value(VERDICT) for limit in limits]
    assert values[0] == 50 > values[1] > values[2]


@pytest.mark.parametrize(
    "words", [("hota", -1.0), ("hota", 0.0, 101.0), ("hota", float("nan")), ("hota", 0.0, -2.0)]
)
def test_numbers_that_make_no_sense_are_refused(words):
    with pytest.raises(UsageError, match="--crop-price"):
        Objective(*words)


def test_an_unknown_objective_names_the_nearest():
    with pytest.raises(UnknownNameError, match="Unknown objective 'hoat'") as caught:
        Objective("hoat")
    assert "hota" in caught.value.fix
    assert "hota" in Objective().title.lower()
