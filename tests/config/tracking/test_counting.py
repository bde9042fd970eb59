"""The settings of counting: from the command line, a file and a variable, and back."""

from __future__ import annotations

import pytest

from mot_dinov3.commands.flags import resolve
from mot_dinov3.commands.track import parser
from mot_dinov3.config import CountConfig, TrackConfig
from mot_dinov3.config.flat import to_toml
from mot_dinov3.errors import UsageError

WORDS = ["--line", "a=0,0,1,1", "b=1,2,3,4", "--line", "c=5,6,7,8", "--zone", "z=0,0,9,0,9,9"]
TEXT = "a=0,0,1,1,b=1,2,3,4,c=5,6,7,8"


def count_of(words):
    chosen = vars(parser().parse_args(words))
    return resolve(TrackConfig, {k: v for k, v in chosen.items() if k in ("line", "zone")}).count


def test_a_flag_takes_several_values_and_may_be_repeated():
    count = count_of(WORDS)
    assert [line.name for line in count.lines] == ["a", "b", "c"]
    assert count.line == TEXT
    assert [zone.name for zone in count.zones] == ["z"]
    assert count.wanted


@pytest.mark.parametrize("lines", [f'"{TEXT}"', '["a=0,0,1,1", "b=1,2,3,4,c=5,6,7,8"]'])
def test_a_file_has_them_as_a_list_or_as_a_text(tmp_path, lines):
    (tmp_path / "run.toml").write_text(f'[count]\nline = {lines}\nzone = "z=0,0,9,0,9,9"\n')
    assert resolve(TrackConfig, {}, tmp_path / "run.toml").count == count_of(WORDS)


def test_what_is_printed_is_read_back(tmp_path):
    config = TrackConfig(count=count_of(WORDS))
    (tmp_path / "run.toml").write_text(to_toml(config))
    assert 'line = ["a=0,0,1,1", "b=1,2,3,4", "c=5,6,7,8"]' in to_toml(config)
    assert resolve(TrackConfig, {}, tmp_path / "run.toml") == config


def test_a_variable_has_them_as_a_text():
    assert resolve(TrackConfig, {}, None, {"MOT_LINE": TEXT}).count.line == TEXT


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"line": "a=1,2,3,4,a=5,6,7,8"}, "--line names 'a' twice"),
        ({"zone": "a=1,2,3,4,9,9,a=1,2,3,4,9,9"}, "--zone"),
        ({"line": "a=1,2,3,4", "zone": "a=0,0,9,0,9,9"}, "--line and --zone both have the name"),
        ({"after": 0}, "--count-after must be between 1 and 1000"),
        ({"point": "nose"}, "--count-point must be one of bottom"),
        ({"line": ",".join(f"l{n}=1,2,3,{n}" for n in range(51))}, "at most 50"),
    ],
)
def test_wrong_settings_are_refused(settings, said):
    with pytest.raises(UsageError, match=said):
        CountConfig(**settings)


def test_every_shape_is_compared_with_the_picture():
    config = CountConfig(line="a=1,2,3,4", zone="z=0,0,99,0,99,50")
    config.check_size(99, 50)
    with pytest.raises(UsageError, match=r"--zone 'z' has the point 99,0, .* 98 x 50 pixels"):
        config.check_size(98, 50)
