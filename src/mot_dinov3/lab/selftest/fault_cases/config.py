"""Command lines, configuration files and variables that make no sense."""

from __future__ import annotations

from mot_dinov3.errors import EXIT_USAGE
from mot_dinov3.lab.selftest.fault_cases.base import Fault, Prepare, files, nothing, variables


def toml(text: str | bytes) -> Prepare:
    """A configuration file `run.toml`."""
    return files({"run.toml": text})


def usage(name: str, words: str, says: str, prepare: Prepare = nothing) -> Fault:
    """A fault of usage."""
    return Fault(name, words, EXIT_USAGE, says, prepare)


FAULTS = (
    usage("no-source", "", "--source is missing"),
    usage("flag-misspelt", "--sorce {clip}", "Did you mean --source"),
    usage("command-misspelt", "trak {clip}", "Did you mean track"),
    usage("command-unknown", "fly", "Choose one of: .*track"),
    usage("word-too-many", "{track} more", "more"),
    usage("value-missing", "--source", "--source: expected"),
    usage("number-is-text", "{track} --conf high", "--conf: invalid float"),
    usage("number-too-large", "{track} --conf 2", "--conf must be between 0 and 1, got 2"),
    usage("number-not-finite", "{track} --conf nan", "--conf must be"),
    usage("stride-zero", "{track} --vid-stride 0", "--vid-stride must be 1 or more"),
    usage("end-before-start", "{track} --start-frame 9 --end-frame 3", "--end-frame must be"),
    usage("choice-unknown", "{track} --backend quantum", "--backend"),
    usage("budgets-contradict", "{track} --embed-budget-ms 5 --embed-budget-crops 2", "Keep one"),
    usage("budget-missing", "{track} --embed-hard-budget", "no budget to enforce"),
    usage("devices-contradict", "--source {clip} --cpu --device cuda", "--cpu must be left out"),
    usage("tracker-unknown", "{track} --tracker bytetrak", "Did you mean bytetrack"),
    usage("policy-unknown", "{track} --embed-policy sometimes", "Choose one of"),
    usage("embedder-unknown", "--source {clip} --det {boxes} --embedder dimo", "Did you mean dino"),
    usage("classes-unknown", "{track} --classes persn", "Did you mean person"),
    usage("dense-size-wrong", "{track} --dense-size big", "--dense-size must be like"),
    usage("camera-file-unnamed", "{track} --cmc file:", "--cmc"),
    usage("toml-missing", "--config no.toml", "no.toml cannot be read"),
    usage("toml-broken", "--config run.toml", "not valid TOML", toml("conf = = 3")),
    usage("toml-binary", "--config run.toml", "not valid TOML", toml(bytes(range(128, 256)))),
    usage("toml-key-unknown", "--config run.toml", "Did you mean conf", toml("cnf = 0.3")),
    usage("toml-kind-wrong", "--config run.toml", "must be a number", toml('conf = "high"')),
    usage(
        "toml-table-wrong",
        "--config run.toml",
        r"Move it to \[detector\]",
        toml("[tracker]\nconf = 0.3"),
    ),
    usage("toml-is-a-directory", "--config run.toml", "cannot be read", files({"run.toml/": ""})),
    usage("variable-unknown", "{track}", "Did you mean MOT_CONF", variables({"MOT_CNF": "0.3"})),
    usage("variable-wrong", "{track}", "MOT_CONF must be a number", variables({"MOT_CONF": "x"})),
)
