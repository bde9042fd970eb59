"""The main job as a function: models, loop, outputs, figures. It prints nothing itself."""

from __future__ import annotations

from contextlib import ExitStack

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import EXIT_OK
from mot_dinov3.io.read.sources import SourceInfo, count_selected
from mot_dinov3.runs.jobs.base import JobResult, Nobody, Onlooker
from mot_dinov3.runs.jobs.ending import conclude, ended, written
from mot_dinov3.runs.jobs.outputs import check_outputs
from mot_dinov3.runs.jobs.parts import make_parts
from mot_dinov3.runs.jobs.resuming import done_before, journal_of, journal_place
from mot_dinov3.runs.jobs.views import Views
from mot_dinov3.runs.loop import RunSettings, StopRequest, run
from mot_dinov3.runs.session import load_models, open_frames, require_pixels
from mot_dinov3.runtime.compat import load_environment
from mot_dinov3.systems.modular import Models


def run_job(
    config: TrackConfig, models: Models | None = None, onlooker: Onlooker | None = None
) -> JobResult:
    """Track the configured source and write the configured outputs.

    Args:
        config: all stages.
        models: loaded with the same stages `detector`, `device`, `embedder` and `cheap`; loaded
            here when left out.
        onlooker: told how it goes.

    Raises:
        MotError: nothing could be done, or the run broke off; then what was tracked before is
            written and summed up already.
    """
    onlooker = onlooker or Nobody()
    load_environment()
    stop = StopRequest()
    with (
        Views(config, stop) as views,
        open_frames(config.source, config.live, stop.wanted) as reader,
        ExitStack() as stack,
    ):
        info = reader.info
        place = journal_place(config, info)
        if (before := done_before(config, place)) is not None:
            return JobResult(before, EXIT_OK, [])
        check_outputs(config, info.path)
        require_pixels(config, info)
        models = models or load_models(config)
        journal = stack.enter_context(journal_of(place, config, models))
        parts = make_parts(config, info, models, journal, stack)
        sinks = [*parts.sinks, *views.sinks(reader, models.detector.names)]
        if views.url:
            onlooker.page_at(views.url)
        with stop.listening():  # until all is written, or a signal would leave half of it
            with onlooker.watch(count_selected(config.source, info.frame_count)) as tell:
                settings = settings_for(config, info, stop)
                outcome = run(reader, parts.runs, sinks, parts.timer, views.told(tell), settings)
            facts = conclude(config, parts, reader, outcome, stop, onlooker)
        return JobResult(facts, ended(outcome, reader), written(config, outcome, parts.files))


def settings_for(config: TrackConfig, info: SourceInfo, stop: StopRequest) -> RunSettings:
    """How the loop runs: without pixels there is nothing that a second thread could take over."""
    return RunSettings(info.is_live, config.loop.overlap and info.has_pixels, stop)
