"""Lines that everybody should see, although nothing is wrong: between information and warning."""

from __future__ import annotations

import logging

NOTICE = logging.INFO + 5
"""The level that is shown unless the user wants quiet."""


def notice(text: str, *values: object) -> None:
    """Say a line; `values` fill its `%` places."""
    logging.getLogger("mot_dinov3").log(NOTICE, text, *values)
