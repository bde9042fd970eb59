"""What is said while a run goes on: a bar on a terminal, a line each 5 s elsewhere."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Self

from mot_dinov3.outputs.summary import format_summary
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.values import FrameResult
from mot_dinov3.values.run_facts import RunFacts

LINE_EVERY_S = 5.0


class Terminal:
    """Shows how a job goes on standard error, and its summary; silent when asked to be."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet

    def watch(self, total: int) -> Progress:
        """A bar or lines while the job goes on."""
        return Progress(total, quiet=self.quiet)

    def on_page(self, url: str) -> None:
        """Where the page is, said once and nowhere else: whoever knows it is let in."""
        print(f"watch it at {url}", file=sys.stderr, flush=True)

    def on_summary(self, facts: RunFacts) -> None:
        """The summary."""
        if not self.quiet:
            print(format_summary(facts), file=sys.stderr)


class Progress:
    """Shows frames, ETA, FPS and the scheduler's state; silent when asked to be."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        """Args: total frames expected, 0 if unknown; quiet shows nothing."""
        self.total = total
        self.quiet = quiet
        self.live = sys.stderr.isatty()
        self._started = self._said = 0.0
        self._bar = None

    def __enter__(self) -> Self:
        if self.live and not self.quiet:
            from tqdm import tqdm

            self._bar = tqdm(total=self.total or None, unit="frame", dynamic_ncols=True)
        return self

    def __exit__(self, *problem: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, result: FrameResult, statistics: RunStatistics) -> None:
        """Tell of one more frame."""
        if self.quiet:
            return
        if statistics.frames == 1:  # loading and warming up are over: now the speed counts
            self._started = self._said = perf_counter()
        if self._bar is not None:
            self._bar.update()
            self._bar.set_postfix_str(state_of(result, statistics), refresh=False)
        elif perf_counter() - self._said >= LINE_EVERY_S:
            self._said = perf_counter()
            print(self._line(result, statistics), file=sys.stderr, flush=True)

    def _line(self, result: FrameResult, statistics: RunStatistics) -> str:
        fps = statistics.frames / max(perf_counter() - self._started, 1e-9)
        of_total, eta = "", ""
        if self.total:
            of_total = f"/{self.total}"
            eta = f", ETA {max(0, self.total - statistics.frames) / fps:.0f} s"
        state = state_of(result, statistics)
        return f"frame {statistics.frames}{of_total}, {fps:.1f} FPS{eta}, {state}"


def state_of(result: FrameResult, statistics: RunStatistics) -> str:
    """`trk / emb / budget / backlog` of the latest frame."""
    embed = result.embed
    budget = f"{embed.embed_ms:.0f}/{embed.budget_ms:g}ms" if embed.budget_ms else "-"
    visible = int((result.tracks.detection >= 0).sum())
    return f"trk {visible} emb {embed.computed} budget {budget} backlog {statistics.backlog}"
