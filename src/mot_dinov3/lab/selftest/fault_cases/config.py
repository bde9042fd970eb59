"""Command lines, configuration files and variables that make no sense."""

from __future__ import annotations

from mot_dinov3.errors import EXIT_USAGE
from mot_dinov3.lab.selftest.fault_cases.base import (
    Fault,
    Prepare,
    change_nothing,
    place_files,
    set_variables,
)


def toml(text: str | bytes) -> Prepare:
    """A configuration file `run.toml`."""
    return place_files({"run.toml": text})


def usage_fault(name: str, words: str, says: str, prepare: Prepare = change_nothing) -> Fault:
    """A fault of usage."""
    return Fault(name, words, EXIT_USAGE, says, prepare)


FAULTS = (
    usage_fault("no-source", "", "--source is missing"),
    usage_fault("flag-misspelt", "--sorce {clip}", "Did you mean --source"),
    usage_fault("command-misspelt", "trak {clip}", "Did you mean track"),
    usage_fault("command-unknown", "fly", "Choose one of: .*track"),
    usage_fault("word-too-many", "{track} more", "more"),
    usage_fault("value-missing", "--source", "--source: expected"),
    usage_fault("number-is-text", "{track} --conf high", "--conf: invalid float"),
    usage_fault("number-too-large", "{track} --conf 2", "--conf must be between 0 and 1, got 2"),
    usage_fault("number-not-finite", "{track} --conf nan", "--conf must be"),
    usage_fault("stride-zero", "{track} --vid-stride 0", "--vid-stride must be 1 or more"),
    usage_fault("end-before-start", "{track} --start-frame 9 --end-frame 3", "--end-frame must be"),
    usage_fault("choice-unknown", "{track} --backend quantum", "--backend"),
    usage_fault(
        "budgets-contradict", "{track} --embed-budget-ms 5 --embed-budget-crops 2", "Keep one"
    ),
    usage_fault("budget-missing", "{track} --embed-hard-budget", "no budget to enforce"),
    usage_fault(
        "devices-contradict", "--source {clip} --cpu --device cuda", "--cpu must be left out"
    ),
    usage_fault("tracker-unknown", "{track} --tracker bytetrak", "Did you mean bytetrack"),
    usage_fault("policy-unknown", "{track} --embed-policy sometimes", "Choose one of"),
    usage_fault(
        "embedder-unknown", "--source {clip} --det {boxes} --embedder dimo", "Did you mean dino"
    ),
    usage_fault("classes-unknown", "{track} --classes persn", "Did you mean person"),
    usage_fault("dense-size-wrong", "{track} --dense-size big", "--dense-size must be like"),
    usage_fault("camera-file-unnamed", "{track} --cmc file:", "--cmc"),
    usage_fault("toml-missing", "--config no.toml", "no.toml cannot be read"),
    usage_fault("toml-broken", "--config run.toml", "not valid TOML", toml("conf = = 3")),
    usage_fault("toml-binary", "--config run.toml", "not valid TOML", toml(bytes(range(128, 256)))),
    usage_fault("toml-key-unknown", "--config run.toml", "Did you mean conf", toml("cnf = 0.3")),
    usage_fault("toml-kind-wrong", "--config run.toml", "must be a number", toml('conf = "high"')),
    usage_fault(
        "toml-table-wrong",
        "--config run.toml",
        r"Move it to \[detector\]",
        toml("[tracker]\nconf = 0.3"),
    ),
    usage_fault(
        "toml-is-a-directory", "--config run.toml", "cannot be read", place_files({"run.toml/": ""})
    ),
    usage_fault(
        "variable-wrong", "{track}", "MOT_CONF must be a number", set_variables({"MOT_CONF": "x"})
    ),
)
