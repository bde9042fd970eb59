"""Devices that are missing, wrong or out of memory."""

from __future__ import annotations

from mot_dinov3.errors import EXIT_DEVICE, EXIT_USAGE
from mot_dinov3.lab.selftest.fault_cases.base import Fault, Prepare, patch_python

PLAIN = "--source {clip} --det {boxes} --embedder none --output o.mp4"
KEEP = "--no-video --save-mot o.txt --save-jsonl o.jsonl --stats-json s.json"
KEPT = ("o.txt", "o.jsonl", "s.json", ".o.txt.journal")
EXHAUSTED = """
import importlib.util
import sys

class Exhaust:
    def find_spec(self, name, path=None, target=None):
        if name != "mot_dinov3.tracking.tracker":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (execute(module), exhaust(module.Tracker))
        return spec

def exhaust(tracker):
    calls, predict = [], tracker.predict
    def failing(self, *arguments):
        calls.append(1)
        if len(calls) > 12:
            raise {error}
        return predict(self, *arguments)
    tracker.predict = failing

sys.meta_path.insert(0, Exhaust())
"""
"""Runs as usual until frame 12, and has no memory for the next one."""


def exhaust_memory(error: str) -> Prepare:
    """Fill the memory in the middle of the run."""
    return patch_python(EXHAUSTED.replace("{error}", error))


OUT_OF_CUDA = (
    '__import__("mot_dinov3.errors").errors.DeviceFullError("cuda:0 has no memory left.", '
    'fix="Use a smaller model, or --device cpu.")'
)

FAULTS = (
    Fault("cuda-missing", f"{PLAIN} --device cuda:9", EXIT_DEVICE, "--device cuda:9"),
    Fault("mps-missing", f"{PLAIN} --device mps", EXIT_DEVICE, "no MPS device"),
    Fault("device-unknown", f"{PLAIN} --device tpu", EXIT_USAGE, "tpu"),
    Fault("device-number-wrong", f"{PLAIN} --device cuda:x", EXIT_USAGE, "cuda:x"),
    Fault(
        "memory-full",
        f"{{track}} {KEEP}",
        EXIT_DEVICE,
        "no memory left",
        exhaust_memory("MemoryError()"),
        KEPT,
    ),
    Fault(
        "device-memory-full",
        f"{{track}} {KEEP}",
        EXIT_DEVICE,
        "cuda:0 has no memory left",
        exhaust_memory(OUT_OF_CUDA),
        KEPT,
    ),
)
