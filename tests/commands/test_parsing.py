"""Help: a short text for most people, a whole one for every flag; each line stands alone."""

from __future__ import annotations

import re

import pytest

from mot_dinov3.commands import main
from mot_dinov3.commands.factory import COMMANDS
from mot_dinov3.commands.flags import COMMON, add_flags
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.config.flat import stages
from mot_dinov3.errors import UsageError
from mot_dinov3.scheduling.policies.factory import POLICIES

UNITS = {
    "ADDRESS",
    "CLASS",
    "COSINE",
    "COST",
    "COUNT",
    "DIR",
    "FACTOR",
    "FILE",
    "FPS",
    "FRAME",
    "FRAMES",
    "HOST:PORT",
    "HxW",
    "IOU",
    "MS",
    "NAME",
    "NAMES",
    "NAME=FILE",
    "NAME=POINTS",
    "NAME|FILE",
    "PIXELS",
    "POWER",
    "SECONDS",
    "SHARE",
    "SOURCE",
    "SPEED",
    "WEIGHT",
    "X,Y,W,H",
}  # fmt: skip - a set of words reads better in lines
ITEMS = [item for stage in stages(TrackConfig).values() for item in flag_fields(stage)]
SHARED = [word for word in COMMANDS if COMMANDS.load(word).parser().hides_flags]


def shown(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert ended.value.code == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def flags_in(text):
    """The flags that begin an entry of a help text."""
    return re.findall(r"^  (?:-\w(?: \w+)?, )?(--[\w-]+)", text, re.M)


def test_the_short_help_has_the_15_flags_that_people_use(capsys):
    text = shown(capsys, "--help")
    assert len(COMMON) == 15
    assert [flag for flag in flags_in(text) if flag not in ("--help", "--help-all")] == [*COMMON]


def test_the_short_help_begins_with_two_lines_of_usage(capsys):
    first, second, third, *_ = shown(capsys, "--help").splitlines()
    assert first == "usage: cli.py SOURCE [FLAG ...]"
    assert second == "       cli.py COMMAND [FLAG ...]"
    assert third == ""


def test_the_short_help_describes_every_command_and_begins_with_track(capsys):
    section = shown(capsys, "--help").partition("commands:\n")[2].partition("\n\n")[0]
    rows = dict(line.split(maxsplit=1) for line in section.splitlines())
    assert rows == {word: COMMANDS.help(word) for word in COMMANDS}
    assert next(iter(rows)) == "track"


def test_commands_take_one_line_each_on_a_narrow_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    section = shown(capsys, "--help").partition("commands:\n")[2].partition("\n\n")[0]
    assert len(section.splitlines()) == len([*COMMANDS])


def test_the_whole_help_has_every_flag(capsys):
    assert {item.metadata["flag"] for item in ITEMS} <= set(flags_in(shown(capsys, "--help-all")))


@pytest.mark.parametrize("command", SHARED)
def test_commands_that_share_flags_have_both_helps(capsys, command):
    short, whole = shown(capsys, command, "--help"), shown(capsys, command, "--help-all")
    assert "--help-all" in short
    assert set(flags_in(short)) < set(flags_in(whole))
    assert len(flags_in(short)) <= 30


def test_commands_without_shared_flags_have_one_help():
    assert {"track", "demo", "bench", "cache", "replay", "tune", "render"} <= set(SHARED)
    assert "--help-all" not in COMMANDS.load("doctor").parser().format_help()


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.metadata["flag"])
def test_every_flag_says_the_unit_or_kind_of_its_value(item):
    given = item.metadata["metavar"]
    if isinstance(item.default, bool) or item.metadata["choices"]:
        assert not given
    else:
        assert given in UNITS


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.metadata["flag"])
def test_the_text_of_a_flag_stands_alone(item):
    text = item.metadata["help"]
    assert not re.search(r"\b(same in|same for|the same \w+ counted|older|as above)\b", text)
    assert not re.match(r"and\b|but\b", text)
    assert "default" not in text


@pytest.mark.parametrize("command", list(COMMANDS))
@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_no_line_of_help_is_wider_than_the_terminal(capsys, monkeypatch, command, columns):
    monkeypatch.setenv("COLUMNS", columns)
    for word in ("--help", "--help-all") if command in SHARED else ("--help",):
        lines = shown(capsys, command, word).splitlines()
        assert max(map(len, lines)) <= int(columns), word


def test_a_new_member_of_a_table_is_in_both_helps(monkeypatch):
    monkeypatch.setitem(POLICIES.table, "coin", ("nowhere:Coin", "embed by the toss of a coin"))
    parser = COMMANDS.load("track").parser()
    assert re.search(r"never.*\bcoin\b", " ".join(parser.format_help().split()))
    assert re.search(r"^ +coin +embed by the toss of a coin$", parser.format_whole_help(), re.M)


def test_defaults_are_shown_once():
    out = CommandParser(prog="probe")
    out.add_argument("--one", type=float, default=2.0, help="a number")
    out.add_argument("--two", default="x", help="a word (default: whatever fits)")
    out.add_argument("--three", nargs="+", default=[1.5, 2.0], help="some numbers")
    out.add_argument("--four", help="a share of 5 %%")
    text = out.format_help()
    for line in ("a number (default: 2)", "a word (default: whatever fits)",
                 "some numbers (default: 1.5 2)", "a share of 5 %"):  # fmt: skip
        assert re.search(re.escape(line) + "$", text, re.M)


def test_a_wrong_flag_leads_to_the_help_that_has_it(capsys):
    assert main(["--xyzzy"]) == 2
    assert "--help-all" in capsys.readouterr().err
    assert main(["doctor", "--xyzzy"]) == 2
    assert capsys.readouterr().err.rstrip().endswith("--help")


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_flags_keep_their_hyphens_together(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    for command in ("report", "relink", "render"):
        assert not re.search(r"--[\w-]*-$", shown(capsys, command, "--help"), re.M)


def test_a_root_without_rare_flags_has_one_help():
    out = CommandParser(prog="probe")
    add_flags(out, TrackConfig, ("loop",), common=("--overlap",))
    assert not out.hides_flags


@pytest.mark.parametrize("text", [str(2**63), "-" + "9" * 30, "9" * 5000])
def test_a_number_that_no_array_holds_is_refused_in_words(text):
    parser = CommandParser(prog="cli.py")
    parser.add_argument_group("more").add_argument("--count", type=int)
    parser.add_value("--frames", 3, "COUNT", "how many")
    for flag in ("--count", "--frames"):
        with pytest.raises(UsageError, match=f"{flag}.*too large a number"):
            parser.parse_args([flag, text])
    assert parser.parse_args(["--count", "-7"]).count == -7
