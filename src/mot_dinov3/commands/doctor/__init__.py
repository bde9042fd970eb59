"""`doctor`: proves on this machine that everything a run needs is there and works."""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

from mot_dinov3.commands.doctor import checks, devices, places
from mot_dinov3.commands.doctor.checks import Check, attempt
from mot_dinov3.commands.doctor.places import Download, find_missing
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.errors import EXIT_BUG, EXIT_OK
from mot_dinov3.runtime.compat import load_environment
from mot_dinov3.wording import program, usage_name

CHECKS: dict[str, Callable[[], Check]] = {
    "torch": devices.check_torch_pair,
    "device": devices.check_devices,
    "codecs": checks.check_codecs,
    "opencv": checks.check_opencv,
    "transformers": checks.check_transformers,
    "ultralytics": checks.check_ultralytics,
    "openvino": checks.check_openvino,
    "onnxruntime": checks.check_onnxruntime,
    "backend": checks.check_automatic_choice,
    "demo models": places.check_demo_models,
    "weights": places.check_default_weights,
    "hub": places.check_hub,
    "outputs": places.check_output_place,
    "cache": places.check_cache_place,
}
"""Name -> check, in the order they are run and shown."""

DEFAULT_RUN = "video.mp4"
NEEDS = {
    "demo": ("torch", "device", "codecs", "demo models", "outputs"),
    f"{DEFAULT_RUN} --det motion --embed-model demo": (
        *("torch", "device", "codecs", "opencv", "demo models", "outputs"),
    ),
    DEFAULT_RUN: ("torch", "device", "codecs", "transformers", "ultralytics", "outputs"),
}
"""Words behind the program -> the checks that must not fail for them."""

DESCRIPTION = """Prove that torch, codecs, models, disks and the hub work on this machine, and
say what works without a download and what the first run fetches. Exit code 0 when nothing failed
(notes are fine), 1 otherwise."""

PACKAGES = (
    "mot-dinov3",
    "torch",
    "torchvision",
    "transformers",
    "ultralytics",
    "huggingface_hub",
    "openvino",
    "onnxruntime",
    "numpy",
    "scipy",
    "lapx",
    "opencv-python",
    "av",
)


def parser() -> CommandParser:
    """The flags of `doctor`."""
    out = CommandParser(prog=usage_name("doctor"), description=DESCRIPTION)
    out.add_argument("--json", action="store_true", help="print one JSON object instead")
    return out


def run(args: argparse.Namespace) -> int:
    """Run every check and say what was found.

    Returns:
        0 when no check failed, 1 otherwise.
    """
    load_environment()
    found: dict[str, Check] = {}
    for name, check in CHECKS.items():
        with contextlib.redirect_stdout(sys.stderr):
            found[name] = attempt(check)
        if not args.json:
            print_check(name, found[name])
    failed = [name for name, check in found.items() if check.status == "fail"]
    downloads = find_missing()
    if args.json:
        print(json.dumps(as_json(found, downloads)))
    else:
        print(f"Failed: {', '.join(failed)}." if failed else "Everything a run needs works.")
        for line in describe_next(found, downloads):
            print(line)
    return EXIT_BUG if failed else EXIT_OK


def list_working(found: Mapping[str, Check], downloads: Sequence[Download]) -> list[str]:
    """The commands that work now without any download, by the checks that they need."""
    return [
        f"{program()} {command}"
        for command, needs in NEEDS.items()
        if all(found[name].status != "fail" for name in needs if name in found)
        and (command != DEFAULT_RUN or not downloads)
    ]


def describe_next(found: Mapping[str, Check], downloads: Sequence[Download]) -> list[str]:
    """What works now, and what the first run with default flags fetches."""
    working = list_working(found, downloads)
    lines = ["Works now, without a download:", *(f"  {one}" for one in working)] if working else []
    if downloads:
        lines += ["The first run with default flags fetches:"]
        lines += [f"  {one.describe()}" for one in downloads]
    return lines


def print_check(name: str, check: Check) -> None:
    """One line for a check; the remedy below it unless all is well."""
    width = max(map(len, CHECKS))
    print(f"{check.status:4}  {name:{width}}  {check.detail}", flush=True)
    if check.remedy and check.status != "ok":
        print(f"{'':{width + 6}}  -> {check.remedy}", flush=True)


def as_json(found: Mapping[str, Check], downloads: Sequence[Download]) -> dict[str, object]:
    """The findings: `ok`, `checks` (in order), `works`, `fetches` and `versions`."""
    return {
        "ok": all(check.status != "fail" for check in found.values()),
        "checks": [
            {
                "name": name,
                "status": check.status,
                "detail": check.detail,
                "remedy": check.remedy,
            }
            for name, check in found.items()
        ],
        "works": list_working(found, downloads),
        "fetches": [
            {"name": one.name, "megabytes": one.megabytes, "place": str(one.place)}
            for one in downloads
        ],
        "versions": {"python": platform.python_version(), **installed_versions()},
    }


def installed_versions() -> dict[str, str | None]:
    """The version of each package that decides how a run goes, None where it is missing."""
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions
