"""The one table of flags that need another one, or do nothing beside it; a new pair is a row here.

docs/reference/needs.md shows it, and a test tries every pair on the command line.
"""

from __future__ import annotations

from collections.abc import Callable

from mot_dinov3.config.needs.base import Need, Situation
from mot_dinov3.config.tracking.inputs import NO_EMBEDDER, OF_DETECTOR
from mot_dinov3.config.tracking.outputs import BESIDE, VIDEO
from mot_dinov3.config.tracking.scheduler import RULE_POLICY
from mot_dinov3.config.tracking.search import AUTO
from mot_dinov3.config.tracking.tracker import END_TO_END, TrackerConfig


def _embedder(*names: str) -> Callable[[Situation], bool]:
    return lambda now: now.config.embedder.embedder in names


def _no_embedder_but(*names: str) -> Callable[[Situation], bool]:
    return lambda now: now.config.embedder.embedder not in (*names, NO_EMBEDDER)


def _policy(*names: str) -> Callable[[Situation], bool]:
    return lambda now: now.config.scheduler.embed_policy.partition(":")[0] in names


def _nothing_waits(*names: str) -> Callable[[Situation], bool]:
    return lambda now: _policy(*names)(now) and not now.config.scheduler.hard_budget


def _video_is_unnamed(now: Situation) -> bool:
    """Whether nothing takes its name from that of the video, or stands beside it."""
    named = VIDEO in now.config.output.sinks or now.config.output.report == BESIDE
    return now.config.output.no_video and not (named or now.config.resume.resume)


BUDGETS = ("--embed-budget-ms", "--embed-budget-crops")
RULES = ("--embed-refresh", "--embed-iou-gate", "--embed-overlap-thr")
NOTHING_EMBEDDED = "nothing is embedded"
NOTHING_WAITS = "a budget bounds what may wait, and nothing may; --embed-hard-budget bounds all"

VIDEO_NEEDS = (
    Need(("--output",), "--no-video", "it names the video", _video_is_unnamed),
    Need(
        ("--fps",),
        "--no-video",
        "it is the rate of the written video",
        lambda now: VIDEO not in now.config.output.sinks,
        refused=False,
    ),
    Need(
        ("--hud", "--draw-lost", "--line-thickness", "--font-scale", "--style", "--labels",
         "--trails"),
        "--no-video",
        "nothing is drawn",
        lambda now: not now.draws,
        refused=False,
    ),
    Need(
        ("--blur",),
        "--no-video",
        "no picture is shown anywhere",
        lambda now: not (now.draws or now.config.output.report),
        refused=False,
    ),
    Need(
        ("--save-crops",),
        "--blur",
        "it writes the pictures of people that are hidden",
        lambda now: now.config.draw.blurs,
        says="--save-crops writes the pictures of people that --blur hides.",
        fix="Leave out one of them.",
    ),
    Need(
        ("--start-frame", "--end-frame", "--max-frames", "--vid-stride", "--fps"),
        "sound of the source",
        "it does not fit the pictures any more, so the video has none",
        None,
        refused=False,
    ),
)  # fmt: skip
EMBEDDER_NEEDS = (
    Need(
        ("--embed-all", *BUDGETS, "--target-fps", "--embed-model", "--save-embeddings",
         "--relink", "--gallery"),
        "--embedder",
        NOTHING_EMBEDDED,
        _embedder(NO_EMBEDDER),
        words="--embedder none",
    ),
    Need(
        ("--embed-policy", *RULES, "--embed-amp", "--dinov3", "--fallback-open", "--crop-pad",
         "--crop-square", "--dense-size", "--appearance-weight", "--adaptive-appearance",
         "--reid-similarity", "--reid-window", "--arbitrate", "--save-trace"),
        "--embedder",
        NOTHING_EMBEDDED,
        _embedder(NO_EMBEDDER),
        refused=False,
        words="--embedder none",
    ),
    Need(
        ("--dinov3",),
        "--embed-model",
        "that names the model",
        lambda now: bool(now.config.embedder.embed_model),
        words="--embed-model demo",
    ),
    Need(
        ("--dinov3", "--fallback-open"),
        "--embedder",
        "the embedders dino and dense read it",
        _no_embedder_but("dino", "dense"),
        refused=False,
        words="--embedder clip",
    ),
    Need(
        ("--dense-size",),
        "--embedder",
        "the embedder dense reads it",
        _no_embedder_but("dense"),
        refused=False,
        words="--embedder clip",
    ),
    Need(
        ("--crop-pad", "--crop-square"),
        "--embedder",
        "boxes are described in the whole picture, so there are no crops",
        _embedder("dense", *OF_DETECTOR),
        refused=False,
        words="--embedder dense",
    ),
    Need(
        ("--cheap-weight",),
        "no --cheap-evidence",
        "it is the weight of that evidence",
        lambda now: not now.config.cheap.wanted,
    ),
    Need(
        ("--export-cache",),
        "--backend",
        "nothing is exported",
        lambda now: now.config.device.backend == "torch",
        refused=False,
        words="--backend torch",
    ),
    Need(("--cpu",), "--device", "they name two devices", None, words="--device cuda"),
)  # fmt: skip
SCHEDULER_NEEDS = (
    Need(
        (*BUDGETS, "--target-fps", "--save-embeddings", "--relink", "--gallery"),
        "--embed-policy",
        NOTHING_EMBEDDED,
        _policy("never"),
        words="--embed-policy never",
    ),
    Need(BUDGETS, "--embed-all", NOTHING_WAITS, lambda now: now.config.scheduler.embed_all
         and not now.config.scheduler.hard_budget),
    Need(
        BUDGETS,
        "--embed-policy",
        NOTHING_WAITS,
        _nothing_waits("always", "fast-strongsort"),
        words="--embed-policy always",
    ),
    Need(
        ("--embed-all",),
        "--embed-policy",
        "it means --embed-policy always",
        None,
        words="--embed-policy interval:5",
    ),
    Need(BUDGETS, "--target-fps", "both are a budget", None, words="--target-fps 25"),
    Need(("--embed-hard-budget",), "no --embed-budget-ms", "it has no budget to enforce", None),
    Need(
        RULES,
        "--embed-policy",
        f"the policy {RULE_POLICY} reads it",
        None,
        refused=False,
        words="--embed-policy value",
    ),
)  # fmt: skip
TRACKER_NEEDS = (
    Need(
        ("--box", "--pick", "--frame"),
        "--system",
        "the system single reads it",
        lambda now: now.config.tracker.system == TrackerConfig().system,
        words="--system modular",
        fix="Use the command follow, or leave it out.",
    ),
    Need(
        ("--model",), "--system", "an end-to-end tracker reads it",
        lambda now: now.config.tracker.system == TrackerConfig().system, words="--system modular",
        fix="Give a detector with --det, or add --tracker samba-motr.",
    ),
    Need(
        ("--low-conf",),
        "--conf",
        "a detection that starts a track must be able to continue one",
        lambda now: now.config.detector.low_conf > now.config.detector.conf,
        words="--conf 0.05",
        says="--low-conf is above --conf, so detections would start tracks and not continue them.",
        fix="Give --low-conf at most the value of --conf; the same value does without weak ones.",
    ),
    Need(("--momentum-span",), "no --momentum", "it is the time over which that is measured",
         lambda now: not now.config.association.momentum),
    Need(
        ("--box-growth-limit",),
        "--box-growth",
        "boxes do not grow",
        lambda now: not (now.config.association.growth or now.config.association.growth_per_s),
        refused=False,
        words="--box-growth 0 --box-growth-rate 0",
    ),
    Need(("--relink-similarity", "--relink-gap", "--relink-speed"), "no --relink",
         "identities are not merged", lambda now: not now.config.relink.relink),
    Need(
        ("--gallery-gate", "--gallery-margin", "--gallery-known"),
        "no --gallery",
        "no identities are known",
        lambda now: not now.config.identities.gallery,
    ),
    Need(
        ("--relink",),
        "--gallery",
        "a gallery merges the identities of the run, too",
        lambda now: bool(now.config.identities.gallery),
        words="--gallery people.npz",
    ),
)  # fmt: skip
SEARCH_NEEDS = (
    Need(("--det-max",), f"no --det-every {AUTO}", "it bounds how long that waits",
         lambda now: now.config.search.det_every != AUTO),
    Need(("--rescue-max", "--rescue-budget-ms"), "no --rescue", "no track is rescued",
         lambda now: not now.config.search.rescue),
    Need(("--searcher", "--save-searched"), "no --det-every or --rescue", "nothing is searched",
         lambda now: not now.config.search.wanted,
         fix="Add --det-every FRAMES or --rescue, or leave it out."),
)  # fmt: skip
RUN_NEEDS = (
    Need(
        ("--count-point", "--count-after", "--save-events"),
        "no --line",
        "tracks are counted at lines and zones alone",
        lambda now: not now.config.count.wanted,
        fix="Add --line NAME=x1,y1,x2,y2 or --zone NAME=x1,y1,..., or leave it out.",
    ),
    Need(
        ("--crops-of", "--crops-per-id"),
        "no --save-crops",
        "no pictures are written",
        lambda now: "crops" not in now.config.output.sinks,
    ),
    Need(("--resume",), "--no-journal", "it reads the run journal", None),
    Need(
        ("--det", "--embedder", "--embed-model", "--embed-policy", "--motion", "--cheap-evidence",
         *BUDGETS),
        "--system", "one network finds and follows, and nothing is embedded",
        lambda now: now.config.tracker.system == END_TO_END,
        refused=False, words=f"--system {END_TO_END}",
    ),
    Need(
        ("--reconnect", "--read-timeout", "--no-drop"),
        "--source",
        "only cameras and streams drop out",
        lambda now: not now.live,
        refused=False,
        words="--source video.mp4",
    ),
    Need(
        ("--worker-cores",),
        "no --workers",
        "no workers are started",
        lambda now: not (now.config.batch.workers or now.config.batch.ray),
    ),
    Need(
        ("--verbose",),
        "--quiet",
        "one prints more, the other one nothing",
        lambda now: now.config.talk.quiet,
        says="--verbose prints more and --quiet nothing, so they contradict each other.",
        fix="Keep one of them.",
    ),
)  # fmt: skip

NEEDS: tuple[Need, ...] = (
    *VIDEO_NEEDS,
    *EMBEDDER_NEEDS,
    *SCHEDULER_NEEDS,
    *TRACKER_NEEDS,
    *SEARCH_NEEDS,
    *RUN_NEEDS,
)
