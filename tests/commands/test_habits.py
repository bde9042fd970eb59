"""What users of other trackers write is tracked, or answered with the right words."""

from __future__ import annotations

import re
import shlex

import pytest

from mot_dinov3.commands import main
from mot_dinov3.commands.factory import COMMANDS
from mot_dinov3.commands.flags import resolve
from mot_dinov3.commands.habits import choose_command, is_source
from mot_dinov3.config import TrackConfig, habits
from mot_dinov3.config.flat import kinds_of
from mot_dinov3.errors import UnknownNameError, UsageError, find_habit
from mot_dinov3.perception.features.factory import EMBEDDERS

KNOWN = {
    word for action in COMMANDS.load("track").parser()._actions for word in action.option_strings
}
TABLES = {
    name: table
    for name, table in vars(habits).items()
    if name.isupper() and isinstance(table, dict) and not name.startswith("_")
}


def said(capsys, *words):
    assert main(list(words)) == 2
    return capsys.readouterr().err


def remedy(capsys, *words):
    return [line.strip() for line in said(capsys, *words).splitlines()[1:]]


@pytest.mark.parametrize(
    "word",
    ["video.mp4", "VIDEO.MKV", "clips/walk", "rtsp://cam/1", "0", "*.avi", "a?.png", "list.txt",
     "mot:DIR", "synthetic:street", "-", "picture.webp"],
)  # fmt: skip
def test_a_source_needs_no_flag(word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_source(word)
    assert choose_command([word]) == ("track", ["--source", word])
    assert choose_command(["track", word, "--hud"]) == ("track", ["--source", word, "--hud"])


def test_what_is_there_is_a_source_but_not_where_it_has_the_name_of_a_command(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name in ("walk", "demo"):
        (tmp_path / name).mkdir()
    assert choose_command(["walk"]) == ("track", ["--source", "walk"])
    assert choose_command(["demo"]) == ("demo", [])
    assert not is_source("wlak")


def test_a_source_may_stand_behind_flags():
    parser = COMMANDS.load("track").parser()
    assert parser.parse_args(["--det", "motion", "b.mp4"]).source == ["b.mp4"]
    words = ["--source", "a.mp4", "--hud", "b.mp4", "--conf", "0.4", "rtsp://c"]
    assert parser.parse_args(words).source == ["a.mp4", "b.mp4", "rtsp://c"]
    with pytest.raises(UsageError):  # "480" is not a camera here: it stands behind --imgsz
        parser.parse_args(["a.mp4", "--imgsz", "640", "480"])


def test_several_sources_stand_before_the_flags():
    words = ["a.mp4", "b.mp4", "--det", "motion"]
    assert choose_command(words) == ("track", ["--source", *words])
    assert choose_command(["--det", "motion"]) == ("track", ["--det", "motion"])
    assert choose_command([]) == ("track", [])
    assert choose_command(["eval", "a.mp4"]) == ("eval", ["a.mp4"])


def test_a_misspelt_command_lists_the_commands():
    with pytest.raises(UnknownNameError, match="Did you mean track or train"):
        choose_command(["trakc"])


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("source=video.mp4 conf=0.4", "--source video.mp4 --conf 0.4"),
        (
            "track model=yolov8n.pt source=0 imgsz=480,640",
            "--det yolov8n.pt --source 0 --imgsz 640",
        ),
        ("yolo track model=a.pt show=True half=False", "--det a.pt --show"),
        ("predict mode=track save=True classes=[0,2]", "--classes 0,2"),
        ("help", "--help"),
        ("val data=coco.yaml", "eval"),
    ],
)
def test_settings_with_an_equals_sign_are_written_as_flags(capsys, line, written):
    assert remedy(capsys, *line.split())[0] == f"Write: python cli.py {written}"


@pytest.mark.parametrize(
    ("line", "hints"),
    [
        ("--weights x.pt --img 640 --source a", ["Write --det in place of --weights.",
                                                 "Write --imgsz in place of --img."]),
        ("a.mp4 --imgsz 384x640", ["Give the longer side alone: --imgsz 640."]),
        ("a.mp4 --imgsz 640,480", ["Give the longer side alone: --imgsz 640."]),
        ("render run.jsonl", ["Write --jsonl run.jsonl in place of run.jsonl."]),
        ("relink run.jsonl --out a", ["Write --jsonl run.jsonl in place of run.jsonl."]),
        ("a.mp4 --coco a.json", ["Write --save-coco in place of --coco."]),
        ("a.mp4 --stats a.json", ["Write --stats-json in place of --stats."]),
        ("a.mp4 --no-labels", [habits.SENTENCES["hide-labels"]]),
        ("a.mp4 --heatmap", [habits.SENTENCES["heat-map"]]),
        ("a.mp4 --imgsz 640 480", ["Give the longer side alone: --imgsz 640."]),
        ("a.mp4 --classes 0 2 5", [
            "Separate the names or numbers by commas: --classes 0,2,5."]),
        ("--source a.mp4 conf=0.4", ["Write --conf 0.4 in place of conf=0.4."]),
        ("a.mp4 --hud conf=0.4", ["Write --conf 0.4 in place of conf=0.4."]),
        ("a.mp4 --hud walk", ["Put it first, or write --source walk."]),
        ("a.mp4 --save", [habits.SENTENCES["save"]]),
        ("a.mp4 --project runs --name x", [habits.SENTENCES["project"]]),
    ],
)  # fmt: skip
def test_flags_of_other_programs_are_answered_with_ours(capsys, line, hints):
    assert remedy(capsys, *line.split()) == hints


def test_a_command_without_the_flag_is_not_told_of_it(capsys):
    assert "--det" not in said(capsys, "doctor", "--weights", "x.pt")


@pytest.mark.parametrize("name", TABLES)
def test_every_flag_of_a_hint_is_a_flag(name):
    for key, text in TABLES[name].items():
        for flag in re.findall(r"--[\w-]+", text):
            assert flag in KNOWN, f"{name}[{key}] names {flag}"


@pytest.mark.parametrize("name", ["FLAGS", "SENTENCES"])
def test_no_habit_hides_a_flag_of_ours(name):
    own = {key.replace("_", "-") for key in kinds_of(TrackConfig)} - {"save"}  # needs a value
    assert not own & set(TABLES[name])
    assert not set(habits.FLAGS) & set(habits.SENTENCES)


@pytest.mark.parametrize("name", habits.WORDS)
def test_a_word_leads_to_a_command_or_a_flag(name):
    word = habits.WORDS[name]
    assert not word or word in COMMANDS or word in KNOWN
    assert name not in COMMANDS


@pytest.mark.parametrize("name", habits.TRACKERS)
def test_the_settings_in_place_of_a_tracker_are_settings(name):
    text = habits.TRACKERS[name]
    words = re.search(r"--tracker \w+(?: --[\w-]+ [\w.]*\w)*(?=\.)", text)
    if words and "out" not in words[0]:
        known, _ = COMMANDS.load("track").parser().parse_known_args(shlex.split(words[0]))
        chosen = {k: v for k, v in vars(known).items() if k in kinds_of(TrackConfig)}
        assert resolve(TrackConfig, chosen)
    with pytest.raises(UnknownNameError) as caught:
        resolve(TrackConfig, {"tracker": name})
    assert caught.value.fix.startswith(text)


@pytest.mark.parametrize(
    ("name", "key"),
    [("osnet_x0_25_msmt17.pt", "osnet"), ("OSNet", "osnet"), ("runs/lmbn_n_duke.pt", "lmbn"),
     ("resnet50", "resnet50"), ("dinov3", "dinov3")],
)  # fmt: skip
def test_an_embedder_elsewhere_is_told_how_it_runs_here(name, key):
    with pytest.raises(UnknownNameError) as caught:
        EMBEDDERS.load(name)
    assert caught.value.fix.startswith(habits.EMBEDDERS[key])


def test_names_are_compared_by_their_letters_and_the_longest_wins():
    table = {"sort": "short", "sortof": "long"}
    assert find_habit("Sort-Of.v2", table) == "long"
    assert find_habit("SORT", table) == "short"
    assert find_habit("resort", table) == ""


def test_only_pairs_that_mean_something_are_settings():
    with pytest.raises(UsageError):
        choose_command(["a.mp4", "conf=0.4"])
    assert choose_command(["./odd=name.mp4"])[0] == "track"
