"""A headless Chromium, driven through selenium; both are optional."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

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
LOAD_S, SCRIPT_S = 60, 30


def describe_missing() -> str:
    """Say what a browser lacks here, "" for nothing."""
    if find_spec("selenium") is None:
        return "selenium is not installed"
    if find_browser() is None:
        return "chromium is not installed"
    return "" if shutil.which(DRIVER) else "chromedriver is not installed"


def find_browser() -> str | None:
    """Path of the browser, None where there is none."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


@contextmanager
def open_browser(width: int = 1400, height: int = 1000) -> Iterator[Chrome]:
    """Open a browser with an empty profile and a window of that size; its console is kept."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = find_browser() or ""
    root = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    for word in (*FLAGS, *root, f"--window-size={width},{height}"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which(DRIVER)))
    try:
        driver.set_page_load_timeout(LOAD_S)
        driver.set_script_timeout(SCRIPT_S)
        yield driver
    finally:
        driver.quit()
