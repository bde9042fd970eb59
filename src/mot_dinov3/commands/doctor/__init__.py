"""`doctor`: proves on this machine that everything a run needs is there and works."""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version

from mot_dinov3.commands.doctor import checks, devices, places
from mot_dinov3.commands.doctor.checks import Check, attempt
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.errors import EXIT_BUG, EXIT_OK
from mot_dinov3.runtime.compat import load_environment
from mot_dinov3.wording import usage_name

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

DESCRIPTION = """Prove that torch, codecs, models, disks and the hub work on this machine. Exit
code 0 when nothing failed (notes are fine), 1 otherwise."""

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
    if args.json:
        print(json.dumps(as_json(found)))
    else:
        print(f"Failed: {', '.join(failed)}." if failed else "Everything a run needs works.")
    return EXIT_BUG if failed else EXIT_OK


def print_check(name: str, check: Check) -> None:
    """One line for a check; the remedy below it unless all is well."""
    width = max(map(len, CHECKS))
    print(f"{check.status:4}  {name:{width}}  {check.detail}", flush=True)
    if check.remedy and check.status != "ok":
        print(f"{'':{width + 6}}  -> {check.remedy}", flush=True)


def as_json(found: Mapping[str, Check]) -> dict[str, object]:
    """The findings with stable names: `ok`, `checks` (in order) and `versions`."""
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
