"""What is printed during a run: a bar on a terminal, a line every 5 s elsewhere."""

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
    """Shows how a job goes on standard error, and its summary; silent if `quiet`."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet

    def watch(self, total: int) -> ProgressBar:
        """Return a bar that shows how the job goes on."""
        return ProgressBar(total, quiet=self.quiet)

    def on_page(self, url: str) -> None:
        """Print the address of the page; it works as a password, so nothing else prints it."""
        print(f"watch it at {url}", file=sys.stderr, flush=True)

    def on_summary(self, facts: RunFacts) -> None:
        """Print the summary."""
        if not self.quiet:
            print(format_summary(facts), file=sys.stderr)


class ProgressBar:
    """Shows frames, ETA, FPS and the scheduler's state; silent if `quiet`."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        """Show nothing yet.

        Args:
            total: number of frames that are expected, 0 if it is unknown.
            quiet: whether nothing is shown at all.
        """
        self.total = total
        self.quiet = quiet
        self.live = sys.stderr.isatty()
        self._started_s = self._printed_s = 0.0
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
        """Count one more frame."""
        if self.quiet:
            return
        if statistics.frames == 1:  # loading and warming up are over: now the speed counts
            self._started_s = self._printed_s = perf_counter()
        if self._bar is not None:
            self._bar.update()
            self._bar.set_postfix_str(describe_state(result, statistics), refresh=False)
        elif perf_counter() - self._printed_s >= LINE_EVERY_S:
            self._printed_s = perf_counter()
            print(self._line(result, statistics), file=sys.stderr, flush=True)

    def _line(self, result: FrameResult, statistics: RunStatistics) -> str:
        fps = statistics.frames / max(perf_counter() - self._started_s, 1e-9)
        of_total, eta = "", ""
        if self.total:
            of_total = f"/{self.total}"
            eta = f", ETA {max(0, self.total - statistics.frames) / fps:.0f} s"
        state = describe_state(result, statistics)
        return f"frame {statistics.frames}{of_total}, {fps:.1f} FPS{eta}, {state}"


def describe_state(result: FrameResult, statistics: RunStatistics) -> str:
    """`trk / emb / budget / backlog` of the latest frame."""
    embed = result.embed
    budget = f"{embed.embed_ms:.0f}/{embed.budget_ms:.4g}ms" if embed.budget_ms else "-"
    visible = int(result.tracks.placed.sum())
    return f"trk {visible} emb {embed.computed} budget {budget} backlog {statistics.backlog}"


class PictureBar:
    """Shows how many pictures of a measurement are done."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._said_s = total, 0, perf_counter()
        self._bar = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=self._total, unit="picture", dynamic_ncols=True)
        return self

    def __exit__(self, *problem: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, more: int) -> None:
        """Count so many more pictures."""
        self._done += more
        if self._bar is not None:
            self._bar.update(more)
        elif perf_counter() - self._said_s >= LINE_EVERY_S:
            self._said_s = perf_counter()
            print(f"picture {self._done}/{self._total}", file=sys.stderr, flush=True)
