from __future__ import annotations

import argparse
import logging
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mot_dinov3.commands.flags import add_flags, resolve
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import EmbedderConfig, SourceConfig, TrackConfig
from mot_dinov3.config.flat import as_dict, to_toml
from mot_dinov3.errors import UsageError

DOCUMENTED = {
    "--source": "",
    "--output": "outputs/tracked.mp4",
    "--det": "yolov8n.pt",
    "--dinov3": "facebook/dinov3-vitb16-pretrain-lvd1689m",
    "--fallback-open": False,
    "--conf": 0.3,
    "--imgsz": 960,
    "--classes": "",
    "--fps": 0.0,
    "--cpu": False,
    "--no-hungarian": False,
    "--embedder": "dino",
    "--embed-model": "",
    "--crop-pad": 0.12,
    "--crop-square": True,
    "--embed-refresh": 5,
    "--embed-iou-gate": 0.6,
    "--embed-overlap-thr": 0.2,
    "--embed-budget-ms": 0.0,
    "--draw-lost": False,
    "--line-thickness": 0,
    "--font-scale": 0.0,
    "--debug": False,
    "--device": "auto",
    "--half": False,
    "--embed-amp": "auto",
    "--start-frame": 0,
    "--end-frame": -1,
    "--max-frames": 0,
    "--vid-stride": 1,
    "--embed-all": False,
    "--embed-budget-crops": 0,
    "--embed-hard-budget": False,
    "--save-mot": "",
    "--save-jsonl": "",
    "--stats-json": "",
    "--no-video": False,
    "--hud": False,
    "--no-clobber": False,
    "--quiet": False,
    "--verbose": False,
}

HOSTILE = ['a"b\\c', "line\nline", "\t\x7f\x00", "naïve 東京 🎥", "'''", "#"]


def parser():
    out = CommandParser(prog="cli.py")
    add_flags(out, TrackConfig)
    return out


def resolved(*words, toml=None, environment=None):
    chosen = vars(parser().parse_args(list(words)))
    return as_dict(resolve(TrackConfig, chosen, toml, environment or {}))


def key(flag):
    return flag.removeprefix("--").replace("-", "_")


@pytest.fixture
def toml(tmp_path):
    def write(text):
        path = tmp_path / "run.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(("flag", "default"), DOCUMENTED.items())
def test_every_documented_flag_has_its_default(flag, default):
    value = resolved()[key(flag)]
    assert (value, type(value)) == (default, type(default))
    assert flag in parser().format_whole_help()


@pytest.mark.parametrize(("flag", "default"), DOCUMENTED.items())
def test_every_documented_flag_can_be_set(flag, default):
    if default is False:
        words, value = [flag], True
    elif default is True:
        words, value = ["--no-" + flag.removeprefix("--")], False
    elif flag == "--embed-amp":
        words, value = [flag, "bf16"], "bf16"
    elif isinstance(default, str):
        words, value = [flag, "cpu"], "cpu"
    else:
        value = {"--imgsz": 640, "--end-frame": 7, "--start-frame": 3}.get(flag, type(default)(1))
        words = [flag, str(value)]
    if flag == "--embed-hard-budget":
        words += ["--embed-budget-ms", "5"]
    assert resolved(*words)[key(flag)] == value


def test_help_tells_defaults_and_never_none():
    text = parser().format_whole_help()
    assert "(default: yolov8n.pt)" in " ".join(text.split())
    assert "(default: on)" in text
    assert "None" not in text
    assert "SUPPRESS" not in text


@pytest.mark.parametrize("short", ["-q", "-v"])
def test_short_words(short):
    assert resolved(short)[{"-q": "quiet", "-v": "verbose"}[short]] is True


def test_a_flag_is_never_guessed_from_its_beginning():
    with pytest.raises(UsageError, match="--embed-bud"):
        parser().parse_args(["--embed-bud", "5"])


def test_a_name_used_twice_raises():
    out = parser()
    with pytest.raises(argparse.ArgumentError):
        add_flags(out, TrackConfig, ["source"])


def test_flag_over_environment_over_file_over_default(toml):
    file = toml("conf = 0.4\nimgsz = 640\nfps = 12.5\n")
    values = resolved("--conf", "0.6", toml=file, environment={"MOT_CONF": "0.5", "MOT_FPS": "7"})
    assert (values["conf"], values["fps"], values["imgsz"], values["low_conf"]) == (
        0.6,
        7,
        640,
        0.1,
    )


def test_a_flag_given_its_default_still_beats_the_file(toml):
    assert resolved("--conf", "0.3", toml=toml("conf = 0.9"))["conf"] == 0.3
    assert resolved("--crop-square", toml=toml("crop_square = false"))["crop_square"] is True


def test_tables_dashes_and_lists_are_understood(toml):
    file = toml("[detector]\nclasses = [0, 'car']\n[scheduler]\nembed-refresh = 9\n")
    values = resolved(toml=file)
    assert (values["classes"], values["embed_refresh"]) == ("0,car", 9)


def test_a_key_in_the_table_of_another_stage_is_refused(toml):
    for key in ("embed_refresh", "embed-refresh"):
        with pytest.raises(
            UsageError, match=rf"'{key}' in .* is not a setting of \[tracker\]"
        ) as caught:
            resolved(toml=toml(f"[tracker]\n{key} = 9\n"))
        assert "[scheduler]" in caught.value.fix
    with pytest.raises(UsageError, match="Unknown key 'zzz'"):
        resolved(toml=toml("[tracker]\nzzz = 9\n"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("embder = 'x'", "Did you mean embedder?"),
        ("[detektor]\nconf = 0.3", "Did you mean detector?"),
        ("zzzz = 1", "--help-all"),
        ("conf = 'high'", "'conf' in {path} must be a number, got 'high'"),
        ("conf = true", "must be a number, got True"),
        ("imgsz = true", "must be a whole number, got True"),
        ("imgsz = 640.0", "'imgsz' in {path} must be a whole number"),
        ("cpu = 'yes'", "'cpu' in {path} must be true or false"),
        ("det = true", "'det' in {path} must be a text"),
        ("conf = ", "is not valid TOML"),
        ("conf = nan", "--conf must be between 0 and 1, got nan"),
    ],
)
def test_a_wrong_file_names_the_place(toml, text, says):
    file = toml(text)
    with pytest.raises(UsageError) as caught:
        resolved(toml=file)
    assert says.format(path=file) in str(caught.value)
    assert caught.value.fix


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    for path in (tmp_path / "no.toml", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            resolved(toml=path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is not valid TOML"):
        resolved(toml=tmp_path / "binary.toml")
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(UsageError, match="TOML: it is not written in UTF-8") as caught:
        resolved(toml=tmp_path / "latin.toml")
    assert "codec" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        ("MOT_CONF", "zz", "MOT_CONF must be a number"),
        ("MOT_IMGSZ", "6.5", "MOT_IMGSZ must be a whole number"),
        ("MOT_CPU", "maybe", "MOT_CPU must be true or false"),
        ("MOT_EMBED_AMP", "fp8", "fp8"),
    ],
)
def test_a_wrong_variable_is_named(variable, text, says):
    with pytest.raises(UsageError) as caught:
        resolved(environment={variable: text})
    assert says in str(caught.value)


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("off", False)])
def test_variables_know_yes_and_no(text, value):
    assert resolved(environment={"MOT_CPU": text})["cpu"] is value


def test_other_variables_are_not_ours(caplog):
    for variable in ("MOTHER", "MOT_ROOT", "MOT_DATA_DIR", "MOT_"):
        assert resolved(environment={variable: "/data"}) == resolved()
    assert not caplog.records


def test_a_misspelt_variable_is_ignored_with_a_warning(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("mot_dinov3"), "propagate", True)
    assert resolved(environment={"MOT_COFN": "0.4"}) == resolved()
    assert [record.getMessage() for record in caplog.records] == [
        "The variable MOT_COFN is not a setting, so it is ignored. Did you mean MOT_CONF?"
    ]


def test_a_setting_of_a_word_or_a_number_takes_both(toml):
    given = resolved(toml=toml("[association]\nreid_similarity = 0.8\n"))
    assert given == resolved("--reid-similarity", "0.8")
    assert given == resolved(environment={"MOT_REID_SIMILARITY": "0.8"})
    assert given["reid_similarity"] == "0.8" != resolved()["reid_similarity"]
    for word in ("high", "1.5", "nan"):
        with pytest.raises(UsageError) as caught:
            resolved("--reid-similarity", word)
        assert caught.value.what == (
            f"--reid-similarity must be auto, or between -1 and 1, got {word}."
        )
        assert caught.value.fix


def test_a_choice_is_checked_wherever_it_comes_from(toml):
    with pytest.raises(UsageError, match="fp8"):
        resolved(toml=toml("embed_amp = 'fp8'"))


@given(source=st.text(max_size=40), model=st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_text_survives_printing_and_reading(tmp_path_factory, source, model):
    config = TrackConfig(
        source=SourceConfig(source=source), embedder=EmbedderConfig(embed_model=model)
    )
    path = tmp_path_factory.getbasetemp() / "printed.toml"
    try:
        path.write_text(to_toml(config), encoding="utf-8", newline="\n")
    except UnicodeEncodeError:
        pytest.fail("the printed configuration is not valid unicode")
    assert resolve(TrackConfig, {}, path, {}) == config


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_survives(tmp_path, text):
    config = TrackConfig(source=SourceConfig(source=text))
    path = tmp_path / "run.toml"
    path.write_text(to_toml(config), encoding="utf-8", newline="\n")
    assert resolve(TrackConfig, {}, path, {}).source.source == text


def test_every_setting_survives(tmp_path):
    words = ["--conf", "1e-5", "--fps", "29.97", "--no-crop-square", "--end-frame", "12", "--hud"]
    words += ["--reid-similarity", "0.85"]
    config = resolve(TrackConfig, vars(parser().parse_args(words)), None, {})
    path = Path(tmp_path / "run.toml")
    path.write_text(to_toml(config))
    assert resolve(TrackConfig, {}, path, {}) == config


def several(*words, toml=None, environment=None):
    out = CommandParser(prog="cli.py")
    add_flags(out, TrackConfig, many="--source")
    return resolve(TrackConfig, vars(out.parse_args(list(words))), toml, environment or {})


def test_several_sources_make_a_batch_and_one_does_not(toml):
    config = several("--source", "a", "b", "--conf", "0.4", "--source", "c")
    assert (config.source.source, config.batch.sources) == ("a", ("a", "b", "c"))
    config = several("--source", "a")
    assert (config.source.source, config.batch.sources) == ("a", ())
    file = toml("source = ['x,y', 'z']")
    assert several(toml=file).batch.sources == ("x,y", "z")
    assert several("--source", "a", toml=file).batch.sources == ()
    assert several(toml=file, environment={"MOT_SOURCE": "e"}) == several("--source", "e")
    assert several(toml=toml("source = ['x']")) == several("--source", "x")


def test_several_sources_survive_printing(tmp_path):
    config = several("--source", 'a "1".mp4', "b,c.mp4", "--ray", "--each")
    path = tmp_path / "run.toml"
    path.write_text(to_toml(config))
    assert resolve(TrackConfig, {}, path, {}) == config
    assert config.batch.ray == "local"


@pytest.mark.parametrize("text", ["source = [true]", "source = ['a', true]"])
def test_wrong_sources_in_a_file_are_named(toml, text):
    with pytest.raises(UsageError, match="'source' in"):
        several(toml=toml(text))


def test_other_commands_take_one_source():
    with pytest.raises(UsageError):
        parser().parse_args(["--source", "a", "b"])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a = " + "[" * 2000 + "]" * 2000, id="lists"),
        pytest.param("a = " + "[" * 60 + "]" * 60, id="a few lists"),
        pytest.param(".".join("a" * 60) + " = 1", id="dotted key"),
        pytest.param(" . ".join(["'a b'"] * 20_000)[:60_000] + " = 1", id="long dotted key"),
        pytest.param("[" + ".".join(["a"] * 60) + "]", id="table"),
        pytest.param("x = {" + ".".join(["a"] * 60) + " = 1}", id="dotted key in a table"),
    ],
)
def test_settings_inside_each_other_are_refused_at_once(toml, text):
    started = time.monotonic()
    with pytest.raises(UsageError, match="inside each other"):
        resolve(TrackConfig, {}, toml(text))
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"max_frames = {10**30}", "too large"),
        (f"conf = {10**400}", "too large"),
        ("max_frames = " + "9" * 5000, "too many digits"),
        ("det = '" + "a" * 70_000 + "'", "line longer"),
        ("#\n" * 600_000, "larger than 1 MB"),
    ],
)
def test_a_file_beyond_reason_is_refused_in_words(toml, text, says):
    with pytest.raises(UsageError, match=says):
        resolve(TrackConfig, {}, toml(text))


def test_a_number_that_no_array_holds_is_refused_wherever_it_comes_from():
    with pytest.raises(UsageError, match="--max-frames is too large"):
        resolve(TrackConfig, {"max_frames": 2**63})
    with pytest.raises(UsageError, match="MOT_MAX_FRAMES is too large"):
        resolve(TrackConfig, {}, environment={"MOT_MAX_FRAMES": str(2**63)})


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_file_of_settings_is_a_regular_file(tmp_path, kind):
    if kind == "pipe":
        os.mkfifo(tmp_path / "run.toml")
    else:
        (tmp_path / "run.toml").symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="not a regular file"):
        resolve(TrackConfig, {}, tmp_path / "run.toml")
