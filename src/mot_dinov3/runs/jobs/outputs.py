"""What a job will write, and whether it can."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mot_dinov3.config import OutputConfig, TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.paths import check_output, check_output_directory, require_other
from mot_dinov3.io.write.encoders import format_of
from mot_dinov3.outputs.report.page import require_packages
from mot_dinov3.perception.detectors.factory import named_files
from mot_dinov3.runs.session import NO_EMBEDDER


def check_outputs(config: TrackConfig, source_path: Path | None) -> None:
    """Refuse outputs that cannot be written, before any model is loaded."""
    if not config.output.no_video:
        if not config.output.output:
            raise UsageError("--output is empty.", fix="Name a file, or give --no-video.")
        format_of(Path(config.output.output))
    seen: dict[Path, str] = {}
    for flag, name in output_files(config).items():
        path = Path(name).resolve()
        if path in seen:
            raise UsageError(
                f"{flag} and {seen[path]} name the same file '{name}'.", fix="Use two names."
            )
        seen[path] = flag
        require_other(Path(name), other_inputs(config))
        check_output(Path(name), source_path, config.output.no_clobber)
    if config.output.report:
        require_packages()
    require_embedder(config)
    require_looks(config)
    if config.output.save_crops:
        check_crops(config.output, seen)


def other_inputs(config: TrackConfig) -> list[Path]:
    """What a job reads beside its source, as far as it names files."""
    model, camera = config.embedder.embed_model, config.motion.cmc
    others = [Path(name).expanduser() for name in (model, camera.removeprefix("file:")) if name]
    return [*named_files(config.detector.det), *others]


def require_embedder(config: TrackConfig) -> None:
    """Refuse outputs that hold embeddings where nothing is ever embedded."""
    out = config.output
    if config.embedder.embedder != NO_EMBEDDER:
        return
    if out.save_embeddings:
        raise UsageError(
            f"--save-embeddings has nothing to write with --embedder {NO_EMBEDDER}.",
            fix="Leave out one of them.",
        )
    if out.save_crops and out.crops_of == "embedded":
        raise UsageError(
            f"--save-crops has nothing to show with --embedder {NO_EMBEDDER}.",
            fix="Give --crops-of seen.",
        )


def require_looks(config: TrackConfig) -> None:
    """Refuse to relink where nobody's looks are ever known.

    Raises:
        UsageError: nothing is embedded.
    """
    never = config.scheduler.policy[0] == "never"
    if config.relink.relink and (never or config.embedder.embedder == NO_EMBEDDER):
        flag = "--embed-policy never" if never else f"--embedder {NO_EMBEDDER}"
        raise UsageError(f"--relink compares looks, and with {flag} nobody's are known.",
                         fix="Leave out one of them.")  # fmt: skip


def check_crops(out: OutputConfig, files: Mapping[Path, str]) -> None:
    """Refuse `--save-crops` where it has no place of its own.

    Args:
        out: all outputs.
        files: every other output -> its flag.

    Raises:
        UsageError: another output is in its way.
        OutputError: the directory holds something already, or cannot be made.
    """
    place = Path(out.save_crops).resolve()
    for path, flag in files.items():
        if path == place or place in path.parents or path in place.parents:
            raise UsageError(
                f"{flag} is in the way of --save-crops: '{out.save_crops}' must hold crops alone.",
                fix="Put one of them elsewhere.",
            )
    check_output_directory(Path(out.save_crops))


def output_files(config: TrackConfig) -> dict[str, str]:
    """Flag -> file of everything that a run will write."""
    out = config.output
    files = {
        "--output": "" if out.no_video else out.output,
        "--save-mot": out.save_mot,
        "--save-jsonl": out.save_jsonl,
        "--save-trace": out.save_trace,
        "--report": out.report_file,
        "--save-csv": out.save_csv,
        "--save-embeddings": out.save_embeddings,
        "--stats-json": out.stats_json,
    }
    return {flag: name for flag, name in files.items() if name}


def output_places(config: TrackConfig) -> dict[str, str]:
    """Flag -> file or directory of everything that a run will write."""
    crops = config.output.save_crops
    return output_files(config) | ({"--save-crops": crops} if crops else {})
