"""The promises of the documentation, held against the code."""

from __future__ import annotations

import ast
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from helpers.reference_pages import NOTE
from mot_dinov3.commands.factory import COMMANDS
from mot_dinov3.commands.flags import resolve
from mot_dinov3.commands.habits import choose_command
from mot_dinov3.commands.track import find_idle_flags
from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.config.flat import key_of, stages
from mot_dinov3.training.recipes.base import Recipe

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
}
ALL = "\n".join(PAGES.values())
README = PAGES["README.md"]
FLAGS = PAGES["docs/reference/flags.md"]
MAX_LINES = 300
README_LINES, README_BYTES = 150, 8 * 1024

OTHER_PROGRAMS = {
    "--dist",
    "--reid-model",  # of BoxMOT
    *("--backbone-freeze-epochs", "--data-dir", "--dataset", "--eval-interval", "--model"),
    *("--no-pretrained", "--num-workers", "--warmup-epochs"),
    "--weights",  # of many
    "--yes",
    "--dev",
    "--no-deps",
    "--dinov3-edge",
    "--dinov3-stable",
    "--install-only",
    "--dry-run",
    "--all",
    "--json",
    "--check",  # ruff
    "--strict",  # mypy
    "--points",  # the recipe that docs/guide/training.md shows
}
"""Flags of set-up, pip, developer tools and examples."""


def parser_of(command):
    return COMMANDS.load(command).parser()


def prose(text):
    """The text without fenced blocks, where `#` and `](` mean something else."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)


def blocks(language):
    """(page, block) of every fenced block in a language."""
    fence = re.compile(rf"^```{language}\n(.*?)^```$", re.S | re.M)
    return [(page, block) for page, text in PAGES.items() for block in fence.findall(text)]


def anchors_of(text):
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", prose(text), re.M)
    shown = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "") for title in titles]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in shown}


def links_of(text):
    """Relative links outside fenced blocks."""
    links = re.findall(r"\]\(([^)\s]+)\)", prose(text))
    return [link for link in links if not re.match(r"[a-z]+:", link)]


def command_lines(block):
    """The words after `python cli.py` of every such line, up to the end of the command."""
    for line in block.replace("\\\n", " ").splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars=";|&<>()")
        words.whitespace_split = True
        words.commenters = "#"
        rest = list(words)
        while "cli.py" in rest:
            rest = rest[rest.index("cli.py") + 1 :]
            end = next((n for n, word in enumerate(rest) if word[0] in ";|&<>()"), len(rest))
            yield line.strip(), rest[:end]


def spans():
    """(page, text) of every command with flags in the running text."""
    for page, text in PAGES.items():
        for span in re.findall(r"`(python cli\.py [^`]*--[^`]+)`", prose(text)):
            if "--help" not in span:
                yield page, span.replace("\n", " ")


COMMAND_LINES = [
    pytest.param(words, id=f"{page}: {line}"[:100])
    for page, block in (*blocks("bash"), *spans())
    for line, words in command_lines(block)
]


@pytest.mark.parametrize("words", COMMAND_LINES)
def test_every_command_line_parses(words):
    command, rest = choose_command(words)
    assert command in COMMANDS
    args = parser_of(command).parse_args(rest)
    if command == "track":
        given = {k: v for k, v in vars(args).items() if k not in ("config", "print_config")}
        assert find_idle_flags(resolve(TrackConfig, given), given, ()) == []


def test_there_are_command_lines_to_parse():
    assert len(COMMAND_LINES) > 50


def test_every_flag_is_in_the_reference():
    long = {w for a in parser_of("track")._actions for w in a.option_strings if w.startswith("--")}
    assert {word for word in long if f"`{word}`" not in FLAGS} == set()


def test_the_documentation_names_no_flag_that_does_not_exist():
    parsers = [parser_of(name) for name in COMMANDS]
    parsers += [one for name in ("train", "eval") for one in parser_of(name).members.values()]
    known = {word for one in parsers for action in one._actions for word in action.option_strings}
    known |= {item.metadata["flag"] for item in flag_fields(Recipe)}  # of every recipe
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]+", ALL))
    assert named - known - OTHER_PROGRAMS == set()


def test_every_flag_of_the_evaluation_is_in_its_page():
    own = {word for one in parser_of("eval")._actions for word in one.option_strings[:1]}
    page = PAGES["docs/guide/evaluate.md"]
    assert {word for word in own - {"-h", "--debug"} if f"`{word}`" not in page} == set()


def test_defaults_in_the_documentation_are_the_defaults():
    rows = re.findall(r"^\| `(--[\w-]+)` \| ([^|]+) \|", ALL, re.M)
    known = {
        item.metadata["flag"]: item
        for one in stages(TrackConfig).values()
        for item in flag_fields(one)
    }
    checked = 0
    for name, shown in rows:
        number = shown.strip("` ")
        if name in known and re.fullmatch(r"-?[\d.]+", number):
            assert float(number) == float(known[name].default), key_of(known[name])
            checked += 1
    assert checked > 20


def test_every_command_is_in_the_reference():
    page = PAGES["docs/reference/commands.md"]
    for name in COMMANDS:
        assert f"\n## {name}\n" in page


def test_pictures_are_there_and_small_and_no_other_is_kept():
    shown = set()
    for page, text in PAGES.items():
        for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text):
            path = (ROOT / page).parent.joinpath(picture).resolve()
            assert 10_000 < path.stat().st_size < 500_000
            shown.add(path)
    kept = {path for path in (ROOT / ".github").iterdir() if path.suffix in (".jpg", ".webp")}
    assert shown == kept
    assert re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)


def test_python_examples_are_valid():
    for page, example in blocks("python"):
        compile(example, page, "exec")
    (shown,) = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(shown.strip().splitlines()) <= 6


def test_names_in_python_examples_exist():
    for page, example in blocks("python"):
        imports = [
            node for node in ast.walk(ast.parse(example)) if isinstance(node, ast.ImportFrom)
        ]
        for node in imports:
            if node.module and node.module.startswith("mot_dinov3"):
                for item in node.names:
                    assert hasattr(import_module(node.module), item.name), f"{page}: {item.name}"


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_resolve(page):
    for link in links_of(PAGES[page]):
        target, _, anchor = link.partition("#")
        path = (ROOT / page).parent.joinpath(target).resolve() if target else ROOT / page
        assert path.exists(), f"{page} -> {link}"
        if anchor:
            assert anchor in anchors_of(path.read_text(encoding="utf-8")), f"{page} -> {link}"


def test_every_page_is_in_the_index():
    index = PAGES["docs/README.md"]
    for page in PAGES:
        if page.startswith("docs/") and page != "docs/README.md":
            assert f"({page.removeprefix('docs/')})" in index


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_short_and_have_one_title(page):
    assert PAGES[page].count("\n") <= MAX_LINES or NOTE in PAGES[page]
    assert len(re.findall(r"^# ", prose(PAGES[page]), re.M)) == 1


def test_the_readme_is_short():
    assert README.count("\n") <= README_LINES
    assert len(README.encode()) <= README_BYTES
