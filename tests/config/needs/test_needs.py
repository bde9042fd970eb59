"""Every pair of flags in the table of needs, tried through the command line as a user types it."""

from __future__ import annotations

import logging
import shlex

import pytest

from mot_dinov3.commands import track
from mot_dinov3.commands.flags import read_layers, resolve
from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.config.flat import stages
from mot_dinov3.config.needs.checking import changed_values, check_needs
from mot_dinov3.config.needs.table import NEEDS
from mot_dinov3.errors import UsageError
from mot_dinov3.scheduling.policies.settings import explain_unread

FIELDS = {
    item.metadata["flag"]: item
    for stage in stages(TrackConfig).values()
    for item in flag_fields(stage)
}
VALUES = {
    "--output": "other.mp4",
    "--embed-policy": "interval:5",
    "--embed-model": "demo",
    "--dinov3": "facebook/dinov3-vits16-pretrain-lvd1689m",
    "--save-embeddings": "all.npz",
    "--dense-size": "96x128",
    "--box": "10,20,30,40",
    "--reid-similarity": "0.7",
    "--low-conf": "0.9",
    "--workers": "2",
    "--device": "cuda",
    "--labels": "id",
}
"""Values of flags that take no number, or not any number."""
BY_THE_RUN = "sound of the source"
"""What only the run can know; `outputs/sinks/test_sinks.py` tests it."""
PAIRS = [
    pytest.param(need, flag, id=f"{flag} {need.example or need.beside}")
    for need in NEEDS
    for flag in need.flags
    if need.beside != BY_THE_RUN
]
DEFAULT_SOURCE = ["--source", "video.mp4"]


def typed(flag):
    """A flag with a value that is not its default."""
    item = FIELDS[flag]
    if isinstance(item.default, bool):
        return [f"--no-{flag[2:]}" if item.default else flag]
    if item.metadata["choices"]:
        return [flag, next(one for one in item.metadata["choices"] if one != item.default)]
    if flag in VALUES or isinstance(item.default, str):
        return [flag, VALUES.get(flag, "file.txt")]
    if isinstance(item.default, int):
        return [flag, str(item.default + 1)]
    return [flag, f"{item.default / 2 or 0.5:g}"]


def tried(*words, below=None):
    """What the command says of these words, and of the values of a file; nothing is tracked."""
    args = track.parser().parse_args([*DEFAULT_SOURCE, *words])
    chosen = {key: vars(args)[key] for key in changed(args)}
    below = dict(below or {})
    config = resolve(TrackConfig, below | chosen)
    unread = explain_unread(config.scheduler)
    return [*track.find_idle_flags(config, chosen, below), *([unread] if unread else [])]


def words_of(need):
    return shlex.split(need.example)


@pytest.mark.parametrize(("need", "flag"), PAIRS)
def test_each_pair_is_refused_or_said(need, flag):
    words = [*words_of(need), *typed(flag)]
    if need.refused:
        with pytest.raises(UsageError) as caught:
            tried(*words)
        said = [caught.value.what]
        assert caught.value.fix
        assert caught.value.exit_code == 2
    else:
        said = tried(*words)
    assert any(flag in sentence for sentence in said)
    assert all(sentence.endswith(".") and "  " not in sentence for sentence in said)


@pytest.mark.parametrize(("need", "flag"), PAIRS)
def test_a_flag_at_its_default_is_never_idle(need, flag):
    said = tried(*words_of(need))
    assert not any(sentence.startswith(flag) for sentence in said)


@pytest.mark.parametrize(
    ("need", "flag"), [pair for pair in PAIRS if pair.values[0].applies is not None]
)
def test_what_a_file_sets_counts_too(need, flag):
    words = track.parser().parse_args(typed(flag))
    below = {key: value for key, value in vars(words).items() if key in changed(words)}
    words = words_of(need)
    if not words and need.refused:  # the other one lacks, so the file alone is wrong
        with pytest.raises(UsageError):
            tried(below=below)
    else:  # what is typed goes before what a file, meant for other runs as well, holds
        assert any(flag in sentence for sentence in tried(*words, below=below))


def changed(args):
    return {*vars(args)} - {"config", "print_config"}


def test_two_settings_of_one_file_contradict_each_other():
    with pytest.raises(UsageError, match="--embed-all does nothing with --embedder none"):
        tried(below={"embedder": "none", "embed_all": True})
    with pytest.raises(UsageError):
        tried("--embed-all", below={"embedder": "none"})


def test_several_flags_make_one_sentence():
    said = tried("--no-video", "--hud", "--draw-lost", "--fps", "5")
    assert said == [
        "--fps does nothing with --no-video: it is the rate of the written video.",
        "--hud and --draw-lost do nothing with --no-video: nothing is drawn.",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "--no-video --hud --serve 0",
        "--no-video --hud --show",
        "--no-video --output a.mp4 --report",
        "--no-video --output a.mp4 --save video=b.mp4",
        "--embed-all --embed-budget-ms 5 --embed-hard-budget",
        "--target-fps 20",
        "--crops-of seen --save-crops people",
        "--crops-of seen --save crops=people",
        "--source rtsp://camera/1 --reconnect 3",
        "--source 0 --no-drop",
        "--source cameras.txt --read-timeout 3",
        "--low-conf 0.3",
        "--conf 0.05",
        "--worker-cores 2 --ray",
        "--tracker deepocsort --embedder none",
        "--tracker ocsort --momentum-span 0.2",
        "--fallback-open --embedder dense --dense-size 96x128",
        "--embedder none",
        "--no-video",
        "--quiet --debug",
        "--det-every auto --det-max 7 --searcher predict --save-searched",
        "--rescue --rescue-max 5 --rescue-budget-ms 0 --searcher predict",
        "--det-every 3 --save-searched",
        "--det-every 1",
    ],
)
def test_flags_that_do_something_are_not_spoken_of(line):
    assert tried(*line.split()) == []


def test_the_whole_configuration_as_a_file_is_no_reproach(tmp_path):
    from mot_dinov3.config.flat import to_toml

    config = resolve(TrackConfig, {"source": ["video.mp4"]})
    file = tmp_path / "run.toml"
    file.write_text(to_toml(config), encoding="utf-8")
    for words in (["--no-video"], ["--embedder", "none"], ["--embed-all"], ["--quiet"]):
        assert tried(*words, below=read_layers(TrackConfig, file)) == []


def test_the_command_says_it_before_it_begins(capsys, tmp_path, monkeypatch):
    from mot_dinov3.commands import main

    monkeypatch.chdir(tmp_path)
    logging.getLogger("mot_dinov3").handlers = []
    assert main(["no.mp4", "--no-video", "--hud"]) == 3
    first, *_ = capsys.readouterr().err.splitlines()
    assert first == "warning: --hud does nothing with --no-video: nothing is drawn."
    assert main(["no.mp4", "--no-video", "--output", "a.mp4"]) == 2
    assert main(["no.mp4", "--no-video", "--hud", "--quiet"]) == 3
    assert "warning" not in capsys.readouterr().err


def test_every_flag_of_the_table_is_a_flag():
    for need in NEEDS:
        beside = [word for word in (need.example or need.lacks).split() if word.startswith("--")]
        assert set(need.flags) | set(beside) <= {*FIELDS, "--no-journal"}, need
        assert need.beside == BY_THE_RUN or beside, need
        assert not need.why.endswith("."), need


def test_only_what_differs_from_its_default_is_changed():
    config = resolve(TrackConfig, {"conf": 0.3, "hud": True, "source": ["a.mp4"]})
    assert changed_values(config) == {"hud": True, "source": "a.mp4"}
    assert check_needs(config, {"hud"}) == []


def test_what_is_missing_for_a_search_is_named():
    for words in ("--searcher predict", "--save-searched"):
        with pytest.raises(UsageError, match="nothing without --det-every or --rescue") as caught:
            tried(*words.split())
        assert caught.value.fix == "Add --det-every FRAMES or --rescue, or leave it out."
    with pytest.raises(UsageError, match="nothing without --det-every auto") as caught:
        tried("--det-every", "3", "--det-max", "7")
    assert "Add --det-every auto" in caught.value.fix
    single = ["--system", "single", "--box", "1,2,30,40", "--searcher", "predict"]
    assert tried(*single) == []


def test_another_system_reads_flags_in_its_own_way():
    words = ["--system", "walker", "--embedder", "none", "--save-embeddings", "all.npz"]
    assert tried(*words) == []
    with pytest.raises(UsageError, match="--crops-of does nothing without --save-crops"):
        tried(*words, "--crops-of", "seen")


def test_no_pair_stands_in_the_table_twice():
    pairs = [
        (flag, need.beside, need.words)
        for need in NEEDS
        if need.applies is not None
        for flag in need.flags
    ]
    assert sorted(pairs) == sorted(set(pairs))
