"""`--report` and `python cli.py report`: pages where they belong, and one sentence where not."""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers.clips import Clip, make_clip
from helpers.jobs import FRAMES, make_scene, replay
from helpers.reports import line, track, walk, write_figures, write_journal
from mot_dinov3.commands import main
from mot_dinov3.outputs.report import page as page_module

pytest.importorskip("jinja2")
pytest.importorskip("plotly")

MOST_BYTES = 15_000_000


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """The command line in an empty directory: (exit code, standard error)."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        code = main([str(word) for word in words])
        return code, capsys.readouterr().err

    return call


def data_of(page):
    """What a page's script reads."""
    return json.loads(re.search(r'id="data">(.*?)</script>', Path(page).read_text(), re.S).group(1))


def test_a_report_lies_beside_the_video_and_needs_no_other_output(run, scene, tmp_path):
    code, err = run(*replay(scene, "--report"))
    assert code == 0
    assert "outputs/tracked.html" in err.splitlines()[-1]
    files = sorted(path.name for path in (tmp_path / "outputs").iterdir())
    assert files == ["tracked.html", "tracked.mp4"]
    data = data_of("outputs/tracked.html")
    assert [chart["key"] for chart in data["charts"]] == ["timeline", "gantt", "heat", "ways"]
    assert data["span"] == [0, FRAMES - 1]
    page = Path("outputs/tracked.html").read_text()
    assert 'id="film-0-bytes"' in page
    assert page.count('<img src="data:image/jpeg') == 6


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("--report", "deep/er/page.html"), "deep/er/page.html"),
        (("--report", "--output", "there/video.mkv"), "there/video.html"),
        (("--no-video", "--report"), "outputs/tracked.html"),
    ],
)
def test_the_page_is_where_it_was_wished(run, scene, words, name):
    assert run(*replay(scene, *words, "-q")) == (0, "")
    assert Path(name).stat().st_size > 4_000_000


def test_a_run_without_a_video_shows_its_source(run, scene):
    run(*replay(scene, "--no-video", "--report", "page.html", "-q"))
    page = Path("page.html").read_text()
    assert "clip.mp4, the source itself" in page


def test_a_page_shows_no_person_of_a_run_that_hides_them(run, tmp_path, monkeypatch):
    """The pictures of identities are blurred, and the source is not inside the page."""

    def stripes(index, width, height):
        return np.where(np.indices((height, width, 3)).sum(axis=0) // 4 % 2, 220, 30).astype("u1")

    monkeypatch.setattr("helpers.clips.numbered", stripes)
    scene = make_scene(tmp_path)

    def detail(page):
        text = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)"', Path(page).read_text())
        pictures = [
            cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
            for data in text
        ]
        assert len(pictures) == 6
        return np.mean([cv2.Laplacian(picture, cv2.CV_64F).std() for picture in pictures])

    run(*replay(scene, "--no-video", "--report", "open.html", "-q"))
    hidden = (
        "--blur",
        "--labels",
        "none",
        "--save-jsonl",
        "h.jsonl",
        "--stats-json",
        "h.json",
        "-q",
    )
    run(*replay(scene, "--no-video", "--report", "hidden.html", *hidden))
    page = Path("hidden.html").read_text()
    assert "as this run hides people (--blur)" in page
    assert 'id="film-0-bytes"' not in page
    assert "clip.mp4, the source" not in page
    assert detail("hidden.html") < 0.3 * detail("open.html")
    run("report", "h.jsonl", "-o", "again.html", "-q")
    assert '<img src="data:image/jpeg' not in Path("again.html").read_text()
    run(*replay(scene, "--report", "film.html", *hidden))
    run("report", "h.jsonl", "-o", "again.html", "-q")
    assert detail("again.html") < 0.6 * detail("open.html"), "boxes are drawn into this one"


def test_the_report_is_the_same_from_the_files_of_the_run(run, scene):
    files = ("--save-jsonl", "run.jsonl", "--stats-json", "run.json")
    run(*replay(scene, "--report", *files, "-q"))
    assert run("report", "run.jsonl", "-o", "later.html", "-q") == (0, "")
    now, later = data_of("outputs/tracked.html"), data_of("later.html")
    assert now["films"] == later["films"]
    for one, other in zip(now["charts"], later["charts"], strict=True):
        if one["key"] == "gantt":
            assert one == other
    assert Path("later.html").read_text().count('<img src="data:image/jpeg') == 6


def test_a_damaged_video_is_reported_as_far_as_it_goes(run, scene, tmp_path):
    front = (("movflags", "faststart"),)
    whole = Clip(frames=FRAMES, size=(160, 120), muxer_options=front)
    clip = make_clip(tmp_path / "cut.mp4", whole)
    clip.write_bytes(clip.read_bytes()[: int(clip.stat().st_size * 0.7)])
    words = [clip if str(word).endswith("clip.mp4") else word for word in replay(scene, "--report")]
    code, _ = run(*words, "-q")
    assert code == 4
    assert 0 < data_of("outputs/tracked.html")["span"][1] < FRAMES - 1
    assert "truncated" in Path("outputs/tracked.html").read_text()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--report", "page.txt"), 2, "--report must be a name that ends in .html"),
        (("--report", "clip.mp4"), 2, "ends in .html"),
        (("--report", "x.html", "--save-csv", "x.html"), 2, "name the same file"),
        (("--report", "old.html", "--no-clobber"), 5, "exists already"),
    ],
)
def test_a_page_that_must_not_be_written_stops_the_run_before_it_begins(
    run, scene, tmp_path, words, code, says
):
    (tmp_path / "old.html").write_text("mine")
    assert run(*replay(scene, *words))[0] == code
    again, err = run(*replay(scene, *words))
    assert (again, says in err) == (code, True), err
    assert not Path("outputs").exists()
    assert (tmp_path / "old.html").read_text() == "mine"


@pytest.mark.parametrize("package", ["jinja2", "plotly"])
def test_without_its_packages_the_run_does_not_begin(run, scene, monkeypatch, package):
    found = page_module.find_spec
    monkeypatch.setattr(page_module, "find_spec", lambda n: None if n == package else found(n))
    code, err = run(*replay(scene, "--report"))
    assert code == 6
    assert package in err
    assert "[report]'" in err
    assert not Path("outputs").exists()
    assert run(*replay(scene, "-q")) == (0, "")


def test_a_page_that_cannot_be_written_is_said_and_the_rest_is_kept(run, scene, monkeypatch):
    from mot_dinov3.outputs.report import sink

    def refuse(path, text):
        from mot_dinov3.errors import cannot_write

        raise cannot_write(Path(path), OSError(28, "No space left on device"))

    monkeypatch.setattr(sink, "write_text", refuse)
    code, err = run(*replay(scene, "--report", "--save-mot", "a.txt"))
    assert code == 5
    assert "No space left" in err
    assert Path("a.txt").exists()
    assert Path("outputs/tracked.mp4").exists()


def test_the_default_page_and_a_word_about_it(run):
    write_journal(Path("run.jsonl"), walk())
    assert run("report", "run.jsonl") == (0, "wrote outputs/report.html\n")
    assert "There are no pictures of identities" in Path("outputs/report.html").read_text()


def test_two_runs_become_one_page(run):
    for name, budget in (("a", 6.0), ("b", 12.0)):
        write_journal(Path(f"{name}.jsonl"), walk())
        write_figures(Path(f"{name}.json"), config={"embed_budget_ms": budget})
    assert run("report", "a.jsonl", "b.json", "-o", "both.html", "-q") == (0, "")
    page = Path("both.html").read_text()
    assert "runs compared" in page
    assert "--embed-budget-ms" in page


def test_what_a_killed_run_left_is_reported(run):
    path = write_journal(Path("run.partial.jsonl"), walk(20))
    path.write_text(path.read_text()[:-25])
    assert run("report", path, "-o", "page.html", "-q") == (0, "")
    assert "half written" in Path("page.html").read_text()
    assert data_of("page.html")["span"] == [0, 18]


def test_a_video_that_was_moved_can_be_named(run, tmp_path):
    write_journal(Path("run.jsonl"), walk(20))
    video = make_clip(tmp_path / "moved.mp4", Clip(frames=20, size=(320, 240)))
    assert run("report", "run.jsonl", "--video", video, "-o", "page.html", "-q") == (0, "")
    page = Path("page.html").read_text()
    assert "moved.mp4, with boxes; inside this page" in page
    assert page.count('<img src="data:image/jpeg') == 6
    run("report", "run.jsonl", "--video", video, "--no-pictures", "-o", "page.html", "-q")
    assert "--no-pictures was given" in Path("page.html").read_text()


def test_a_video_that_is_called_like_the_frames_is_found(run):
    write_journal(Path("run.partial.jsonl"), walk(20))
    make_clip(Path("run.partial.mp4"), Clip(frames=20, size=(320, 240)))
    assert run("report", "run.partial.jsonl", "-o", "page.html", "-q") == (0, "")
    assert "run.partial.mp4, with boxes; inside this page" in Path("page.html").read_text()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("report",), 2, "required: RUN"),
        (("report", "gone.jsonl"), 3, "'gone.jsonl' does not exist"),
        (("report", "empty"), 3, "holds no record of a run"),
        (("report", "text.json"), 3, "neither a file of --save-jsonl"),
        (("report", "broken.jsonl"), 3, "line 2"),
        (("report", "run.jsonl", "-o", "run.jsonl"), 2, "not a name for a page"),
        (("report", "run.jsonl", "-o", "page.mp4"), 2, "not a name for a page"),
        (("report", "run.jsonl", "-o", "old.html", "--no-clobber"), 5, "exists already"),
        (("report", "run.jsonl", "-o", "empty/deep.html/x.html"), 0, ""),
        (("report", "run.jsonl", "-o", "text.json/x.html"), 5, "is not a directory"),
        (("report", "run.jsonl", "--video", "gone.mp4"), 3, "not a video that a page can show"),
        (("report", "run.jsonl", "--video", "a.mp4", "b.mp4"), 2, "more files than there are runs"),
        (("report", *(f"{n}.jsonl" for n in range(7))), 2, "7 runs are too many"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run, words, code, says):
    write_journal(Path("run.jsonl"), walk(3))
    for number in range(7):
        write_journal(Path(f"{number}.jsonl"), walk(3))
    Path("empty").mkdir()
    Path("text.json").write_text("hello")
    Path("old.html").write_text("mine")
    Path("broken.jsonl").write_text(
        json.dumps(line(0)) + "\n" + "{nonsense}\n" + json.dumps(line(2))
    )
    given, err = run(*words, "-q")
    assert (given, says in err) == (code, True), err
    assert "Traceback" not in err
    assert Path("old.html").read_text() == "mine"


@pytest.mark.slow
def test_the_page_of_ten_thousand_frames_stays_small(run, tmp_path):
    video = make_clip(tmp_path / "long.mp4", Clip(frames=50, size=(320, 240)))
    shutil.copy(video, tmp_path / "tracked.mp4")
    with Path("long.jsonl").open("w") as file:
        for index in range(10_000):
            identity = index // 40
            seen = [
                track(
                    1 + k + 8 * (identity // (k + 1)),
                    (9 * k, 20, 9 * k + 40, 120),
                    class_id=k,
                    fresh=(index + k) % 7 == 0,
                    **{"class": f"kind {k}"},
                )
                for k in range(8)
            ]
            looks = [{"id": one["id"], "similarity": 0.9, "resembles": []}
                     for one in seen if one["fresh"]]  # fmt: skip
            file.write(json.dumps(line(index, seen, looks=looks)) + "\n")
    write_figures(Path("long.json"), frames=10_000, config={"output": "tracked.mp4"})
    assert run("report", "long.jsonl", "-o", "page.html", "-q") == (0, "")
    assert Path("page.html").stat().st_size < MOST_BYTES
    data = data_of("page.html")
    assert max(len(t["x"]) for chart in data["charts"] for t in chart["traces"] if "x" in t) <= 5000
