from __future__ import annotations

import errno
import io
import itertools
import random

import pytest

from mot_dinov3.runs.resume.records import MAGIC, RecordWriter, read_records

PARTS = [
    (b"W", b'{"who": 1}'),
    (b"F", b"abc", b"defg"),
    (b"F", b""),
    (b"F", bytes(20)),
    (b"E", b"z"),
]


@pytest.fixture
def written(tmp_path):
    """A file of five records, and where each ends."""
    path = tmp_path / "j"
    with path.open("w+b", buffering=0) as file:
        writer = RecordWriter(file)
        ends = [writer.end]
        for kind, *data in PARTS:
            writer.append(kind, *data)
            ends.append(writer.end)
    return path, ends


def contents(path):
    return [(record.kind, record.data) for record in read_records(path)]


WHOLE = [(kind, b"".join(data)) for kind, *data in PARTS]


def test_what_was_written_is_read(written):
    path, ends = written
    assert contents(path) == WHOLE
    assert [record.end for record in read_records(path)] == ends[1:]
    assert path.read_bytes().startswith(MAGIC)


def test_a_file_cut_anywhere_gives_the_records_that_are_whole(written):
    path, ends = written
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        whole = sum(end <= size for end in ends[1:])
        assert contents(path) == WHOLE[:whole], size


def test_any_flipped_bit_ends_what_can_be_read_before_it(written):
    path, ends = written
    data = path.read_bytes()
    for place in range(len(data)):
        for bit in range(8):
            bad = bytearray(data)
            bad[place] ^= 1 << bit
            path.write_bytes(bad)
            whole = sum(end <= place for end in ends[1:])
            expected = WHOLE[:whole] if place >= len(MAGIC) else []
            assert contents(path) == expected, (place, bit)


def test_records_that_were_left_out_or_exchanged_are_noticed(written):
    path, ends = written
    data = path.read_bytes()
    pieces = [data[a:b] for a, b in itertools.pairwise(ends)]
    for order in ([0, 2, 1, 3, 4], [0, 2, 3, 4], [0, 1, 1, 2], [1, 2, 3]):
        path.write_bytes(MAGIC + b"".join(pieces[number] for number in order))
        right = next((i for i, number in enumerate(order) if number != i), len(order))
        assert contents(path) == WHOLE[:right]


def test_noise_is_no_journal(tmp_path):
    chance = random.Random(3)
    path = tmp_path / "j"
    for size in (0, 1, 20, 21, 30, 5000):
        path.write_bytes(MAGIC[:size] + chance.randbytes(max(0, size - len(MAGIC))))
        assert contents(path) == []
    path.write_bytes(MAGIC + b"\xff" * 64)  # a length of 4 GiB
    assert contents(path) == []


def test_writing_goes_on_where_reading_ended(written):
    path, _ = written
    path.write_bytes(path.read_bytes() + b"torn")
    last = list(read_records(path))[2]
    with path.open("r+b", buffering=0) as file:
        writer = RecordWriter(file, last.end, last.checksum)
        writer.append(b"F", b"new")
    assert path.stat().st_size == writer.end
    assert contents(path) == [*WHOLE[:3], (b"F", b"new")]


class FullDisk(io.BytesIO):
    """Takes `room` bytes, then refuses, in the middle of a write."""

    room = 60

    def write(self, data):
        fits = self.room - self.tell()
        if fits <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(bytes(data[:fits]))


def test_a_full_disk_leaves_no_half_record():
    file = FullDisk()
    writer = RecordWriter(file)
    writer.append(b"F", b"abc")
    whole = file.getvalue()
    with pytest.raises(OSError, match="No space"):
        writer.append(b"F", bytes(100))
    assert file.getvalue() == whole
