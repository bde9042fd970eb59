"""All faults in one list; a new kind is one file and one line here."""

from __future__ import annotations

from mot_dinov3.lab.selftest.fault_cases.base import Fault
from mot_dinov3.lab.selftest.fault_cases.commands import FAULTS as COMMANDS
from mot_dinov3.lab.selftest.fault_cases.config import FAULTS as CONFIG
from mot_dinov3.lab.selftest.fault_cases.device import FAULTS as DEVICE
from mot_dinov3.lab.selftest.fault_cases.input import FAULTS as INPUT
from mot_dinov3.lab.selftest.fault_cases.model import FAULTS as MODEL
from mot_dinov3.lab.selftest.fault_cases.output import FAULTS as OUTPUT
from mot_dinov3.lab.selftest.fault_cases.stream import FAULTS as STREAM

KINDS = {
    "input": INPUT,
    "output": OUTPUT,
    "model": MODEL,
    "device": DEVICE,
    "stream": STREAM,
    "config": CONFIG,
    "commands": COMMANDS,
}


def all_faults() -> tuple[Fault, ...]:
    """Every fault, kind by kind."""
    return tuple(fault for table in KINDS.values() for fault in table)
