"""Renders values as one HTML file that needs no other file and runs no script but its own."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3.errors import not_installed
from mot_dinov3.wording import counted

if TYPE_CHECKING:
    from jinja2 import Environment

PARTS = Path(__file__).parent / "parts"
NEEDED = ("jinja2", "plotly")
SCRIPTS = ("common.js", "charts.js", "film.js", "wall.js")
UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters but tabs and line feeds, marks that turn a line around, halves of letters."""


def find_missing_packages() -> list[str]:
    """The packages that a report needs and that are not installed."""
    return [package for package in NEEDED if find_spec(package) is None]


def require_packages() -> None:
    """Refuse a report that could not be made, before any work is done.

    Raises:
        ModelError: jinja2 or plotly is missing.
    """
    for package in find_missing_packages():
        raise not_installed(package, "report", "A report")


def render(template: str, values: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Render a whole page.

    Everything in `values` is escaped by the template, everything in `data` is written as JSON in
    which no tag can begin or end. A content security policy names the page's scripts by their
    fingerprints, so nothing else runs even if something got past that.

    Args:
        template: name of a file in `parts`.
        values: what the template shows.
        data: what the page's script reads.
    """
    from jinja2.utils import htmlsafe_json_dumps
    from markupsafe import Markup

    scripts = [read_plotly_script(), read_own_script()]
    own = {
        "policy": build_policy(scripts),
        # Markup is for what ships with the packages; nothing from outside passes here.
        "scripts": [Markup(script) for script in scripts],
        "style": Markup(_part("style.css")),
        "data": htmlsafe_json_dumps(data, separators=(",", ":"), allow_nan=False),
    }
    return _environment().get_template(template).render(**values, **own)


def build_policy(scripts: list[str]) -> str:
    """The content security policy of a page with these scripts.

    Plotly sets styles on elements, so inline styles are allowed; they can load nothing.
    """
    hashes = " ".join(f"'sha256-{compute_fingerprint(script)}'" for script in scripts)
    rules = (
        "default-src 'none'",
        f"script-src {hashes}",
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "media-src 'self' file: blob:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def compute_fingerprint(script: str) -> str:
    """SHA-256 of a script in base64, as a policy names it."""
    written = script.encode("utf-8", "replace")  # as the page's file is
    return base64.b64encode(hashlib.sha256(written).digest()).decode("ascii")


@cache
def read_plotly_script() -> str:
    """The script of plotly, in the only bundle that its package ships."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


@cache
def read_own_script() -> str:
    """The page's own script."""
    return "\n".join(["'use strict';", *(_part(name) for name in SCRIPTS)])


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _make_seen(value: object) -> object:
    """What the template shows: `?` for each character that is not seen but does something."""
    return UNSEEN.sub("?", value) if type(value) is str else value


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    out = Environment(
        loader=FileSystemLoader(PARTS),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_make_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    out.globals["counted"] = counted
    return out
