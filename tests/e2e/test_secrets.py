"""Tokens and passwords appear in nothing that a run says or writes."""

from __future__ import annotations

import pytest

from helpers.jobs import cli, replay

TOKEN = "hf_" + "Secret" * 5
PASSWORD = "pa55word"
URL = f"rtsp://admin:{PASSWORD}@127.0.0.1:1/live"


def everything(directory, out, err):
    files = [p.read_text(errors="replace") for p in directory.rglob("*") if p.is_file()]
    return "\n".join([out, err, *files])


@pytest.mark.parametrize("words", [("--source", URL, "--debug", "-v"), ("--config", "run.toml")])
def test_a_stream_password_stays_unsaid(tmp_path, tmp_path_factory, words):
    home = tmp_path_factory.mktemp("config")
    toml = home / "run.toml"
    toml.write_text(f'source = "{URL}"\nverbose = true\ndebug = true\n')
    words = [str(toml) if word == "run.toml" else word for word in words]
    free = ("--det", "motion", "--embedder", "none", "--stats-json", "s.json")
    code, out, err = cli(*words, *free, cwd=tmp_path, HF_TOKEN=TOKEN)
    assert code == 3
    assert "127.0.0.1:1" in err
    assert PASSWORD not in everything(tmp_path, out, err)


@pytest.mark.parametrize("command", ["--print-config", "--sourc"])
def test_not_even_printed_settings_hold_secrets(tmp_path, command):
    code, out, err = cli(command, "--source", URL, "--embed-model", TOKEN, cwd=tmp_path)
    assert code in (0, 2)
    assert PASSWORD not in out + err
    assert TOKEN not in out + err


def test_a_wrong_value_with_a_secret_is_not_repeated(tmp_path):
    (tmp_path / "run.toml").write_text(f'conf = "{TOKEN}"\n')
    code, out, err = cli("--config", tmp_path / "run.toml", cwd=tmp_path, MOT_IMGSZ=URL)
    assert code == 2
    assert TOKEN not in out + err
    assert PASSWORD not in out + err


def test_results_hold_no_token(scene, tmp_path):
    words = ("--save-jsonl", "o.jsonl", "--stats-json", "s.json", "--no-video", "-v", "--debug")
    model = {"MOT_EMBED_MODEL": TOKEN, "MOT_DINOV3": f"https://me:{PASSWORD}@host/model"}
    code, out, err = cli(*replay(scene, *words), cwd=tmp_path, HF_TOKEN=TOKEN, **model)
    assert code == 0, err
    text = everything(tmp_path, out, err)
    assert '"embed_model": "***"' in text
    assert TOKEN not in text
    assert PASSWORD not in text
