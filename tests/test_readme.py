"""The README's promises, held against the code."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

from mot_dinov3.commands import COMMANDS
from mot_dinov3.commands.track import parser
from mot_dinov3.config import flag_fields
from mot_dinov3.config.flat import key_of, stages

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
OTHER_PROGRAMS = {
    "--yes",
    "--dev",
    "--no-deps",
    "--dinov3-edge",
    "--dinov3-stable",
    "--all",
    "--json",
}


def known_flags():
    return {word for action in parser()._actions for word in action.option_strings}


def test_every_flag_is_in_the_readme():
    long = {word for word in known_flags() if word.startswith("--")}
    assert {word for word in long if f"`{word}`" not in README} == set()


def flags_of_all_commands():
    parsers = [import_module(module).parser() for module in COMMANDS.values()]
    return {word for one in parsers for action in one._actions for word in action.option_strings}


def test_the_readme_names_no_flag_that_does_not_exist():
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]+", README))
    assert named - flags_of_all_commands() - OTHER_PROGRAMS == set()


def test_every_flag_of_the_evaluation_is_in_the_readme():
    section = README.partition("\n## Evaluate\n")[2].partition("\n## ")[0]
    own = {a.option_strings[0] for a in import_module(COMMANDS["eval"]).parser()._actions}
    assert {word for word in own - {"-h", "--debug"} if f"`{word}`" not in section} == set()


def test_defaults_in_the_readme_are_the_defaults():
    rows = dict(re.findall(r"^\| `(--[\w-]+)` \| ([^|]+) \|", README, re.M))
    for config in stages().values():
        for item in flag_fields(config):
            shown = rows.get(item.metadata["flag"], "").strip("` ")
            if re.fullmatch(r"-?[\d.]+", shown):
                assert float(shown) == item.default, key_of(item)


def test_every_command_is_in_the_readme():
    for name in COMMANDS:
        assert name == "track" or f"`python cli.py {name}`" in README


def test_the_readme_shows_its_own_pictures():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert len(pictures) == 2
    for picture in pictures:
        assert 10_000 < (ROOT / picture).stat().st_size < 300_000


def test_the_python_example_is_valid():
    (example,) = re.findall(r"```python\n(.*?)```", README, re.S)
    compile(example, "README.md", "exec")
    assert len(example.strip().splitlines()) <= 6
