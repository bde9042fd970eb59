"""Text outputs under other identities: nothing else changes, and nobody is twice in a frame."""

from __future__ import annotations

import json

import pytest

from mot_dinov3.errors import InputError
from mot_dinov3.outputs.sinks.factory import SINKS
from mot_dinov3.outputs.sinks.renaming import choose_rows

NEW_OF = {7: 1, 9: 1}


def renamed(tmp_path, kind, text, new_of=NEW_OF):
    source, target = tmp_path / "old", tmp_path / "new"
    source.write_text(text, encoding="utf-8")
    target.touch()
    SINKS.load(kind).rename(source, target, new_of)
    return target.read_text(encoding="utf-8")


def test_mot_text(tmp_path):
    text = "1,7,1.00,2.00,3.00,4.00,0.9000,-1,-1,-1\n1,17,7.00,7.00,7.00,7.00,7.0000,-1,-1,-1\n"
    assert renamed(tmp_path, "mot", text) == text.replace("1,7,1.00", "1,1,1.00")
    assert renamed(tmp_path, "mot", "") == ""


def test_a_table_keeps_its_header_and_its_odd_names(tmp_path):
    head = "frame,time_s,id,class_id,class,state,seen,embedded,x1,y1,x2,y2,score\n"
    rows = ('0,0.04,7,0,"a, ""b""",confirmed,1,0,1,2,3,4,0.5\n'
            "0,0.04,8,0,'=7,confirmed,1,0,7,7,7,7,0.7\n")  # fmt: skip
    found = renamed(tmp_path, "csv", head + rows)
    assert found == head + rows.replace("0.04,7,0", "0.04,1,0")


def test_in_a_table_who_is_seen_stays_and_who_is_only_predicted_goes(tmp_path):
    rows = ["0,0,1,0,a,lost,0,0,1,2,3,4,0.5", "0,0,7,0,a,tentative,1,0,9,9,9,9,0.5",
            "1,1,1,0,a,lost,0,0,1,2,3,4,0.5", "1,1,8,0,a,lost,0,0,1,2,3,4,0.5"]  # fmt: skip
    found = renamed(tmp_path, "csv", "\n".join(rows) + "\n").splitlines()
    assert found == [rows[1].replace("0,0,7", "0,0,1"), rows[2], rows[3]]


def line(*tracks, looks=()):
    """A journal's line of (id, detection) tracks."""
    rows = [{"id": n, "xyxy": [0.1, 2.5, 3, 4], "detection": row} for n, row in tracks]
    record = {"frame": 3, "tracks": rows, "looks": [dict(look) for look in looks]}
    return json.dumps(record, separators=(",", ":")) + "\n"


def test_a_journal(tmp_path):
    looks = [{"id": 7, "similarity": None, "resembles": [[1, 0.5], [3, 0.25], [9, 0.1]]}]
    found = renamed(tmp_path, "jsonl", line((7, 0), (2, 1), (1, None), looks=looks))
    looks[0] |= {"id": 1, "resembles": [[3, 0.25]]}
    assert found == line((1, 0), (2, 1), looks=looks)


def test_a_journal_from_before_looks_were_written(tmp_path):
    old = json.loads(line((7, 0)))
    del old["looks"]
    assert json.loads(renamed(tmp_path, "jsonl", json.dumps(old) + "\n"))["tracks"][0]["id"] == 1


def test_decisions_of_nobody_stay_nobodys(tmp_path):
    text = '{"frame":1,"track":7,"reason":"drift"}\n{"frame":1,"track":null,"reason":"poor"}\n'
    assert renamed(tmp_path, "trace", text) == text.replace('"track":7', '"track":1')


def test_with_nobody_to_rename_every_byte_stays(tmp_path):
    text = line((7, 0), (2, 1), (1, None), looks=[{"id": 7, "resembles": [[1, 0.5]]}])
    assert renamed(tmp_path, "jsonl", text, {}) == text


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ([(1, False), (7, True)], {1: 1}),
        ([(7, True), (1, False)], {0: 1}),
        ([(1, False), (7, False)], {1: 1}),
        ([(9, False), (1, False), (7, False)], {0: 1}),
        ([(9, False), (1, False), (7, True)], {2: 1}),
        ([(2, False), (7, True), (3, True)], {0: 2, 1: 1, 2: 3}),
        ([], {}),
    ],
)
def test_one_of_each_stays_the_seen_one_or_the_latest(rows, kept):
    assert choose_rows(rows, NEW_OF) == kept


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("mot", "1,x,1,2,3,4"),
        ("mot", "1"),
        ("csv", "0,0,x,0,a,lost,0,0,1,2,3,4,0.5"),
        ("csv", "0,0,7"),
        ("jsonl", '{"frame":1}'),
        ("jsonl", "[1]"),
        ("jsonl", "{"),
        ("jsonl", '{"tracks":[{"id":[],"detection":1}]}'),
        ("trace", "7"),
    ],
)
def test_a_line_that_is_none_of_ours_is_named(tmp_path, kind, bad):
    good = {"mot": "1,1,1,2,3,4\n", "csv": "", "jsonl": line((1, 0)), "trace": '{"track":1}\n'}
    with pytest.raises(InputError, match=f"line {good[kind].count(chr(10)) + 1}: it is not what"):
        renamed(tmp_path, kind, good[kind] + bad + "\n")


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="Cannot read"):
        SINKS.load("mot").rename(tmp_path / "none", tmp_path / "new", {})
