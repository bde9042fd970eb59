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
from mot_dinov3.lab.selftest.base import MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.cases import BrokenPromiseError, SelftestCase, expect, run_cases
from mot_dinov3.lab.selftest.fake_hub import FakeHub, run_hub
from mot_dinov3.lab.selftest.program import (
    ProcessResult,
    ProcessSetup,
    expect_code,
    expect_explained,
    run,
    tail,
)
from mot_dinov3.lab.selftest.scenes import SelftestScene, draw_scene
from mot_dinov3.perception.assets import demo_embedder_path

MODEL = "acme/vit"
TOKEN = "hf_" + "Secret" * 5
FRAMES = 3
CACHE = "cached"
CACHED_S = 3.0
"""Processor time within which a run of a few frames with a cached model ends, hub or no hub.

It must not ask the hub; processor time, because other work on the machine does not count."""


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


def shut_gate(message: str) -> Callable[[FakeHub, Path], None]:
    """Put the model behind a gate."""
    return lambda hub, model: hub.gate(MODEL, message)


def give_answer(status: int, message: str = "", code: str = "") -> Callable[[FakeHub, Path], None]:
    """Answer every request in the same way."""
    return lambda hub, model: hub.answer(MODEL, status, code, message)


def stay_well(hub: FakeHub, model: Path) -> None:
    """Leave the hub as it is."""


def demand_login(hub: FakeHub, model: Path) -> None:
    """Answer with the page of a network that wants a login."""
    hub.portal = True


def stop_hub(hub: FakeHub, model: Path) -> None:
    """Stop the hub: nothing listens at its address."""
    hub.stop()


def remove_config(hub: FakeHub, model: Path) -> None:
    """Remove the configuration: the repository holds no model."""
    (model / "config.json").unlink()


def keep_only_pickle(hub: FakeHub, model: Path) -> None:
    """Leave only weights of the kind that can run code."""
    (model / "model.safetensors").rename(model / "pytorch_model.bin")


WITH_TOKEN = {"HF_TOKEN": TOKEN}
FREE = "--fallback-open"

TROUBLES = (
    Trouble(
        "gated", f"(?s)no access token was found.*HF_TOKEN=.*{FREE}", shut_gate(fake_hub.NOT_LISTED)
    ),
    Trouble("not-listed", "has no access to it yet", shut_gate(fake_hub.NOT_LISTED), WITH_TOKEN),
    Trouble("refused", "have refused your request", shut_gate(fake_hub.REFUSED), WITH_TOKEN),
    Trouble("pending", "request for access is pending", shut_gate(fake_hub.PENDING), WITH_TOKEN),
    Trouble(
        "bad-token",
        "does not accept the access token",
        give_answer(401, "Invalid credentials in Authorization header"),
        WITH_TOKEN,
    ),
    Trouble("offline", "HF_HUB_OFFLINE forbids", stay_well, {"HF_HUB_OFFLINE": "1"}),
    Trouble("unreachable", "cannot be reached", stop_hub),
    Trouble("too-many-requests", "(?s)HTTP 429.*Try again later", give_answer(429, "slow down")),
    Trouble("server-error", "(?s)HTTP 500.*Try again later", give_answer(500)),
    Trouble("captive-portal", "not an answer of Hugging Face", demand_login),
    Trouble("unknown", f"There is no model '{MODEL}'", give_answer(404, "", "RepoNotFound")),
    Trouble("no-config", r"no config\.json", remove_config),
    Trouble("only-pickle", "no safetensors weights", keep_only_pickle),
)


def measure_hub(context: MeasureContext) -> MeasureResult:
    """Ask a hub in every kind of trouble for a model, without and with it in the cache."""
    scene = draw_scene(context.directory / "scene", FRAMES)
    model = context.directory / "model"
    shutil.copytree(demo_embedder_path(), model)
    with run_hub() as server:  # the first run fills the cache, and exports the network
        server.serve(MODEL, model)
        expect_well(run_with(context, scene, context.directory / CACHE, server.url, {}))
    check = partial(check_trouble, context, scene)
    cases = [
        SelftestCase(item.name, partial(check, item)) for item in context.choose_cases(TROUBLES)
    ]
    # One after another: processor time is known of all children together.
    return run_cases(replace(context, workers=1), cases)


def check_trouble(
    context: MeasureContext, scene: SelftestScene, trouble: Trouble, directory: Path
) -> None:
    """Run into one kind of trouble, without and with the model in the cache.

    Raises:
        BrokenPromiseError: no sentence, or a cached model is not used at once.
    """
    model = directory / "model"
    shutil.copytree(demo_embedder_path(), model)
    with run_hub() as server:
        server.serve(MODEL, model)
        trouble.bring(server, model)
        ended = run_with(context, scene, directory / "empty", server.url, trouble.variables)
        expect_code(ended, EXIT_MODEL)
        expect_explained(ended, trouble.says)
        expect(TOKEN not in ended.out + ended.err, "the access token is shown")
        server.asked.clear()
        before_s = processor_s()
        expect_well(
            run_with(context, scene, context.directory / CACHE, server.url, trouble.variables)
        )
        took_s = processor_s() - before_s
        expect(not server.asked, f"the hub was asked for a cached model: {server.asked}")
        expect(took_s < CACHED_S, f"the cached model took {took_s:.1f} s")


def processor_s() -> float:
    """Seconds that a processor worked for processes that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_with(
    context: MeasureContext,
    scene: SelftestScene,
    home: Path,
    url: str,
    variables: Mapping[str, str],
) -> ProcessResult:
    """Track a few frames with the hub's model and `home` as the place of its cache."""
    model = ("--det", f"mot:{scene.boxes}", "--embed-model", MODEL, "--device", "cpu")
    exports = ("--export-cache", context.directory / "exports")
    words = ("--source", scene.video, *model, *exports, "--no-video", "--embed-all")
    around = {"HF_ENDPOINT": url, "HF_HUB_OFFLINE": "0", "HF_HOME": str(home)}
    return run(context.program, words, context.directory, ProcessSetup({**around, **variables}))


def expect_well(ended: ProcessResult) -> None:
    """Go on only when a run tracked and embedded everything.

    Raises:
        BrokenPromiseError: it did not.
    """
    if ended.code != EXIT_OK:
        raise BrokenPromiseError(f"exit code {ended.code}, not 0: {tail(ended.err)}")
    expect(f"{FRAMES} frames in" in ended.err, f"no summary: {tail(ended.err)}")
