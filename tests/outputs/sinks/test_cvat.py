"""CVAT for video: read as CVAT reads it, the tracks are in the frames in which they were seen."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from helpers.results import SIZE, Seen, frame_at, result_at
from mot_dinov3.config import OutputConfig, TrackConfig
from mot_dinov3.errors import InputError, OutputError, UsageError
from mot_dinov3.io.formats import cvat as cvat_module
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.outputs.sinks.cvat import CvatSink
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import TrackState

NAMES = {0: "person", 2: "car"}
LOST = Seen(3, (1, 2, 3, 4), 0.5, state=TrackState.LOST, fresh=False, seen=False)


def info(frames=0, name="walk.mp4"):
    return SourceInfo(name, *SIZE, 25.0, frames, False, None)


def written(path, *results, names=None, source=None):
    with CvatSink(str(path), names or NAMES, source or info(), StageTimer()) as sink:
        for result in results:
            sink.write(frame_at(result.frame_index), result)
    return path


def read(path, last):
    """{(label, track): {frame: box}} as CVAT shows it: a keyframe holds until the next one."""
    shown = {}
    for track in ElementTree.parse(path).getroot().iter("track"):
        here = shown.setdefault((track.attrib["label"], int(track.attrib["id"])), {})
        keys = {int(box.attrib["frame"]): box.attrib for box in track if box.tag == "box"}
        assert len(keys) == len(track), "two boxes in one frame"
        assert [*keys] == sorted(keys)
        for frame in range(min(keys), last + 1):
            key = keys[max(n for n in keys if n <= frame)]
            assert (key["occluded"], key["keyframe"], key["z_order"]) == ("0", "1", "0")
            if key["outside"] == "0":
                here[frame] = tuple(float(key[c]) for c in ("xtl", "ytl", "xbr", "ybr"))
    return shown


def box_at(n):
    return (float(n), 2.0, n + 10.0, 22.0)


def walk(frames, track_id=7, **more):
    return [result_at(n, Seen(track_id, box_at(n), **more)) for n in frames]


def test_a_track_is_shown_in_the_frames_in_which_it_was_seen(tmp_path):
    seen, gap = [*range(5), *range(9, 12)], range(5, 9)
    results = sorted(
        [*walk(seen), *[result_at(n, LOST, Seen(9, (1, 1, 5, 5))) for n in gap]],
        key=lambda result: result.frame_index,
    )
    shown = read(written(tmp_path / "a.xml", *results), last=11)
    assert shown["person", 7] == {n: box_at(n) for n in seen}
    assert set(shown["person", 9]) == {*gap}
    assert {track for _, track in shown} == {7, 9}


def test_a_track_ends_with_the_run_where_the_source_goes_on(tmp_path):
    for frames, shown in ((6, 6), (60, 6), (0, 9)):
        path = written(tmp_path / "a.xml", *walk(range(6)), source=info(frames))
        assert len(read(path, last=8 if frames != 6 else 5)["person", 7]) == shown


@pytest.mark.parametrize("frames", [6, 60, 0])
def test_no_box_is_after_the_last_frame_of_the_task(tmp_path, frames):
    root = ElementTree.parse(written(tmp_path / "a.xml", *walk(range(6)), source=info(frames)))
    last = max(int(box.attrib["frame"]) for box in root.iter("box"))
    assert last == int(root.findtext("meta/task/stop_frame"))


def test_a_stride_is_interpolated_in_between(tmp_path):
    results = [*walk(range(0, 9, 3)), result_at(9, LOST, Seen(1)), result_at(12, Seen(1))]
    root = ElementTree.parse(written(tmp_path / "a.xml", *results)).getroot()
    boxes = [(b.attrib["frame"], b.attrib["outside"]) for b in root.find("track[@id='7']")]
    assert boxes == [("0", "0"), ("3", "0"), ("6", "0"), ("9", "1")]


def test_the_head_tells_of_the_task(tmp_path):
    task = ElementTree.parse(written(tmp_path / "a.xml", *walk(range(4)))).find("meta/task")
    assert {name: task.findtext(name) for name in ("name", "size", "mode", "stop_frame")} == {
        "name": "walk.mp4", "size": "4", "mode": "interpolation", "stop_frame": "3",
    }  # fmt: skip
    assert [int(one.text) for one in task.find("original_size")] == [*SIZE]
    assert [one.text for one in task.iterfind("labels/label/name")] == ["person"]
    assert ElementTree.parse(tmp_path / "a.xml").findtext("version") == "1.1"


def test_a_track_has_the_class_that_most_of_its_boxes_have(tmp_path):
    results = [result_at(n, Seen(7, class_id=2 if n % 3 else 0)) for n in range(7)]
    assert set(read(written(tmp_path / "a.xml", *results), 6)) == {("car", 7)}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("<b>&\"'", "<b>&\"'"),
        ("bell\x07 and\x1b[31m", "bell and [31m"),
        ("half \ud800.", "half ."),
        ("]]>", "]]>"),
        ("two\nlines", "two lines"),
        ("\x01", "class 0"),
        ("人", "人"),
    ],
)
def test_any_name_is_escaped(tmp_path, name, label):
    path = written(tmp_path / "a.xml", result_at(0), names={0: name}, source=info(0, name + ".mp4"))
    assert set(read(path, 0)) == {(label, 1)}
    assert ElementTree.parse(path).findtext("meta/task/name").endswith(".mp4")


def test_boxes_are_cut_to_the_picture_and_gone_outside_of_it(tmp_path):
    boxes = [(-5, -5, 20, 20), (-30, 0, -5, 9), (np.nan, 0, 1, 2), (50, 40, 900, 900)]
    results = [result_at(n, Seen(7, box)) for n, box in enumerate(boxes)]
    shown = read(written(tmp_path / "a.xml", *results), 3)["person", 7]
    assert shown == {0: (0, 0, 20, 20), 3: (50, 40, *SIZE)}


@pytest.mark.parametrize("frames", [0, 3])
def test_a_run_without_tracks_is_a_whole_document(tmp_path, frames):
    path = written(tmp_path / "a.xml", *[result_at(n, LOST, Seen(-1, state=TrackState.TENTATIVE))
                                         for n in range(frames)])  # fmt: skip
    assert read(path, 3) == {}


def test_tracks_that_are_one_become_one(tmp_path):
    both = result_at(4, Seen(7, box_at(4)), Seen(9, box_at(4)))
    results = [*walk(range(4)), both, *walk(range(5, 8), track_id=9)]
    written(tmp_path / "a.xml", *results)
    CvatSink.rename(tmp_path / "a.xml", tmp_path / "b.xml", {9: 7})
    assert read(tmp_path / "b.xml", 7) == {("person", 7): {n: box_at(n) for n in range(8)}}
    CvatSink.rename(tmp_path / "a.xml", tmp_path / "c.xml", {})
    assert (tmp_path / "c.xml").read_bytes() == (tmp_path / "a.xml").read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "", "no xml", "<annotations>", "<annotations><track></track></annotations>",
        '<a><track id="1" label="x"><box frame="0" outside="0" xtl="nan" ytl="0" xbr="1" ybr="1"/>'
        "</track></a>",
        '<a><track id="99999999999999999999" label="x"><box frame="0" outside="0" xtl="0" ytl="0"'
        ' xbr="1" ybr="1"/></track></a>',
        '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;">]><a><meta><task><name>&c;</name>'
        "</task></meta></a>",
    ],
)  # fmt: skip
def test_what_no_run_wrote_is_refused_in_a_sentence(tmp_path, text):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(InputError, match="is not what --save-cvat writes"):
        CvatSink.rename(tmp_path / "a.xml", tmp_path / "b.xml", {})


def test_what_cannot_be_read_or_never_ends_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"gone\.xml"):
        CvatSink.rename(tmp_path / "gone.xml", tmp_path / "b.xml", {})
    (tmp_path / "long.xml").write_text('<a><track id="1" label="' + "x" * 100_000)
    with pytest.raises(InputError, match=r"long\.xml"):
        CvatSink.rename(tmp_path / "long.xml", tmp_path / "b.xml", {})


def test_a_name_that_cvat_would_not_take_is_refused():
    with pytest.raises(UsageError, match=r"--save-cvat must be a name that ends in \.xml"):
        CvatSink.check("a.json", TrackConfig(output=OutputConfig(save_cvat="a.json")))


def test_without_room_for_temporary_files_nothing_half_takes_the_name(tmp_path, monkeypatch):
    def full(self):
        raise OutputError("No room.", fix="Make some.")

    monkeypatch.setattr(cvat_module.CvatBoxes, "labels", full)
    with pytest.raises(OutputError, match="No room"):
        written(tmp_path / "a.xml", *walk(range(3)))
    assert not (tmp_path / "a.xml").exists()


def test_a_database_that_cannot_grow_is_an_output_error(tmp_path):
    with cvat_module.CvatBoxes() as boxes:
        boxes._data.execute("PRAGMA max_page_count=2")
        many = [cvat_module.CvatBox(n, 0, False, "x" * 900, 0, 0, 1, 1) for n in range(99)]
        with pytest.raises(OutputError, match="cannot be kept until the end of the run"):
            boxes.add(many)
