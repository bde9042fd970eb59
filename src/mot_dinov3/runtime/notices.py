"""Lines that every user should see, although nothing is wrong: between information and warning."""

from __future__ import annotations

import logging

NOTICE = logging.INFO + 5
"""The level that is shown unless the user wants quiet."""


ALERT = logging.ERROR + 5
"""The level of warnings that are shown even to a user who wants quiet."""


def log_alert(text: str, *values: object) -> None:
    """Log a warning at level `ALERT`; `values` fill its `%` places."""
    logging.getLogger("mot_dinov3").log(ALERT, text, *values)


def log_notice(text: str, *values: object) -> None:
    """Log a line at level `NOTICE`; `values` fill its `%` places."""
    logging.getLogger("mot_dinov3").log(NOTICE, text, *values)
