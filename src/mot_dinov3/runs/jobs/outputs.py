"""What a job will write, and whether it can."""

from __future__ import annotations

from collections.abc import Mapping
from os.path import realpath
from pathlib import Path

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.write.paths import (
    check_output,
    check_output_directory,
    refuse_special,
    require_other,
)
from mot_dinov3.outputs.report.page import require_packages
from mot_dinov3.outputs.sinks.factory import list_sink_orders
from mot_dinov3.systems.factory import system_class


def check_outputs(config: TrackConfig, source_path: Path | None) -> None:
    """Refuse outputs that cannot be written, before any model is loaded.

    Args:
        config: all stages.
        source_path: the file that is tracked, None where it is not a file.

    Raises:
        MotError: it names the flag.
    """
    out = config.output
    if not (out.no_video or out.output):
        raise UsageError("--output is empty.", fix="Name a file, or give --no-video.")
    orders = list_sink_orders(out)
    directories = {order.flag for order in orders if order.kind.is_directory}
    files = {flag: name for flag, name in out.places.items() if flag not in directories}
    for order in orders:
        order.kind.check(order.path, config)
    _check_files(files, config, source_path)
    if out.report:
        require_packages()
    require_appearance(config)
    for flag in directories:
        _check_directory(flag, out.places)


def check_output_names(config: TrackConfig) -> None:
    """Refuse names of outputs that no system takes, before any of them is looked for.

    Raises:
        UsageError: it names the flag.
    """
    for flag, name in config.output.places.items():
        if "\0" in name:
            raise UsageError(f"{flag} '{name}' has a NUL in it.", fix=f"Give {flag} another name.")


def _check_files(files: Mapping[str, str], config: TrackConfig, source_path: Path | None) -> None:
    """Refuse files that are in the way of each other, or of what the job reads.

    Args:
        files: flag -> the file that it names.
        config: all stages.
        source_path: the file that is tracked, None where it is not a file.
    """
    flag_of: dict[Path, str] = {}
    gallery = config.identities.gallery
    inputs = [*system_class(config).list_input_files(config), *([Path(gallery)] if gallery else [])]
    for flag, name in files.items():
        path = Path(realpath(name))
        if path in flag_of:
            raise UsageError(
                f"{flag} and {flag_of[path]} name the same file '{name}'.", fix="Use two names."
            )
        flag_of[path] = flag
        if flag == "--output":
            refuse_special(Path(name))
        require_other(Path(name), inputs)
        check_output(Path(name), source_path, config.output.no_clobber)


def require_appearance(config: TrackConfig) -> None:
    """Refuse to relink or to write embeddings where no track's appearance is ever known.

    Raises:
        UsageError: nothing is embedded.
    """
    flag = system_class(config).find_missing_embeddings(config)
    if not flag:
        return
    for order in list_sink_orders(config.output):
        if order.kind.needs_embeddings:
            raise UsageError(
                f"{order.flag} has nothing to write with {flag}.", fix="Leave out one of them."
            )
    wanted = {"--relink": config.relink.relink, "--gallery": config.identities.gallery}
    for name in [name for name, given in wanted.items() if given]:
        raise UsageError(
            f"{name} compares the appearance of tracks, and with {flag} none is known.",
            fix="Leave out one of them.",
        )


def _check_directory(flag: str, places: Mapping[str, str]) -> None:
    """Refuse an output directory that is not a place of its own.

    Args:
        flag: of the directory.
        places: flag -> place of every output.

    Raises:
        UsageError: another output is in its way.
        OutputError: the directory holds something already, or cannot be made.
    """
    name = places[flag]
    place = Path(realpath(name))
    for other, other_name in places.items():
        path = Path(realpath(other_name))
        shared = path == place or place in path.parents or path in place.parents
        if other != flag and shared:
            raise UsageError(
                f"{other} is in the way of {flag}: '{name}' must hold nothing else.",
                fix="Put one of them elsewhere.",
            )
    check_output_directory(Path(name))
