"""A headless Chromium for the tests that must see what people see; skipped where there is none.

Take the fixture by importing it, as `conftest.py` files here do: `from browser import chromium`.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from importlib.util import find_spec

import pytest

CHROMIUM, DRIVER = ("chromium", "chromium-browser", "google-chrome"), "chromedriver"
FLAGS = (
    "--headless=new",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-extensions",
    "--no-first-run",
    "--mute-audio",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--autoplay-policy=no-user-gesture-required",
)


def missing():
    """What a browser test lacks here, empty when nothing."""
    if find_spec("selenium") is None:
        return "selenium is not installed"
    if program() is None:
        return "chromium is not installed"
    return "" if shutil.which(DRIVER) else "chromedriver is not installed"


def program():
    """Path of the browser, None where there is none."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


@contextmanager
def open_browser(width=1400, height=1000):
    """A selenium driver of a fresh, empty profile; console messages are kept."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = program()
    root = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    for word in (*FLAGS, *root, f"--window-size={width},{height}"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which(DRIVER)))
    try:
        driver.set_page_load_timeout(60)
        driver.set_script_timeout(30)
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def chromium():
    """One browser for the tests of a module; skipped with a reason where there is none."""
    lacking = missing()
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
