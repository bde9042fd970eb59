"""The table of commands; a new one is one file and one line here."""

from __future__ import annotations

from mot_dinov3.registry import Registry

DEFAULT_COMMAND = "track"
_HERE = "mot_dinov3.commands"

COMMANDS = Registry(
    "command",
    {
        DEFAULT_COMMAND: (f"{_HERE}.track", "track objects through a video (the default)"),
        "follow": (f"{_HERE}.follow", "follow one object, of any kind, through a video"),
        "demo": (
            f"{_HERE}.demo",
            "draw a street, track it, and score the tracks",
        ),
        "doctor": (f"{_HERE}.doctor", "check that everything works on this machine"),
        "eval": (f"{_HERE}.eval", "score tracks against a ground truth"),
        "report": (f"{_HERE}.report", "show one finished run or several as an HTML page"),
        "render": (f"{_HERE}.render", "draw the video of a finished run again"),
        "relink": (f"{_HERE}.relink", "merge identities that a finished run split"),
        "gallery": (f"{_HERE}.gallery", "show and name identities that outlive a run"),
        "cache": (f"{_HERE}.cache", "record detections and embeddings of a source"),
        "replay": (f"{_HERE}.replay", "compare policies and budgets on recordings"),
        "tune": (f"{_HERE}.tune", "search for better settings on recordings"),
        "synth": (f"{_HERE}.synth", "draw videos whose identities are known"),
        "bench": (f"{_HERE}.bench", "measure speed and memory on this machine"),
        "selftest": (f"{_HERE}.selftest", "break runs on purpose, and count what held"),
        "crops": (f"{_HERE}.crops", "cut tracklets out of videos to learn from"),
        "train": (f"{_HERE}.train", "train a model as a recipe says"),
        "export": (f"{_HERE}.export", "write a trained network as an ONNX file"),
        "sample": (f"{_HERE}.sample", "draw pictures with a trained generator"),
        "completion": (f"{_HERE}.completion", "print a script that completes words in a shell"),
    },
)
"""Command word -> module with `parser()` and `run(args) -> int`."""

RENAMED = {"train-demo": "train demo"}
"""Former command word -> the words that do the same now."""
