"""The main job as a function: models, loop, outputs, figures. It prints nothing itself."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import EXIT_OK
from mot_dinov3.io.read.sources import SourceInfo, count_selected
from mot_dinov3.runs.identities.run import open_gallery
from mot_dinov3.runs.jobs.base import JobObserver, JobResult, SilentObserver
from mot_dinov3.runs.jobs.counting import check_counting
from mot_dinov3.runs.jobs.ending import choose_exit_code, finish_job, list_written
from mot_dinov3.runs.jobs.outputs import check_output_names, check_outputs
from mot_dinov3.runs.jobs.parts import create_parts
from mot_dinov3.runs.jobs.resuming import find_journal_place, open_journal, read_finished_run
from mot_dinov3.runs.jobs.views import Views
from mot_dinov3.runs.loop import RunSettings, StopRequest, run
from mot_dinov3.runs.session import open_frames, require_pixels
from mot_dinov3.runtime.compat import load_environment
from mot_dinov3.systems.base import LoadedSystem
from mot_dinov3.systems.factory import load_system

if TYPE_CHECKING:
    from mot_dinov3.outputs.serve.view import LiveView


def run_job(
    config: TrackConfig,
    system: LoadedSystem | None = None,
    observer: JobObserver | None = None,
    stop: StopRequest | None = None,
    view: LiveView | None = None,
) -> JobResult:
    """Track the configured source and write the configured outputs.

    Args:
        config: all stages.
        system: the system of `--system`, loaded for a configuration that differs in source and
            outputs alone; loaded here when left out.
        observer: is called while the job runs.
        stop: ends the job early, beside the signals.
        view: shows the job on a page that others have, too.

    Raises:
        MotError: nothing could be done, or the run broke off; then what was tracked before is
            written and summed up already.
    """
    observer = observer or SilentObserver()
    load_environment()
    check_output_names(config)
    stop = stop or StopRequest()
    with (
        Views(config, stop, view) as views,
        open_frames(config.source, config.live, stop.wanted) as reader,
        ExitStack() as stack,
    ):
        info = reader.info
        place = find_journal_place(config, info)
        if (finished := read_finished_run(config, place)) is not None:
            return JobResult(finished, EXIT_OK, [])
        check_outputs(config, info.path)
        require_pixels(config, info)
        check_counting(config.count, info)
        system = system or load_system(config)
        gallery = open_gallery(config, system, info.name)
        journal = stack.enter_context(open_journal(place, config, system, gallery))
        parts = create_parts(config, info, system, journal, stack, gallery)
        sinks = [*parts.sinks, *views.create_sinks(reader, system.names)]
        if views.url:
            observer.on_page(views.url)
        with stop.handle_signals():  # until all is written: a signal must not leave half of it
            with observer.watch(count_selected(config.source, info.frame_count)) as on_frame:
                on_frame = views.add_callback(on_frame)
                settings = create_settings(config, info, stop)
                outcome = run(reader, parts.stepped, sinks, parts.timer, on_frame, settings)
            facts = finish_job(config, parts, reader, outcome, stop, observer)
        code = choose_exit_code(outcome, reader)
        return JobResult(facts, code, list_written(config, outcome, parts.files))


def create_settings(config: TrackConfig, info: SourceInfo, stop: StopRequest) -> RunSettings:
    """How the loop runs; without pixels there is no work for a second thread."""
    return RunSettings(info.is_live, config.loop.overlap and info.has_pixels, stop)
