"""A headless Chromium for the tests that must see what people see; skipped where there is none.

A test takes the fixture by importing it: `from helpers.browser import chromium`.
"""

from __future__ import annotations

import time

import pytest

from mot_dinov3.lab.selftest.browser import describe_missing, open_browser


@pytest.fixture(scope="module")
def chromium():
    """One browser for the tests of a module; skipped with a reason where there is none."""
    lacking = describe_missing()
    if lacking:
        pytest.skip(lacking)
    with open_browser() as driver:
        yield driver


def wait_until(holds, timeout_s=15.0, step_s=0.05):
    """Call `holds` until it gives something true, and hand that back; fail after `timeout_s`."""
    ends = time.monotonic() + timeout_s
    while True:
        value = holds()
        if value:
            return value
        assert time.monotonic() < ends, f"{holds} did not come true within {timeout_s} s"
        time.sleep(step_s)


def complaints(driver):
    """What the console said since the last call that is worse than a notice."""
    return [row["message"] for row in driver.get_log("browser") if row["level"] == "SEVERE"]
