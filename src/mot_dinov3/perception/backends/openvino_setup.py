"""Imports OpenVINO so that it reports nothing about its use."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from mot_dinov3.errors import not_installed


def import_openvino() -> Any:  # noqa: ANN401 - a module without type stubs
    """Import the `openvino` package without the part that sends usage data over the network.

    Its converter reports every use unless the user has refused; without `openvino_telemetry`
    it works the same in silence. A program that imported that itself keeps it.

    Raises:
        ModelError: it is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise not_installed("openvino", "openvino", "--backend openvino") from error
    return openvino


@cache
def openvino_core() -> Any:  # noqa: ANN401 - an openvino.Core
    """The one `openvino.Core` of this process, which lives as long as the process.

    The CPU plugin of every Core gives the thread a stack of its own for signals, and its end
    puts back the one before. Cores that do not end in the reverse order of their making so leave
    a stack that was freed, and the next Ctrl-C is a segmentation fault (seen in 2026.4).

    Raises:
        ModelError: OpenVINO is not installed.
    """
    return import_openvino().Core()
