"""The table of measures; a row says what has to hold in every case."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mot_dinov3.registry import Registry

if TYPE_CHECKING:
    from mot_dinov3.lab.selftest.base import Measure

MEASURES = Registry(
    "measure",
    {
        "faults": (
            "mot_dinov3.lab.selftest.faults:measure_faults",
            "every fault has its exit code, a sentence and a remedy, and nothing is lost",
        ),
        "kills": (
            "mot_dinov3.lab.selftest.kills:measure_kills",
            "killed: the video plays, at most 15 frames are lost, no final name is half written",
        ),
        "disk-full": (
            "mot_dinov3.lab.selftest.disk_full:measure_full_disks",
            "a disk that fills up: exit code 5, a sentence, and the tracks are kept",
        ),
        "signals": (
            "mot_dinov3.lab.selftest.signals:measure_signals",
            "SIGINT and SIGTERM: valid outputs, exit code 130 or 143, no traceback",
        ),
        "hub": (
            "mot_dinov3.lab.selftest.hub:measure_hub",
            "trouble at the hub: a sentence and a remedy, no matter and within 3 s when cached",
        ),
        "secrets": (
            "mot_dinov3.lab.selftest.secrets:measure_secrets",
            "planted tokens and passwords: none in any output, message or log",
        ),
        "videos": (
            "mot_dinov3.lab.selftest.mutated_videos:measure_mutated_videos",
            "10,000 damaged videos: read or refused in words, no crash, no hang, no exception",
        ),
        "hypotheses": (
            "mot_dinov3.lab.selftest.hypotheses:measure_properties",
            "boxes, plans, tracker, settings, parsers: 100,000 inputs break no property",
        ),
        "soak": (
            "mot_dinov3.lab.selftest.soak:measure_soak",
            "1,000,000 frames tracked, 20,000 piped: under 1 MB in 100,000, files and threads flat",
        ),
        "determinism": (
            "mot_dinov3.lab.selftest.determinism:measure_determinism",
            "a clip twice with a budget of crops, also under load: the same bytes",
        ),
        "malice": (
            "mot_dinov3.lab.selftest.malice:measure_malice",
            "files that want to do harm: nothing runs, nothing else is opened or called",
        ),
        "hostile": (
            "mot_dinov3.lab.selftest.hostile:measure_hostile",
            "strangers' files, names, directories and connections: no hang, no crash, no control",
        ),
        "gpu": (
            "mot_dinov3.lab.selftest.gpu:measure_gpu",
            "the GPU path on a real card: graphs, precision, memory, encoder, budgets, speed",
        ),
        "playback": (
            "mot_dinov3.lab.selftest.playback:measure_playback",
            "Chromium plays what is written: odd sizes, variable rates, rotated, killed",
        ),
    },
)


def create_measure(name: str) -> Measure:
    """Load the measure behind a word of the command line."""
    return cast("Measure", MEASURES.load(name))
