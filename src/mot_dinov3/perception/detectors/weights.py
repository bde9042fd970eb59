"""Finds, fetches and checks the weights file of an Ultralytics detector before it is loaded."""

from __future__ import annotations

import contextlib
import re
import socket
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Collection
from pathlib import Path

from mot_dinov3.errors import DeviceError, ModelError, MotError, nearest, reason_of
from mot_dinov3.perception.backends.problems import lacks_memory
from mot_dinov3.perception.detectors.factory import DETECTORS, ULTRALYTICS, detector_kind
from mot_dinov3.runtime.compat import cache_dir
from mot_dinov3.runtime.git_lfs import refuse_pointer
from mot_dinov3.runtime.opening import open_regular
from mot_dinov3.wording import program

HOST = "https://github.com"
PROBE_S = 6.0
NO_WEIGHTS = "Or run without weights: --det motion --embed-model demo"
ZIP, PICKLE = b"PK", b"\x80\x02"
EXPORTS = {".onnx", ".torchscript", ".engine", ".tflite", ".pb", ".mnn", ".mlpackage", ".xml"}


def weights_dir() -> Path:
    """Where fetched weights are kept."""
    return cache_dir() / "weights"


def find_weights(det: str) -> Path:
    """Find the file or export directory that `--det` means; fetch it where it is official.

    A path that exists comes first, then a weights file fetched earlier, then the network.

    Raises:
        ModelError: there is no such file, it cannot be fetched, or it is not a weights file.
    """
    given = Path(det).expanduser()
    if given.exists():
        return check_weights(given)
    if kept := _find_fetched(det):
        return check_weights(kept)
    official = _official_names()
    name = det if det in official else f"{det}.pt"
    if name not in official:
        raise _missing(det, official)
    return check_weights(_fetch(name, weights_dir() / name))


def _find_fetched(det: str) -> Path | None:
    """The file under that name that was fetched earlier; needs no list of official names."""
    if not det or Path(det).name != det:
        return None
    files = (weights_dir() / name for name in (det, f"{det}.pt"))
    return next((path for path in files if path.suffix == ".pt" and path.is_file()), None)


def check_weights(path: Path) -> Path:
    """Return `path` if it can be a detector at all, judged by its name and first bytes.

    Raises:
        ModelError: it is a description without weights, a text, a broken archive, or unreadable.
    """
    if path.is_dir() and (path.name.endswith("_model") or path.suffix in EXPORTS):
        return path
    refuse_pointer(path, ModelError)
    if problem := _wrong_kind(path) or _wrong_bytes(path):
        raise _not_weights(path, problem)
    return path


def _wrong_kind(path: Path) -> str:
    if path.is_dir():
        return "is a directory"
    if path.suffix in (".yaml", ".yml"):
        return "describes a network but holds no weights"
    if path.suffix == ".txt":
        return "is a text; stored detections are given as --det mot:FILE"
    if path.suffix != ".pt" and path.suffix not in EXPORTS:
        return "is not of a kind that Ultralytics loads"
    return ""


def _wrong_bytes(path: Path) -> str:
    try:
        with open_regular(path) as file:
            magic = file.read(2)
    except OSError as error:
        return f"cannot be read ({reason_of(error)})"
    if not magic:
        return "is empty"
    if path.suffix != ".pt":
        return ""
    if magic == ZIP and not zipfile.is_zipfile(path):
        return "is cut off or damaged"
    return "" if magic in (ZIP, PICKLE) else "is not a PyTorch file"


def load_problem(path: Path, error: Exception) -> ModelError:
    """Explain why weights cannot be loaded: hidden code, or damage."""
    chain: BaseException | None = error
    while chain is not None:
        if found := re.search(r"GLOBAL (\S+) (?:was not|whose)|unsafe (\S+)", str(chain)):
            return ModelError(
                f"'{path}' holds code ({found[1] or found[2]}) and is refused: "
                "loading it would run it.",
                fix="Use weights that Ultralytics saved, or an export such as ONNX.",
            )
        chain = chain.__cause__ or chain.__context__
    if "references types outside" in str(error):
        return _not_weights(path, "is damaged, or not a checkpoint of Ultralytics")
    return _not_weights(path, f"cannot be loaded: {first_line(error)}")


def device_problem(error: Exception, device: str) -> MotError | None:
    """Explain an error that a device caused; None for another one."""
    text = str(error)
    if lacks_memory(error):
        return DeviceError(
            f"{device} ran out of memory while detecting.",
            fix="Try --precision fp16, a smaller --imgsz, a smaller model, or --device cpu.",
        )
    if "Invalid CUDA" in text or "CUDA error" in text or "no NVIDIA driver" in text:
        return DeviceError(
            f"The detector cannot use {device}: {text.strip().splitlines()[0][:160]}",
            fix=f"Use --device cpu, or run: {program()} doctor",
        )
    return None


def first_line(error: BaseException) -> str:
    """The first line of another package's message, without decoration or full stop."""
    lines = str(error).removeprefix("ERROR").lstrip("\u274c\ufe0f ").strip().splitlines()
    return lines[0][:160].rstrip(".") if lines else "no reason was given"


def _not_weights(path: Path, why: str) -> ModelError:
    return ModelError(
        f"The detector '{path}' {why}.",
        fix=f"Give --det a .pt file of Ultralytics or an export of it. {NO_WEIGHTS}",
    )


def _missing(det: str, official: Collection[str]) -> ModelError:
    if "://" in det:
        return ModelError(
            "--det takes a file or an official name, not an address.",
            fix="Download the weights first, then give --det the file.",
        )
    near = _near(det, official)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return ModelError(
        f"The detector '{det}' is neither a file here nor an official Ultralytics name.",
        fix="Give --det a .pt file, a name such as yolov8n.pt, or one of: "
        f"{', '.join(_other_detectors().values())}.{hint}",
    )


def _near(det: str, official: Collection[str]) -> list[str]:
    """Names similar to a misspelt one; none for a path."""
    others = _other_detectors()
    kind, colon, _ = det.partition(":")
    if colon:
        return [others[name] for name in nearest(kind, list(others)) if ":" in others[name]]
    if Path(det).name != det:
        return []
    named = nearest(det if det.endswith(".pt") else f"{det}.pt", sorted(official))
    return [others[name] for name in nearest(det, list(others))] or named


def _other_detectors() -> dict[str, str]:
    """Name -> how it is written, of every entry of the table that is not an Ultralytics model."""
    names = [name for name in DETECTORS if name != ULTRALYTICS]
    needed = {name: detector_kind(name).argument for name in names}
    return {name: f"{name}:{argument}" if argument else name for name, argument in needed.items()}


def _official_names() -> Collection[str]:
    from ultralytics.utils.downloads import GITHUB_ASSETS_NAMES

    names: Collection[str] = GITHUB_ASSETS_NAMES
    return {name for name in names if name.endswith(".pt")}


def _fetch(name: str, target: Path) -> Path:
    """Download official weights; one try, and a short probe first so that it fails at once."""
    from ultralytics.utils.downloads import attempt_download_asset

    try:
        _probe()
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.redirect_stdout(sys.stderr):
            attempt_download_asset(target, progress=sys.stderr.isatty(), retry=1)
    except (OSError, MemoryError, urllib.error.URLError) as error:
        raise _not_fetched(name, _reason(error)) from error
    if not target.exists():
        raise _not_fetched(name, "the download brought nothing")
    return target


def _probe() -> None:
    """Raise `OSError` within seconds where the host of official weights is out of reach."""
    request = urllib.request.Request(HOST, method="HEAD")
    with (
        contextlib.suppress(urllib.error.HTTPError),
        urllib.request.urlopen(request, timeout=PROBE_S),
    ):
        pass


def _reason(error: BaseException) -> str:
    inner = getattr(error, "reason", error)
    no_name = isinstance(inner, socket.gaierror)
    return "no network" if no_name or not isinstance(inner, Exception) else first_line(inner)


def _not_fetched(name: str, why: str) -> ModelError:
    return ModelError(
        f"The detector '{name}' is not on this machine and cannot be downloaded ({why}).",
        fix=f"Give a local file with --det. {NO_WEIGHTS}",
    )
