"""Runs that are killed at random: what is on the disk afterwards must be of use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mot_dinov3.errors import EXIT_OK
from mot_dinov3.lab.selftest.base import MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.cases import BrokenPromiseError, SelftestCase, expect, run_cases
from mot_dinov3.lab.selftest.leftovers import (
    count_frames,
    count_playing_frames,
    find_unfinished,
    read_records,
)
from mot_dinov3.lab.selftest.moments import (
    Moment,
    choose_finishing_moment,
    choose_running_moment,
    choose_starting_moment,
    wait_for,
)
from mot_dinov3.lab.selftest.outputs import OLD, expect_whole, is_new, outputs_of, words_for
from mot_dinov3.lab.selftest.program import end, expect_code, run, start, tail
from mot_dinov3.lab.selftest.scenes import SelftestScene, draw_scene

KILLS = 200
FRAMES = 300
START_S = 1.0
PLAYS_AFTER, MOST_LOST = 20, 15
"""From so many frames on a killed video plays, and misses at most so many of them."""
RESUMED = 0.25
RATES = (12, 25, 60)
VIDEOS = ("o.mp4", "o.mp4", "o.mp4", "o.mkv", "o.webm", "o.mov")


@dataclass(frozen=True, slots=True)
class Kill:
    """One killed run.

    Attributes:
        moment: when it is killed.
        fps: frame rate of its clip.
        video: its output.
        words: more of its command line.
        old: whether there was a result under each of the names before.
        resumed: whether the same command goes on afterwards.
    """

    moment: Moment
    fps: int
    video: str
    words: tuple[str, ...]
    old: bool
    resumed: bool


def measure_kills(context: MeasureContext) -> MeasureResult:
    """Kill runs at random points, most of them while frames are tracked."""
    scenes = {fps: draw_scene(context.directory / f"scene-{fps}", FRAMES, fps) for fps in RATES}
    names = [f"{number:03d}" for number in range(context.count_cases(KILLS))]
    return run_cases(
        context, [SelftestCase(name, partial(check_kill, context, scenes)) for name in names]
    )


def choose_kill(context: MeasureContext, name: str) -> Kill:
    """Choose the random kill of a case."""
    rng = context.create_rng(f"kill {name}")
    kinds = [lambda: choose_running_moment(rng, FRAMES)] * 8
    kinds += [
        lambda: choose_starting_moment(rng, START_S),
        lambda: choose_finishing_moment(rng, FRAMES),
    ]
    moment = kinds[rng.integers(len(kinds))]()
    words = ("--no-overlap",) if rng.random() < 0.3 else ()
    fps = int(rng.choice(RATES))
    video = str(rng.choice(VIDEOS))
    return Kill(moment, fps, video, words, rng.random() < 0.5, rng.random() < RESUMED)


def check_kill(
    context: MeasureContext, scenes: Mapping[int, SelftestScene], directory: Path
) -> None:
    """Kill a run and look at what it left.

    Raises:
        BrokenPromiseError: a final name is half written, more than promised is lost, or the same
            command with `--resume` does not bring the whole.
    """
    kill = choose_kill(context, directory.name)
    outputs = outputs_of(kill.video)
    for name in outputs.values() if kill.old else ():
        (directory / name).write_bytes(OLD)
    words = scenes[kill.fps].words(*words_for(outputs), *kill.words)
    process = start(context.program, words, directory)
    alive = wait_for(kill.moment, process, directory / "o.partial.jsonl")
    process.kill()
    ended = end(process)
    expect(alive or ended.code == 0, f"it ended with {ended.code} before: {tail(ended.err)}")
    try:
        for name in outputs.values():
            if is_new(directory / name):
                expect_whole(directory / name, FRAMES)
        expect_of_use(directory, kill.video)
        if kill.resumed:
            again = run(context.program, [*words, "--resume"], directory)
            expect_code(again, EXIT_OK)
            for name in outputs.values():
                expect_whole(directory / name, FRAMES)
    except BrokenPromiseError as error:
        how = " ".join((f"{kill.fps} fps", kill.video, *kill.words))
        raise BrokenPromiseError(f"{error} (killed {kill.moment}, {how})") from error


def expect_of_use(directory: Path, video: str) -> None:
    """Go on only when frame log and video of a killed run hold what was promised.

    Raises:
        BrokenPromiseError: the frame log is torn, or the video lacks too much of it.
    """
    left = {path.suffix: path for path in find_unfinished(directory)}
    frame_log, suffix = left.get(".jsonl"), Path(video).suffix
    if frame_log is None or suffix not in left:
        return
    frames = count_frames(read_records(frame_log, broken=1))
    plays = count_playing_frames(left[suffix])
    lost = frames - plays
    expect(frames <= PLAYS_AFTER or plays, f"{left[suffix].name} of {frames} frames does not play")
    expect(
        frames <= PLAYS_AFTER or lost <= MOST_LOST,
        f"{lost} of {frames} frames are not in {left[suffix].name}",
    )
