"""What a job will write, and whether it can."""

from __future__ import annotations

from pathlib import Path

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.encoders import format_of
from mot_dinov3.io.paths import check_output


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
        check_output(Path(name), source_path, config.output.no_clobber)


def output_files(config: TrackConfig) -> dict[str, str]:
    """Flag -> file of everything that a run will write."""
    out = config.output
    files = {
        "--output": "" if out.no_video else out.output,
        "--save-mot": out.save_mot,
        "--save-jsonl": out.save_jsonl,
        "--save-trace": out.save_trace,
        "--save-csv": out.save_csv,
        "--stats-json": out.stats_json,
    }
    return {flag: name for flag, name in files.items() if name}
