from __future__ import annotations

import tomllib

import pytest

from mot_dinov3.commands import main, track
from mot_dinov3.runs.jobs import job
from mot_dinov3.runs.jobs.base import JobResult


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """Replace the job by one that remembers its configuration and did as it is told."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    configs, result = [], JobResult({}, 4, ["a.mp4", "b.txt"])

    def fake(config, observer):
        configs.append(config)
        return result

    monkeypatch.setattr(job, "run_job", fake)
    return configs


def test_flags_reach_the_job_and_its_code_comes_back(ran, capsys):
    assert main(["--source", "v.mp4", "--conf", "0.5"]) == 4
    assert (ran[0].source.source, ran[0].detector.conf) == ("v.mp4", 0.5)
    assert capsys.readouterr().err == "wrote a.mp4, b.txt\n"


def test_quiet_says_nothing(ran, capsys):
    main(["--source", "v.mp4", "-q"])
    assert capsys.readouterr() == ("", "")


def test_no_source_is_refused_before_anything(ran, capsys):
    assert main([]) == 2
    assert "python cli.py demo" in capsys.readouterr().err
    assert not ran


def test_the_source_may_come_from_the_environment_or_a_file(ran, monkeypatch, tmp_path):
    (tmp_path / "run.toml").write_text('source = "file.mp4"')
    main(["--config", "run.toml"])
    monkeypatch.setenv("MOT_SOURCE", "environment.mp4")
    main(["--config", "run.toml"])
    assert [config.source.source for config in ran] == ["file.mp4", "environment.mp4"]


def test_printed_settings_run_again(ran, capsys, tmp_path):
    words = ["--source", "a 'b' \"c\".mp4", "--conf", "0.45", "--no-crop-square", "--hud"]
    assert main([*words, "--print-config"]) == 0
    printed = capsys.readouterr().out
    assert tomllib.loads(printed)["detector"]["conf"] == 0.45
    (tmp_path / "run.toml").write_text(printed)
    main(words)
    main(["--config", "run.toml"])
    assert ran[0] == ran[1]


def test_every_stage_is_a_group_of_the_help():
    text = track.parser().format_whole_help()
    for stage in ("source", "detector", "embedder", "scheduler", "tracker", "output"):
        assert f"\n{stage}:\n  " in text
