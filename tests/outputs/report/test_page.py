"""The page as a file: what comes from outside stays text, whatever it is called."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from helpers.report_names import HOSTILE, hostile_run
from helpers.reports import facts_of
from mot_dinov3.errors import ModelError
from mot_dinov3.outputs.report import page as module
from mot_dinov3.outputs.report.compare import compare_page
from mot_dinov3.outputs.report.page import (
    build_policy,
    read_own_script,
    read_plotly_script,
    require_packages,
)
from mot_dinov3.outputs.report.single import run_page

pytest.importorskip("jinja2")
pytest.importorskip("plotly")

PAGE = Path("report.html")


class Tags(HTMLParser):
    """Every tag with its attributes, and the text of every script."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self._inside = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag == "script"
        if self._inside:
            self.scripts.append("")

    def handle_data(self, data):
        if self._inside:
            self.scripts[-1] += data

    def handle_endtag(self, tag):
        self._inside = False


@pytest.fixture(scope="module")
def tags():
    return Tags(run_page(hostile_run(), {}, None, PAGE))


def test_fifty_hostile_names_add_no_tag(tags):
    calm = Tags(run_page(hostile_run(calm=True), {}, None, PAGE))
    assert len(HOSTILE) >= 50
    names = [tag for tag, _ in tags.tags]
    for tag in ("script", "iframe", "object", "embed", "link", "meta", "base", "form", "a", "img"):
        assert names.count(tag) == [t for t, _ in calm.tags].count(tag), tag


def test_no_attribute_is_a_handler_or_an_address_that_runs(tags):
    for tag, attributes in tags.tags:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        for name in ("href", "src"):
            value = (attributes.get(name) or "").strip().lower()
            assert not value.startswith(("javascript:", "http", "//", "data:text")), value


def test_only_our_own_scripts_are_there_and_named_by_the_policy(tags):
    running = [text for (attributes, text) in zip(
        [a for tag, a in tags.tags if tag == "script"], tags.scripts, strict=True)
        if "type" not in attributes]  # fmt: skip
    assert running == [read_plotly_script(), read_own_script()]
    (rules,) = [a["content"] for tag, a in tags.tags
                if a.get("http-equiv") == "Content-Security-Policy"]  # fmt: skip
    for script in running:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in rules
    assert "default-src 'none'" in rules
    scripts = re.search(r"script-src ([^;]+)", rules).group(1)
    assert "unsafe" not in scripts
    assert rules == build_policy(running)


def test_data_for_the_script_cannot_end_its_tag(tags):
    (data,) = [text for (attributes, text) in zip(
        [a for tag, a in tags.tags if tag == "script"], tags.scripts, strict=True)
        if attributes.get("id") == "data"]  # fmt: skip
    assert not set("<>&\u2028\u2029") & set(data)
    names = [trace["name"] for chart in json.loads(data)["charts"] for trace in chart["traces"]]
    assert any("&lt;script&gt;" in name for name in names)
    assert not any("<" in name for name in names)


def test_our_scripts_cannot_end_their_tag_and_never_write_html():
    own = read_own_script()
    for script in (own, read_plotly_script()):
        assert "</script" not in script.lower()
        assert "<!--" not in script
        assert "\r" not in script
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(",
                 "fetch(", "XMLHttpRequest", "import("):  # fmt: skip
        assert word not in own, word


def test_hostile_names_of_compared_runs_add_no_tag():
    runs = [hostile_run(), hostile_run(calm=True)]
    page = Tags(compare_page(runs, [None, None], PAGE))
    assert [tag for tag, _ in page.tags].count("script") == 3
    assert not [a for _, a in page.tags if any(name.startswith("on") for name in a)]


def test_secrets_in_settings_are_blanked_out():
    run = hostile_run(calm=True)
    run.facts = facts_of(
        config={"source": "rtsp://user:hunter2@camera/1"}, detector="hf_abcdefghijkl"
    )
    page = run_page(run, {}, None, PAGE)
    assert "hunter2" not in page
    assert "hf_abcdefghijkl" not in page


@pytest.mark.parametrize("package", ["jinja2", "plotly"])
def test_a_missing_package_is_named_with_its_extra(monkeypatch, package):
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == package else name)
    with pytest.raises(ModelError, match=package) as problem:
        require_packages()
    assert ".[report]" in problem.value.fix


def test_no_character_of_a_name_turns_a_line_around_or_is_a_control():
    """Whether they come from a file's name, a class or a setting."""
    page = module._environment().from_string("{{ name }}|{{ number }}|{{ text }}")
    shown = page.render(
        name="a\x1b]0;T\x07\u202eb\x9b\ud800", number=1.5, text="one\ntwo\u2009three"
    )
    assert shown == "a?]0;T??b??|1.5|one\ntwo\u2009three"
