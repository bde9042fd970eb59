"""The bench command: words, flags, refusals, and the JSON line that ends it."""

from __future__ import annotations

import json
import subprocess

import pytest

from mot_dinov3.commands import bench, main
from mot_dinov3.lab.benchmarks import help_time, simulated
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.factory import BENCHMARKS, ON_REQUEST, create_benchmark
from mot_dinov3.lab.benchmarks.own_program import build_own_command
from mot_dinov3.lab.recordings.clip import ClipPlayer
from mot_dinov3.perception.pretrained import quiet_transformers
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    """A tiny transformer with random weights, as a directory."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.Dinov2Config(
        num_hidden_layers=1, num_attention_heads=2, hidden_size=16, image_size=28
    )
    path = tmp_path_factory.mktemp("vit")
    with quiet_transformers():
        transformers.Dinov2Model(config).save_pretrained(path)
    return str(path)


def settings(tmp_path, *words):
    return bench.build_settings(bench.parser().parse_args(list(words)), tmp_path)


def test_every_benchmark_can_be_loaded():
    for name in BENCHMARKS:
        assert callable(create_benchmark(name))


def test_words_choose_and_keep_the_order_of_the_table():
    assert bench.choose_benchmarks(["memory", "budget"]) == ["budget", "memory"]
    short = [name for name in BENCHMARKS if name not in ON_REQUEST]
    assert bench.choose_benchmarks([]) == bench.choose_benchmarks(["all", "budget"]) == short


def test_settings_follow_the_flags(tmp_path):
    made = settings(tmp_path, "budget", "--budgets", "50", "100", "--rounds", "3", "--frames", "7",
                    "--random-vits", "dinov3", "--embed-refresh", "9")  # fmt: skip
    assert made.budgets_ms == (50.0, 100.0)
    assert (made.rounds, made.frames, made.random_vits) == (3, 7, "dinov3")
    assert made.config.scheduler.refresh_every == 9


def test_the_demo_model_embeds_unless_another_is_named(tmp_path):
    assert settings(tmp_path).config.embedder.embed_model == "demo"
    named = settings(tmp_path, "--embedder", "onnx", "--embed-model", "m.onnx")
    assert named.config.embedder.embed_model == "m.onnx"
    older = settings(tmp_path, "--dinov3", "some/model").config.embedder
    assert (older.dinov3, older.embed_model) == ("some/model", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["asociation"], "Did you mean association?"),
        (["--rounds", "0"], "must be positive"),
        (["--budgets", "0"], "must be positive"),
        (["--frames", "-1"], "must be positive"),
        (["--embed-all"], "does not take --embed-all"),
        (["--cmc", "flow"], "no pictures for --cmc flow"),
        (["--embed-budget-ms", "5"], "does not take --embed-budget-ms"),
        (["--embedder", "none"], "nothing to embed"),
        (["--random-vits", "dinov9"], "invalid choice"),
    ],
)
def test_refusals_are_a_sentence(words, said, capsys):
    assert main(["bench", *words]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_the_last_line_is_json_with_machine_and_bars(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(simulated, "FRAMES", 300)
    file = tmp_path / "bench.json"
    assert main(["bench", "simulated", "--json", str(file)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    document = json.loads(last)
    assert {"cpu", "cores", "versions"} <= set(document["machine"])
    assert document["settings"]["config"]["embed_refresh"] == 5
    rows = document["benchmarks"]["simulated"]["rows"]
    assert len(rows) == 16
    assert all(row["bar"]["met"] for row in rows)
    assert json.loads(file.read_text()) == document


def test_without_a_source_the_street_is_tracked_through_the_real_loop(tmp_path):
    shared = BenchmarkContext(settings(tmp_path, "--frames", "12"))
    assert len(shared.recorded) == 12
    assert shared.recorded.per_frame > 0
    report = create_benchmark("overhead")(shared)
    labels = [row.label for row in report.rows]
    stages = ["read", "track", "draw", "write", "encode"]
    assert labels == [*stages, "loop", "loop + encode", "all threads"]
    assert all(row.figures["frames"] == 7 for row in report.rows[:-1])
    assert report.rows[-1].figures["processor_ms"] > 0


def test_the_budget_benchmark_embeds_real_crops(tmp_path, vit):
    words = ("--frames", "6", "--budgets", "1", "400", "--embed-model", vit)
    report = create_benchmark("budget")(BenchmarkContext(settings(tmp_path, *words)))
    tight, loose = (row.figures for row in report.rows)
    assert tight["frames"] == loose["frames"] == 6
    assert loose["fitted"] == 6
    assert loose["crops"] > 0
    assert loose["deferred"] == 0


def test_the_saving_benchmark_compares_both_policies(tmp_path, vit):
    words = ("--frames", "10", "--embed-model", vit)
    report = create_benchmark("saving")(BenchmarkContext(settings(tmp_path, *words)))
    everything, scheduled = (row.figures for row in report.rows)
    assert 0 < scheduled["crops"] < everything["crops"]
    assert scheduled["saved_percent"] > 0
    assert 0 < scheduled["agreement_percent"] <= 100


def test_a_random_vit_s_has_its_shape(tmp_path):
    embedder = BenchmarkContext(
        settings(tmp_path, "--random-vits", "dinov2", "--cpu", "--frames", "1")
    ).embedder
    assert embedder.dim == 384
    assert "224" in embedder.title


def test_assemble_without_embedder_embeds_nothing(tmp_path):
    shared = BenchmarkContext(settings(tmp_path, "--frames", "3"))
    tracker = assemble(shared.config, Models(ClipPlayer(shared.recorded)))
    assert all(tracker.step(frame).embed.computed == 0 for frame in shared.recorded.black_frames())


def test_help_is_asked_for_by_the_real_command():
    done = subprocess.run(build_own_command("--help"), capture_output=True, text=True, check=True)
    assert "--source" in done.stdout
    assert help_time.time_command(build_own_command("--help")) > 0


def test_what_cannot_run_does_not_lose_the_rest(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(simulated, "FRAMES", 300)
    words = ["bench", "tax", "simulated", "--source", str(tmp_path / "no.mp4")]
    assert main(words) == 0
    reports = json.loads(capsys.readouterr().out.splitlines()[-1])["benchmarks"]
    assert "does not exist" in reports["tax"]["rows"][0]["skipped"]
    assert len(reports["simulated"]["rows"]) == 16
    assert main(["bench", "tax", *words[3:]]) == 3
    assert "does not exist" in capsys.readouterr().err
