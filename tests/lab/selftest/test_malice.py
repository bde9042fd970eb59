"""The traps notice what they are for, and a few tricks are refused."""

from __future__ import annotations

import pickle
import socket
import urllib.error
import urllib.request
from contextlib import suppress

import av
import pytest

from mot_dinov3.lab.selftest import malice
from mot_dinov3.lab.selftest.base import MeasureContext
from mot_dinov3.lab.selftest.cases import (
    BrokenPromiseError,
    CannotRunError,
    SelftestCase,
    run_cases,
)
from mot_dinov3.lab.selftest.malicious_models import MODEL_TRICKS, build_evil_pickle
from mot_dinov3.lab.selftest.malicious_sources import SOURCE_TRICKS
from mot_dinov3.lab.selftest.scenes import draw_scene
from mot_dinov3.lab.selftest.traps import set_traps

TRICKS = {trick.name: trick for trick in (*SOURCE_TRICKS, *MODEL_TRICKS)}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return draw_scene(tmp_path_factory.mktemp("scene"), 6)


def run_marker(traps):
    pickle.loads(build_evil_pickle(traps.marker))


def open_secret(traps):
    traps.secret.read_bytes()


def call_home(traps):
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(traps.url, timeout=5)


def knock(traps):
    host, port = traps.url.split("/")[2].split(":")
    socket.create_connection((host, int(port))).close()


@pytest.mark.parametrize(
    ("touch", "words"),
    [
        (run_marker, "code in the file ran"),
        (open_secret, "another file was opened"),
        (call_home, r"it called an address in the file: \['GET /secret.ts"),
        (knock, "it called an address"),
    ],
)
def test_a_trap_that_is_touched_says_so(tmp_path, scene, touch, words):
    with pytest.raises(BrokenPromiseError, match=words), set_traps(tmp_path, scene.video) as placed:
        touch(placed)


def test_traps_that_nobody_touches_say_nothing(tmp_path, scene):
    with set_traps(tmp_path, scene.video) as placed:
        assert placed.secret.is_file()


LURES = ("playlist-own-name", "concat-file", "concat-http", "movie-elsewhere")


LOOSE = {
    "protocol_whitelist": "file,http,tcp,crypto,data",
    "safe": "0",
    "enable_drefs": "1",
    "use_absolute_path": "1",
    "allowed_extensions": "ALL",
    "extension_picky": "0",
}


def read_carelessly(trick, directory, scene):
    with set_traps(directory, scene.video) as placed, suppress(av.FFmpegError):
        words = trick.prepare(directory, placed)
        with av.open(str(directory / words[1]), container_options=LOOSE) as container:
            next(container.demux(), None)


@pytest.mark.parametrize("name", LURES)
def test_a_reader_that_allows_everything_is_taken_in(tmp_path, scene, name):
    """So the tricks are real: they work wherever libav is not told to leave them alone."""
    with pytest.raises(BrokenPromiseError):
        read_carelessly(TRICKS[name], tmp_path, scene)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["playlist-file", "movie-elsewhere", "sequence-elsewhere"])
def test_the_command_line_is_not_taken_in(tmp_path, scene, name):
    from mot_dinov3.lab.benchmarks.own_program import build_own_command

    bench = MeasureContext(program=tuple(build_own_command()), directory=tmp_path)
    case = SelftestCase(name, lambda place: malice.check_trick(bench, scene, TRICKS[name], place))
    assert run_cases(bench, [case]).met


def test_every_trick_can_be_made(tmp_path, scene):
    assert len(TRICKS) == len(SOURCE_TRICKS) + len(MODEL_TRICKS)
    for name, trick in TRICKS.items():
        place = tmp_path / name
        place.mkdir()
        with set_traps(place, scene.video) as placed:
            try:
                words = trick.prepare(place, placed)
            except CannotRunError:
                continue
            assert all(isinstance(word, str) for word in words)
