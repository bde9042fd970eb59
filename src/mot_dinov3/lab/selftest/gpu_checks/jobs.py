"""Whole commands on the GPU: doctor, the tests that wait for one, benchmarks, and runs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import mot_dinov3
from mot_dinov3.data.synthetic.clip import draw_clip
from mot_dinov3.lab.selftest.cases import CannotRunError
from mot_dinov3.lab.selftest.gpu_checks.base import CheckOutcome, GpuBench
from mot_dinov3.lab.selftest.program import end, start, tail

OWN_TESTS = (
    *("runtime/test_device.py", "runtime/test_upload.py", "perception/backends/test_torch.py"),
    *("perception/features/test_device_crops.py", "perception/detectors/test_letterbox.py"),
    "io/write/test_encoders.py",
)
FRAMES, SEED = 120, 601
BUDGETS_MS = (2, 5, 10)
MOST_OVER = 0.01
"""Share of the frames that may take more than 1.1 times their budget."""
LEAST_SHARE = 0.8
VIT_B = 768
"""Width of a ViT-B."""
TOLD = ("fps", "latency_ms", "stages", "embeddings", "budget", "tracks", "encoder", "faults")


def check_device(bench: GpuBench) -> CheckOutcome:
    """The card, the build of torch, and what `doctor` says of both and of the encoders."""
    import torch

    figures: dict[str, Any] = {"torch": torch.__version__, "cuda": torch.version.cuda}
    if bench.on_cuda:
        about = torch.cuda.get_device_properties(bench.device)
        figures |= {"card": about.name, "capability": f"{about.major}.{about.minor}"}
        figures["gib"] = round(about.total_memory / 2**30, 1)
    ended = bench.run("doctor", "--json")
    for one in json.loads(ended.out)["checks"]:
        if one["status"] != "ok" or one["name"] in ("device", "codecs", "backend"):
            figures[one["name"]] = f"{one['status']}: {one['detail']}"
    return CheckOutcome(ended.code == 0, figures)


def check_own_tests(bench: GpuBench) -> CheckOutcome:
    """The tests that are marked `gpu`, in a checkout."""
    root = Path(mot_dinov3.__file__).parents[2]
    files = [root / "tests" / name for name in OWN_TESTS]
    if not all(file.is_file() for file in files):
        raise CannotRunError("this is not a checkout with its tests")
    words = ["-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", *map(str, files)]
    ended = end(start((sys.executable,), words, root), bench.limit_s(60.0))
    passed = re.search(r"(\d+) passed", ended.out)
    figures = {"code": ended.code, "said": tail(ended.out, 120)}
    return CheckOutcome(ended.code == 0 and (passed is not None) == bench.on_cuda, figures)


def check_batches(bench: GpuBench) -> CheckOutcome:
    """Milliseconds a crop by batch size, with recorded batches and without."""
    bench.require_gpu()
    rows = bench_rows(bench, "batch", "--random-vits", "dinov3", "--rounds", 5)
    return CheckOutcome(True, rows)


def check_budgets(bench: GpuBench) -> CheckOutcome:
    """Refresh work stays within 2, 5 and 10 ms on the real clock."""
    bench.require_gpu()
    words = ("--random-vits", "dinov3", "--frames", 200, "--budgets", *BUDGETS_MS)
    rows = bench_rows(bench, "budget", *words)
    kept = [row["over_share"] <= MOST_OVER for row in rows.values()]
    return CheckOutcome(all(kept) and len(kept) == len(BUDGETS_MS), rows)


def check_tax(bench: GpuBench) -> CheckOutcome:
    """The whole run reaches most of the speed of the detector alone."""
    bench.require_gpu()
    words = ("--source", prepare_clip(bench), "--det", "demo", "--random-vits", "dinov3")
    rows = bench_rows(bench, "tax", *words, "--rounds", 2)
    shares = [row["share"] for row in rows.values() if "share" in row]
    return CheckOutcome(bool(shares) and min(shares) >= LEAST_SHARE, rows)


def check_job(bench: GpuBench) -> CheckOutcome:
    """Whole runs: stage times of a ViT-S and a ViT-B, a video and none, and the same people."""
    here = ("--device", bench.device)
    vit_s = bench.save_vit("dinov3") if bench.on_cuda else "demo"
    exact = ("--device", "cpu", "--precision", "fp32", "--embed-model", "demo", "--no-video")
    runs: dict[str, tuple[object, ...]] = {
        "ViT-S": (*here, "--embed-model", vit_s, "--output", "a.mp4"),
        "ViT-S, no video": (*here, "--embed-model", vit_s, "--no-video"),
        "demo": (*here, "--embed-model", "demo", "--no-video"),
        "demo on the CPU": exact,
    }
    if bench.on_cuda:
        vit_b = bench.save_vit("dinov3", VIT_B)
        runs["ViT-B"] = (*here, "--embed-model", vit_b, "--output", "b.mp4")
    figures = {name: run_job(bench, words) for name, words in runs.items()}
    done = all("stages" in known for known in figures.values())
    people = [known.get("tracks", {}).get("confirmed", -1) for known in figures.values()]
    same = abs(people[2] - people[3]) <= max(3, people[3] // 10)
    return CheckOutcome(done and same, figures)


def run_job(bench: GpuBench, words: tuple[object, ...]) -> dict[str, Any]:
    """The figures of a run of the demo detector over the drawn street."""
    stats = bench.context.directory / "stats.json"
    stats.unlink(missing_ok=True)
    common = ("--source", prepare_clip(bench), "--det", "demo", "--embed-budget-ms", 20)
    ended = bench.run(*common, *words, "--stats-json", stats, "--quiet", most_s=45)
    if not stats.is_file():
        return {"code": ended.code, "said": tail(ended.err)}
    known = json.loads(stats.read_text())
    known["stages"] = {name: stage["mean_ms"] for name, stage in known["stages"].items()}
    models = {role: known[role].rpartition("/")[2] for role in ("detector", "embedder")}
    return {name: known[name] for name in TOLD if name in known} | models


def prepare_clip(bench: GpuBench) -> Path:
    """The video of the drawn street, drawn once."""
    path = bench.context.directory / "street.mp4"
    if not path.is_file():
        draw_clip(bench.context.directory, FRAMES if bench.on_cuda else 12, SEED)
    return path


def bench_rows(bench: GpuBench, name: str, *words: object) -> dict[str, dict[str, Any]]:
    """The rows of a benchmark by their labels.

    Raises:
        CannotRunError: it gave none.
    """
    file = bench.context.directory / f"{name}.json"
    ended = bench.run("bench", name, *words, "--device", bench.device, "--json", file, most_s=75)
    if not file.is_file():
        raise RuntimeError(f"bench {name} ended with code {ended.code}: {tail(ended.err)}")
    rows = json.loads(file.read_text())["benchmarks"][name]["rows"]
    return {row.pop("label"): row for row in rows}
