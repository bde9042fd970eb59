"""The engine on a recipe with two parameters: what it learns, keeps, logs and refuses."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from helpers.fake_recipe import LineRecipe
from mot_dinov3.errors import InputError, ModelError, UsageError
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.training.engine import train
from mot_dinov3.training.learner import Learner
from mot_dinov3.training.log import read_log
from mot_dinov3.training.processes import OneProcess
from mot_dinov3.training.recipes.base import Assessment
from mot_dinov3.training.schedule import learning_rate
from mot_dinov3.training.settings import TrainingRun

TIMES = ("seconds",)


def run_in(folder, recipe, **asked):
    return train(recipe, TrainingRun(out=str(folder), **asked))


def weights_in(folder, kind="line"):
    return load_checkpoint(folder, kind).weights


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


def entries_without_times(folder):
    return [{k: v for k, v in e.items() if k not in TIMES} for e in read_log(folder)]


def test_a_recipe_learns_and_its_untrained_control_does_not(tmp_path):
    recipe = LineRecipe(steps=200, dropout=0.0, noise=0.0, checkpoint_every=200, log_every=50)
    trained = run_in(tmp_path / "trained", recipe)
    control = run_in(tmp_path / "control", replace(recipe, rate=0.0))
    assert trained.best.values["error"] < 0.05 < 1 < control.best.values["error"]


class HalfRecipe(LineRecipe):
    """It forgets what its line begins with."""

    def optimizers(self, model):
        wide = [p for p in model.parameters() if p.ndim > 1]
        return {"all": torch.optim.SGD(wide, lr=self.rate)}


def test_a_recipe_that_leaves_something_random_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="bias has a gradient, and no optimizer changes it"):
        run_in(tmp_path, HalfRecipe())


def test_equal_seeds_give_equal_weights_and_others_do_not(tmp_path):
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        run_in(tmp_path / name, LineRecipe(seed=seed))
    assert same(weights_in(tmp_path / "one"), weights_in(tmp_path / "same"))
    assert not same(weights_in(tmp_path / "one"), weights_in(tmp_path / "other"))


def test_an_evaluation_changes_nothing_of_what_is_learned(tmp_path):
    run_in(tmp_path / "seldom", LineRecipe())
    run_in(tmp_path / "often", LineRecipe(evaluate_every=1))
    assert same(weights_in(tmp_path / "seldom/last"), weights_in(tmp_path / "often/last"))


@pytest.mark.parametrize("supply", ["numbered", "stream"])
@pytest.mark.parametrize("stop_after", [1, 7, 23])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(tmp_path, supply, stop_after):
    recipe = LineRecipe(supply=supply, evaluate_every=6, log_every=4)
    run_in(tmp_path / "whole", recipe)
    asked = iter(range(1, 100))
    place = TrainingRun(out=str(tmp_path / "parts"))
    result = train(recipe, place, wants_stop=lambda: next(asked) == stop_after)
    assert (result.step, result.over) == (stop_after, False)
    result = run_in(tmp_path / "parts", recipe, resume=True)
    assert (result.step, result.over) == (recipe.steps, True)
    for kept in ("best", "last"):
        assert same(weights_in(tmp_path / "whole" / kept), weights_in(tmp_path / "parts" / kept))
    assert entries_without_times(tmp_path / "parts") == entries_without_times(tmp_path / "whole")
    assert all(a["seconds"] <= b["seconds"] for a, b in pairwise(read_log(tmp_path / "parts")))


@pytest.mark.parametrize(
    ("part", "supply"),
    [
        pytest.param("model", "numbered", id="weights"),
        pytest.param("average", "numbered", id="average"),
        pytest.param("optimizers", "numbered", id="optimizer"),
        pytest.param("step", "numbered", id="place in the schedule"),
        pytest.param("random", "numbered", id="dropout"),
        pytest.param("batches", "stream", id="supply of batches"),
    ],
)
def test_control_every_part_of_the_state_is_needed(part, supply):
    recipe = LineRecipe(supply=supply, steps=20)
    whole, begun = (Learner(recipe, None, OneProcess("cpu")) for _ in range(2))
    for _ in range(10):
        whole.take_step()
        begun.take_step()
    untouched = Learner(recipe, None, OneProcess("cpu")).state_dict()
    state = begun.state_dict()
    if part in ("random", "batches"):
        state["processes"][0][part] = untouched["processes"][0][part]
    else:
        state[part] = untouched[part]
    resumed, right = (Learner(recipe, None, OneProcess("cpu")) for _ in range(2))
    ends = []
    for learner, start in ((right, begun.state_dict()), (resumed, state)):
        learner.load_state_dict(start)
        for _ in range(10):
            learner.take_step()
        ends.append({k: v.numpy().copy() for k, v in learner.kept_model.state_dict().items()})
    assert not same(*ends)


def test_python_and_numpy_go_on_too(tmp_path):
    import random

    from mot_dinov3.training.random_state import capture_random_state, restore_random_state

    def draw():
        old = np.random.rand()  # noqa: NPY002 - libraries draw from it
        return random.random(), float(old), float(torch.rand(()))

    torch.save(capture_random_state("cpu"), tmp_path / "state.pt")
    first = draw()
    assert draw() != first
    restore_random_state(torch.load(tmp_path / "state.pt", weights_only=True), "cpu")
    assert draw() == first


def test_accumulated_batches_equal_one_large_batch():
    @dataclass(frozen=True, slots=True)
    class Halves(LineRecipe):
        def draw(self, number):
            whole = LineRecipe(size=16).draw(number // 2)
            half = slice(0, 8) if number % 2 == 0 else slice(8, 16)
            return {name: value[half] for name, value in whole.items()}

    plain = {"dropout": 0.0, "steps": 10}
    large, halves = LineRecipe(size=16, **plain), Halves(accumulate=2, **plain)
    ends = []
    for recipe in (large, halves, replace(halves, accumulate=1)):
        learner = Learner(recipe, None, OneProcess("cpu"))
        for _ in range(10):
            learner.take_step()
        told = learner.summarise()
        ends.append([learner.model[1].weight.item(), told["loss"], told["gradient"]])
    assert ends[0] == pytest.approx(ends[1], abs=1e-5)
    assert ends[0] != pytest.approx(ends[2], abs=1e-4)


def test_the_gradient_is_clipped():
    def step_with(clip):
        recipe = LineRecipe(clip=clip, dropout=0.0)
        learner = Learner(recipe, None, OneProcess("cpu"))
        learner.take_step()
        grads = [p.grad for p in learner.model.parameters()]
        return float(torch.cat([g.flatten() for g in grads]).norm()), learner.summarise()

    free, told_free = step_with(0.0)
    clipped, told_clipped = step_with(0.5)
    assert free > 0.6
    assert clipped == pytest.approx(0.5, rel=1e-4)
    assert told_free["gradient"] == told_clipped["gradient"] == pytest.approx(free)


def test_the_rate_follows_the_schedule(tmp_path):
    recipe = LineRecipe(steps=30, warm_up=3, schedule="linear")
    run_in(tmp_path, recipe)
    rates = [entry["rate"] for entry in read_log(tmp_path) if "rate" in entry]
    assert rates == [learning_rate(n, 30, recipe.rate, 3, "linear") for n in range(30)]


def test_what_is_kept_is_the_average_of_the_weights(tmp_path):
    averaged, plain = LineRecipe(ema=10), LineRecipe(ema=0)
    learners = [Learner(recipe, None, OneProcess("cpu")) for recipe in (averaged, plain)]
    for _ in range(3):
        for learner in learners:
            torch.manual_seed(0)
            learner.take_step()
    assert torch.equal(learners[0].model[1].weight, learners[1].model[1].weight)
    assert not torch.equal(learners[0].kept_model[1].weight, learners[0].model[1].weight)
    assert learners[1].kept_model is learners[1].model


@dataclass(frozen=True, slots=True)
class Worsening(LineRecipe):
    """Gets worse with every evaluation after step 6."""

    evaluate_every: int = 2

    def evaluate(self, model, data):
        return Assessment({"merit": self._merits.pop(0)}, "merit")

    _merits = [0.1, 0.2, 0.9, 0.3, 0.2, 0.8, 0.7, 0.6]  # noqa: RUF012 - a fresh list by a test


def test_the_best_checkpoint_is_kept_and_patience_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(Worsening, "_merits", [0.1, 0.2, 0.9, 0.3, 0.2, 0.8, 0.7])
    result = run_in(tmp_path, Worsening(patience=3))
    assert (result.best_step, result.best.values, result.step) == (6, {"merit": 0.9}, 12)
    assert result.over
    best, last = (load_checkpoint(tmp_path / name, "line") for name in ("best", "last"))
    assert (best.metrics, last.metrics["step"]) == ({"step": 6, "merit": 0.9}, 12)
    assert not same(best.weights, last.weights)
    again = run_in(tmp_path, Worsening(patience=3), resume=True)
    assert (again.step, again.over, again.best_step) == (12, True, 6)


def test_the_log_has_a_line_a_step_and_no_step_twice(tmp_path):
    run_in(tmp_path, LineRecipe(steps=12, evaluate_every=4))
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    learned = [entry for entry in entries if "loss" in entry]
    assert [entry["step"] for entry in learned] == list(range(1, 13))
    assert all(e["loss"] == pytest.approx(sum(e["terms"].values())) for e in learned)
    assert [entry["step"] for entry in entries if "evaluation" in entry] == [4, 8, 12]
    assert all(a["seconds"] <= b["seconds"] for a, b in pairwise(entries))


def test_the_curve_is_a_page_of_plots(tmp_path):
    pytest.importorskip("jinja2")
    pytest.importorskip("plotly")
    run_in(tmp_path, LineRecipe(steps=12, evaluate_every=4))
    page = (tmp_path / "curve.html").read_text()
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    loss, merit = data["charts"]
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    learned = [entry["loss"] for entry in entries if "loss" in entry]
    assert loss["traces"][0]["name"] == "loss"
    assert loss["traces"][0]["y"] == pytest.approx(learned)
    assert loss["traces"][0]["x"] == list(range(1, 13))
    assert all(trace["x"] == [4, 8, 12] for trace in merit["traces"])
    assert "step 12" in page


def test_without_plotly_a_run_has_no_page(tmp_path, monkeypatch):
    monkeypatch.setattr("mot_dinov3.training.curve.find_missing_packages", lambda: ["plotly"])
    run_in(tmp_path, LineRecipe(steps=2))
    assert (tmp_path / "log.jsonl").exists()
    assert not (tmp_path / "curve.html").exists()


def test_a_run_that_diverges_ends_with_one_sentence_and_keeps_its_last_state(tmp_path):
    with pytest.raises(ModelError, match="not a number any more at step 13") as caught:
        run_in(tmp_path, LineRecipe(nan_at=12, checkpoint_every=5))
    assert "\n" not in caught.value.what
    assert all(np.isfinite(v).all() for v in weights_in(tmp_path / "last").values())
    assert load_checkpoint(tmp_path / "last", "line").metrics == {"step": 10}


def test_a_diverged_step_is_seen_before_it_is_stored_also_between_two_log_lines(tmp_path):
    with pytest.raises(ModelError, match="diverged"):
        run_in(tmp_path, LineRecipe(nan_at=12, checkpoint_every=5, log_every=40))
    assert load_checkpoint(tmp_path / "last", "line").metrics == {"step": 10}


def test_a_folder_with_another_recipes_run_is_refused(tmp_path):
    run_in(tmp_path, LineRecipe(steps=2))
    with pytest.raises(UsageError, match=r"holds a run of 'line', not of 'curve'\."):
        run_in(tmp_path, LineRecipe(steps=2, kind_name="curve"), resume=True)


def test_a_run_is_never_begun_over_another(tmp_path):
    run_in(tmp_path, LineRecipe(steps=2))
    with pytest.raises(UsageError, match="holds a run already") as caught:
        run_in(tmp_path, LineRecipe(steps=2))
    assert "--resume" in caught.value.fix


def test_other_settings_are_refused_by_the_name_of_their_flag(tmp_path):
    run_in(tmp_path, LineRecipe(steps=2))
    with pytest.raises(UsageError, match=r"begun with --size 8, not 9\."):
        run_in(tmp_path, LineRecipe(steps=2, size=9), resume=True)


def test_a_damaged_state_is_refused_in_a_sentence(tmp_path):
    run_in(tmp_path, LineRecipe(steps=2))
    state = tmp_path / "state.pt"
    state.write_bytes(state.read_bytes()[:100])
    with pytest.raises(InputError, match="is damaged"):
        run_in(tmp_path, LineRecipe(steps=2), resume=True)


def test_a_state_whose_optimizer_had_other_parts_is_refused_in_a_sentence(tmp_path):
    run_in(tmp_path, LineRecipe(steps=2))
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    (optimizer,) = state["optimizers"].values()
    optimizer["param_groups"].append(optimizer["param_groups"][0])
    torch.save(state, tmp_path / "state.pt")
    with pytest.raises(InputError, match="is of another version of this program"):
        run_in(tmp_path, LineRecipe(steps=2), resume=True)


def test_what_a_killed_run_was_writing_is_cleared_away(tmp_path):
    run_in(tmp_path, LineRecipe(steps=2))
    (tmp_path / "best.partial").mkdir()
    (tmp_path / "state.partial.pt").touch()
    run_in(tmp_path, LineRecipe(steps=2), resume=True)
    assert not list(tmp_path.glob("*.partial*"))


def test_a_recipe_without_an_evaluation_keeps_its_last_weights(tmp_path):
    @dataclass(frozen=True, slots=True)
    class Blind(LineRecipe):
        def evaluate(self, model, data):
            return None

    result = run_in(tmp_path, Blind())
    assert result.best is None
    assert same(weights_in(tmp_path / "best"), weights_in(tmp_path / "last"))


def test_every_optimizer_has_its_turn_and_changes_only_its_own(tmp_path):
    @dataclass(frozen=True, slots=True)
    class TwoTurns(LineRecipe):
        def optimizers(self, model):
            slope, offset = model[1].weight, model[1].bias
            return {
                "slope": torch.optim.SGD([slope], lr=0.1),
                "offset": torch.optim.SGD([offset], lr=0.0),
            }

        def loss(self, model, batch, turn):
            return {turn: ((model(batch["x"]) - batch["y"]) ** 2).mean()}

    learner = Learner(TwoTurns(), None, OneProcess("cpu"))
    before = {k: v.clone() for k, v in learner.model.state_dict().items()}
    learner.take_step()
    after = learner.model.state_dict()
    assert not torch.equal(after["1.weight"], before["1.weight"])
    assert torch.equal(after["1.bias"], before["1.bias"])
    assert set(learner.summarise()["terms"]) == {"slope", "offset"}


def test_settings_that_make_no_sense_name_their_flag():
    with pytest.raises(UsageError, match="--checkpoint-every must be at least 1"):
        LineRecipe(checkpoint_every=0)
    with pytest.raises(UsageError, match="--clip must be at least 0"):
        LineRecipe(clip=-1.0)


def test_short_numbers_are_off_on_a_cpu_unless_it_computes_with_them(monkeypatch):
    from mot_dinov3.training import precision

    for able, expected in ((True, torch.bfloat16), (False, None)):
        monkeypatch.setattr(precision, "has_bf16", lambda able=able: able)
        assert precision.choose_dtype("bf16", "cpu") is expected
        assert precision.choose_dtype("auto", "cpu") is None
    with pytest.raises(UsageError, match="--amp fp16 needs a GPU"):
        precision.choose_dtype("fp16", "cpu")


def test_short_numbers_change_the_forward_pass_alone(monkeypatch):
    from mot_dinov3.training import precision

    monkeypatch.setattr(precision, "has_bf16", lambda: True)
    learner = Learner(LineRecipe(amp="bf16"), None, OneProcess("cpu"))
    learner.take_step()
    assert all(p.dtype == torch.float32 for p in learner.model.parameters())
    assert learner.summarise()["loss"] > 0


def test_signals_are_the_business_of_the_caller(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    run_in(tmp_path, LineRecipe(steps=2))
    assert signal.getsignal(signal.SIGTERM) is before
