"""The main job for many videos: lines while they are tracked, and a table at the end."""

from __future__ import annotations

from time import perf_counter

from mot_dinov3.commands.batch_display import BatchDisplay, CameraDisplay
from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import EXIT_OK
from mot_dinov3.io.write.atomic import write_text
from mot_dinov3.runs.batch.factory import create_pool, pool_kind
from mot_dinov3.runs.batch.run import choose_exit_code, run_batch
from mot_dinov3.runs.batch.table import CAMERAS, BatchEnd, to_csv, to_json
from mot_dinov3.runs.batch.tasks import create_tasks
from mot_dinov3.runs.jobs.resuming import remove_end_mark
from mot_dinov3.runtime.compat import load_environment

TABLES = {"--batch-json": to_json, "--batch-csv": to_csv}
"""Flag -> what makes the text of its file."""


def track_all(config: TrackConfig) -> int:
    """Track every video that the flags name; the exit code stands for all of them.

    Raises:
        MotError: nothing could be begun, or the table cannot be written.
    """
    load_environment()
    tasks = create_tasks(config)
    pool, kind = create_pool(config, tasks), pool_kind(config, tasks)
    build = CameraDisplay if kind == CAMERAS else BatchDisplay
    display = build(len(tasks), quiet=config.talk.quiet)
    started_s = perf_counter()
    with display:
        outcomes = run_batch(tasks, pool, display)
    wall_s = perf_counter() - started_s
    end = BatchEnd(outcomes, choose_exit_code(outcomes), wall_s, kind)
    display.show_table(end)
    if end.exit_code == EXIT_OK and not config.resume.resume:
        for task in tasks:
            remove_end_mark(task.config)
    for flag, place in config.batch.tables.items():
        write_text(place, TABLES[flag](end))
    return end.exit_code
