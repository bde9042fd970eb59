"""What surrounds the software: the model hub, weights, and room on the disks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import numpy as np

from mot_dinov3.commands.doctor.checks import Check, describe_error
from mot_dinov3.config import DEFAULT_DINO, OPEN_DINO, DetectorConfig, EmbedderConfig, OutputConfig
from mot_dinov3.errors import MotError
from mot_dinov3.perception.hub.problems import describe_connection
from mot_dinov3.runtime.compat import cache_dir

HUB_TIMEOUT_S = 3.0
DET_MB, DINO_MB = 7, 343
"""Sizes of the default models: `yolov8n.pt`, and 85.7 million parameters of four bytes."""
LITTLE_GIB = 2.0
TOO_LITTLE_GIB = 0.1
NO_WEIGHTS = "Without any download: --det motion --embed-model demo"


def check_hub() -> Check:
    """The model hub answers, and whether a token is set; the token itself is never shown."""
    from huggingface_hub import HfApi, constants, get_token

    token = "a token is set" if get_token() else "no token is set"
    if constants.HF_HUB_OFFLINE:
        return Check("note", f"switched off by HF_HUB_OFFLINE; {token}")
    api = HfApi(token=False)
    problem = call_within(HUB_TIMEOUT_S, lambda: api.model_info(OPEN_DINO, timeout=HUB_TIMEOUT_S))
    if problem is not None:
        reason = describe_connection(problem)
        detail = f"not reachable ({reason}), only models that are here already work; {token}"
        return Check("note", detail, NO_WEIGHTS)
    if not get_token():
        return Check("note", "reachable; no token is set, gated models need one", "hf auth login")
    return Check("ok", f"reachable; {token}")


def call_within(seconds: float, call: Callable[[], object]) -> BaseException | None:
    """Run `call` and return what it raised, or a `TimeoutError` when it takes longer.

    A name look-up knows no timeout of its own, so the call runs in a thread that is left behind.
    """
    outcome: list[BaseException | None] = []

    def run() -> None:
        try:
            call()
        except Exception as error:
            outcome.append(error)
        else:
            outcome.append(None)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome[0] if outcome else TimeoutError(f"no answer within {seconds:g} s")


@dataclass(frozen=True, slots=True)
class Download:
    """What the first run with default flags fetches.

    Attributes:
        name: of the file or the repository.
        origin: the host that it comes from, and what it asks for.
        megabytes: about so many.
        place: where it is kept.
        here: it is there already.
    """

    name: str
    origin: str
    megabytes: int
    place: Path
    here: bool

    def describe(self) -> str:
        """The download in a few words."""
        size = f"about {self.megabytes} MB from {self.origin}"
        return f"{self.name} ({size}) into {self.place}"


def list_downloads() -> list[Download]:
    """The models that a run with default flags needs, asked of this machine alone."""
    from huggingface_hub import constants, try_to_load_from_cache

    from mot_dinov3.perception.detectors.weights import weights_dir

    det, dino = DetectorConfig().det, DEFAULT_DINO
    det_here = Path(det).exists() or (weights_dir() / det).exists()
    dino_here = isinstance(try_to_load_from_cache(dino, "model.safetensors"), str)
    hub = Path(constants.HF_HUB_CACHE)
    return [
        Download(det, "github.com", DET_MB, weights_dir(), det_here),
        Download(dino, "huggingface.co, with a token", DINO_MB, hub, dino_here),
    ]


def find_missing() -> list[Download]:
    """Those of `list_downloads` that are not here; none where that can't be told."""
    try:
        return [one for one in list_downloads() if not one.here]
    except Exception:  # the check of the weights says what is wrong
        return []


def check_default_weights() -> Check:
    """Whether a first run with default flags finds its detector and embedder on this machine."""
    models = list_downloads()
    here = [one.name for one in models if one.here]
    missing = [one.name for one in models if not one.here]
    words = [f"{' and '.join(here)} {'is' if len(here) == 1 else 'are'} here"] if here else []
    if not missing:
        return Check("ok", words[0])
    words.append(f"{' and '.join(missing)} not here yet, fetched by the first run")
    return Check("note", "; ".join(words), NO_WEIGHTS)


def check_demo_models() -> Check:
    """The two models inside the package load and run on an empty picture."""
    from mot_dinov3.perception.detectors.factory import create_detector
    from mot_dinov3.perception.features.base import Placement
    from mot_dinov3.perception.features.factory import create_embedder
    from mot_dinov3.values import Frame

    image = np.zeros((96, 160, 3), np.uint8)
    try:
        detector = create_detector(DetectorConfig(det="demo", imgsz=160), "cpu")
        embedder = create_embedder(EmbedderConfig(embed_model="demo"), Placement("cpu"))
    except MotError as error:
        return Check("fail", describe_error(error), "They are part of the project: fetch it again")
    detector.detect(Frame(0, 0.0, image))
    vector = embedder.embed(image, np.array([[10, 10, 50, 80]], np.float32))[0]
    if not np.isclose(np.linalg.norm(vector), 1.0, atol=1e-3):
        raise RuntimeError("the demo embedder does not give unit vectors")
    return Check("ok", f"{detector.title}; {embedder.title}")


def check_output_place() -> Check:
    """Results can be written where they go by default, and there is room for them."""
    place = Path(OutputConfig().output).parent
    existing = find_existing_parent(place)
    remedy = "Choose another place with --output, or change the directory's permissions"
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"doctor")
    except OSError as error:
        return Check("fail", f"{place}/ is not writable: {error.strerror or error}", remedy)
    return judge_room(f"{place}/ is writable", existing)


def check_cache_place() -> Check:
    """There is room for downloaded weights."""
    place = cache_dir()
    existing = find_existing_parent(place)
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError:
        return Check("note", f"{place} is not writable", "Set XDG_CACHE_HOME to another directory")
    return judge_room(str(place), existing)


def judge_room(label: str, place: Path) -> Check:
    """Judge the free space of the disk that holds `place`; `label` opens the line."""
    free = shutil.disk_usage(place).free / 2**30
    detail = f"{label}, {free:.1f} GiB free"
    remedy = "Make room on that disk"
    if free < TOO_LITTLE_GIB:
        return Check("fail", detail, remedy)
    return Check("note", detail, remedy) if free < LITTLE_GIB else Check("ok", detail)


def find_existing_parent(place: Path) -> Path:
    """`place` itself, or the nearest directory above it that exists."""
    place = place.absolute()
    return next(parent for parent in (place, *place.parents) if parent.exists())
