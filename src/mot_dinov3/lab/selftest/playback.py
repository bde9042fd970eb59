"""Videos that this package writes, played by a real browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

from mot_dinov3.lab.selftest.base import MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.browser import describe_missing, open_browser
from mot_dinov3.lab.selftest.cases import BrokenPromiseError, SelftestCase, expect, run_cases
from mot_dinov3.lab.selftest.clips import FPS, LOSSLESS, ClipKind, make_clip
from mot_dinov3.lab.selftest.moments import Moment, wait_for
from mot_dinov3.lab.selftest.program import end, expect_code, run, start
from mot_dinov3.lab.selftest.scenes import HEIGHT, WIDTH, draw_scene

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

FRAMES, LONG_FRAMES, KILLED_AT = 40, 1500, 120
LOOK = ("--det", "motion", "--embedder", "none", "--device", "cpu")
LEAST_SHARE = 0.9
"""Part of the length that must have been played; a killed run may lack more, see `kills`."""

PAGE = '<!DOCTYPE html><meta charset="utf-8"><video id="v" muted src="{}"></video>'
PLAY = """
const [rate, done] = arguments, v = document.getElementById("v");
const report = how => done({how: how, code: v.error ? v.error.code : 0,
  words: v.error ? v.error.message : "", at_s: v.currentTime, length_s: v.duration,
  width: v.videoWidth, height: v.videoHeight,
  shown: v.getVideoPlaybackQuality().totalVideoFrames});
v.addEventListener("ended", () => report("ended"));
v.addEventListener("error", () => report("error"));
setTimeout(() => report("time is up"), 20000);
v.playbackRate = rate;
if (v.error) report("error"); else v.play().catch(problem => report(String(problem)));
"""
RATE = 2.0


@dataclass(frozen=True, slots=True)
class Video:
    """What a browser is to play.

    Attributes:
        path: the file.
        size: width and height in pixels.
        length_s: the least it must last.
    """

    path: Path
    size: tuple[int, int]
    length_s: float


Make: TypeAlias = Callable[[MeasureContext, Path], Video]


def measure_playback(context: MeasureContext) -> MeasureResult:
    """Write videos of many kinds and play each to its end in Chromium."""
    if lacking := describe_missing():
        return MeasureResult(len(VIDEOS), skipped=lacking)
    chosen = [name for name in VIDEOS if context.only in ("", name)]
    lock = Lock()
    with open_browser() as browser:
        cases = [
            SelftestCase(name, partial(check_plays, context, browser, lock, VIDEOS[name]))
            for name in chosen
        ]
        return run_cases(context, cases)


def check_plays(
    context: MeasureContext, browser: Chrome, lock: Lock, make: Make, directory: Path
) -> None:
    """Make a video in an empty `directory` and play it.

    Raises:
        BrokenPromiseError: it cannot be made, or does not play to its end.
    """
    video = make(context, directory)
    page = directory / "page.html"
    page.write_text(PAGE.format(video.path.name), encoding="utf-8")
    with lock:
        browser.get(page.as_uri())
        played = browser.execute_async_script(PLAY, RATE)
    expect_played(video, played)


def expect_played(video: Video, played: dict[str, Any]) -> None:
    """Go on only when the browser showed the video to its end.

    Raises:
        BrokenPromiseError: it did not.
    """
    expect(not played["code"], f"MediaError {played['code']}: {played['words']}")
    expect(played["how"] == "ended", f"it did not end: {played['how']} at {played['at_s']:.2f} s")
    expect(
        played["at_s"] >= LEAST_SHARE * video.length_s,
        f"it ended after {played['at_s']:.2f} of {video.length_s:.2f} s",
    )
    expect(played["shown"] > 0, "no picture was shown")
    size = played["width"], played["height"]
    expect(size == video.size, f"it is {size[0]}x{size[1]}, not {video.size[0]}x{video.size[1]}")


def track_clip(
    name: str, kind: ClipKind, size: tuple[int, int] = (160, 120), shown: tuple[int, int] = (0, 0)
) -> Make:
    """Track a clip of that kind; the video is that of a whole run.

    Args:
        name: of the video.
        kind: how its source is coded.
        size: of the source as it is stored.
        shown: of the video, the same when left out.
    """

    def make(context: MeasureContext, directory: Path) -> Video:
        source = make_clip(directory / kind.name, kind, FRAMES, size)
        words = ["--source", source.name, *LOOK, "--output", name]
        expect_code(run(context.program, words, directory), 0)
        length_s = sum(kind.gap(index) for index in range(FRAMES)) / FPS
        return Video(directory / name, shown if any(shown) else size, length_s)

    return make


def kill_run(suffix: str) -> Make:
    """What is left of the video of a run that was killed."""

    def make(context: MeasureContext, directory: Path) -> Video:
        scene = draw_scene(directory / "scene", LONG_FRAMES)
        words = scene.words("--output", f"o{suffix}", "--save-jsonl", "o.jsonl")
        process = start(context.program, words, directory)
        caught = wait_for(Moment(KILLED_AT), process, directory / "o.partial.jsonl")
        process.kill()
        end(process)
        if not caught:
            raise BrokenPromiseError("the run ended before it could be killed")
        return Video(directory / f"o.partial{suffix}", (WIDTH, HEIGHT), KILLED_AT / 2 / FPS)

    return make


PLAIN = ClipKind("in.mp4")
TURNED = ClipKind("in.mp4", rotation=90)
JUMPY = ClipKind("in.mkv", gaps=(1, 1, 4, 1, 7, 2))
SOUND = ClipKind("in.mp4", sound="aac")
EXACT = ClipKind("in.mkv", codec=LOSSLESS)

VIDEOS: dict[str, Make] = {
    "normal": track_clip("o.mp4", PLAIN),
    "normal-webm": track_clip("o.webm", PLAIN),
    "normal-mov": track_clip("o.mov", PLAIN),
    "sound": track_clip("o.mp4", SOUND),
    "odd-size": track_clip("o.mp4", EXACT, (161, 121), shown=(162, 122)),
    "odd-size-webm": track_clip("o.webm", EXACT, (161, 121), shown=(162, 122)),
    "tiny": track_clip("o.mp4", PLAIN, (16, 16)),
    "variable-rate": track_clip("o.mp4", JUMPY),
    "variable-rate-webm": track_clip("o.webm", JUMPY),
    "rotated": track_clip("o.mp4", TURNED, shown=(120, 160)),
    "killed": kill_run(".mp4"),
    "killed-webm": kill_run(".webm"),
}
"""Every kind of video that has to play."""
