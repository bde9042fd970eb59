"""Models by name from a hub in trouble: said in words at once, and no matter once cached."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from mot_dinov3.errors import EXIT_MODEL, EXIT_OK
from mot_dinov3.lab.selftest import fake_hub
from mot_dinov3.lab.selftest.base import Bench, Outcome
from mot_dinov3.lab.selftest.cases import BrokenPromiseError, Case, expect, run_cases
from mot_dinov3.lab.selftest.fake_hub import FakeHub, running_hub
from mot_dinov3.lab.selftest.program import (
    Ended,
    Surroundings,
    expect_code,
    expect_explained,
    run,
    tail,
)
from mot_dinov3.lab.selftest.scenes import Scene, draw_scene
from mot_dinov3.perception.assets import demo_embedder_path

MODEL = "acme/vit"
TOKEN = "hf_" + "Secret" * 5
FRAMES = 3
CACHE = "cached"
CACHED_S = 3.0
"""A run of a few frames with a cached model takes no longer, whatever the hub does: of a processor,
as it must ask nobody, and other work on the machine is not its fault."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One state of the hub.

    Attributes:
        name: of the case.
        says: a regular expression for the sentence and the remedy, when the model is not cached.
        bring: puts the hub, which offers the directory of a whole model, into that state.
        variables: of the program.
    """

    name: str
    says: str
    bring: Callable[[FakeHub, Path], None]
    variables: dict[str, str] = field(default_factory=dict)


def gate(message: str) -> Callable[[FakeHub, Path], None]:
    """The model is behind a gate."""
    return lambda hub, model: hub.gate(MODEL, message)


def answer(status: int, message: str = "", code: str = "") -> Callable[[FakeHub, Path], None]:
    """Every request gets one answer."""
    return lambda hub, model: hub.answer(MODEL, status, code, message)


def open_door(hub: FakeHub, model: Path) -> None:
    """The hub itself is well."""


def portal(hub: FakeHub, model: Path) -> None:
    """Somebody between here and the hub wants a login."""
    hub.portal = True


def refuse(hub: FakeHub, model: Path) -> None:
    """Nobody listens at the hub's address."""
    hub.stop()


def no_config(hub: FakeHub, model: Path) -> None:
    """The repository holds no model."""
    (model / "config.json").unlink()


def only_pickle(hub: FakeHub, model: Path) -> None:
    """The only weights are of the kind that runs code."""
    (model / "model.safetensors").rename(model / "pytorch_model.bin")


WITH_TOKEN = {"HF_TOKEN": TOKEN}
FREE = "--fallback-open"

TROUBLES = (
    Trouble("gated", f"(?s)no access token was found.*HF_TOKEN=.*{FREE}",
            gate(fake_hub.NOT_LISTED)),
    Trouble("not-listed", "has no access to it yet", gate(fake_hub.NOT_LISTED), WITH_TOKEN),
    Trouble("refused", "have refused your request", gate(fake_hub.REFUSED), WITH_TOKEN),
    Trouble("pending", "request for access is pending", gate(fake_hub.PENDING), WITH_TOKEN),
    Trouble("bad-token", "does not accept the access token",
            answer(401, "Invalid credentials in Authorization header"), WITH_TOKEN),
    Trouble("offline", "HF_HUB_OFFLINE forbids", open_door, {"HF_HUB_OFFLINE": "1"}),
    Trouble("unreachable", "cannot be reached", refuse),
    Trouble("too-many-requests", "(?s)HTTP 429.*Try again later", answer(429, "slow down")),
    Trouble("server-error", "(?s)HTTP 500.*Try again later", answer(500)),
    Trouble("captive-portal", "not an answer of Hugging Face", portal),
    Trouble("unknown", f"There is no model '{MODEL}'", answer(404, "", "RepoNotFound")),
    Trouble("no-config", r"no config\.json", no_config),
    Trouble("only-pickle", "no safetensors weights", only_pickle),
)  # fmt: skip


def hub(bench: Bench) -> Outcome:
    """Ask a hub in every kind of trouble for a model, without and with it in the cache."""
    scene = draw_scene(bench.directory / "scene", FRAMES)
    model = bench.directory / "model"
    shutil.copytree(demo_embedder_path(), model)
    with running_hub() as server:  # the first run fills the cache, and exports the network
        server.serve(MODEL, model)
        expect_well(run_with(bench, scene, bench.directory / CACHE, server.url, {}))
    check = partial(check_trouble, bench, scene)
    cases = [Case(item.name, partial(check, item)) for item in bench.some(TROUBLES)]
    # One after another: processor time is known of all children together.
    return run_cases(replace(bench, workers=1), cases)


def check_trouble(bench: Bench, scene: Scene, trouble: Trouble, directory: Path) -> None:
    """Run into one kind of trouble, without and with the model in the cache.

    Raises:
        BrokenPromiseError: no sentence, or a cached model is not used at once.
    """
    model = directory / "model"
    shutil.copytree(demo_embedder_path(), model)
    with running_hub() as server:
        server.serve(MODEL, model)
        trouble.bring(server, model)
        ended = run_with(bench, scene, directory / "empty", server.url, trouble.variables)
        expect_code(ended, EXIT_MODEL)
        expect_explained(ended, trouble.says)
        expect(TOKEN not in ended.out + ended.err, "the access token is shown")
        server.asked.clear()
        before_s = processor_s()
        expect_well(run_with(bench, scene, bench.directory / CACHE, server.url, trouble.variables))
        took_s = processor_s() - before_s
        expect(not server.asked, f"the hub was asked for a cached model: {server.asked}")
        expect(took_s < CACHED_S, f"the cached model took {took_s:.1f} s")


def processor_s() -> float:
    """Seconds that a processor worked for processes that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_with(
    bench: Bench, scene: Scene, home: Path, url: str, variables: Mapping[str, str]
) -> Ended:
    """Track a few frames with the hub's model and `home` as the place of its cache."""
    model = ("--det", f"mot:{scene.boxes}", "--embed-model", MODEL, "--device", "cpu")
    exports = ("--export-cache", bench.directory / "exports")
    words = ("--source", scene.video, *model, *exports, "--no-video", "--embed-all")
    around = {"HF_ENDPOINT": url, "HF_HUB_OFFLINE": "0", "HF_HOME": str(home)}
    return run(bench.program, words, bench.directory, Surroundings({**around, **variables}))


def expect_well(ended: Ended) -> None:
    """Go on only when a run tracked and embedded everything.

    Raises:
        BrokenPromiseError: it did not.
    """
    if ended.code != EXIT_OK:
        raise BrokenPromiseError(f"exit code {ended.code}, not 0: {tail(ended.err)}")
    expect(f"{FRAMES} frames in" in ended.err, f"no summary: {tail(ended.err)}")
