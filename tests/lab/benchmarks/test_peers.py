"""The tracker beside other people's: fakes for the peers, then the real ones where installed."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from mot_dinov3.commands import bench, main
from mot_dinov3.data.synthetic.crowd import CrowdConfig
from mot_dinov3.lab.benchmarks import peers, rounds, step_cost
from mot_dinov3.lab.benchmarks.bench import Bench
from mot_dinov3.lab.benchmarks.peer_link import PeerLink, save_rows
from mot_dinov3.lab.benchmarks.peer_process import PEERS, Peer, answer, track
from mot_dinov3.lab.benchmarks.rounds import ratio_figures, rounds_of
from mot_dinov3.lab.benchmarks.table import format_report
from mot_dinov3.lab.recordings.tape import TapePlayer
from mot_dinov3.systems.modular import ModularTracker

SIZE = (640, 480)


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """The boxes of a small crowd in the form that peers read."""
    monkeypatch.setattr(peers, "CROWD", CrowdConfig(people=4))
    path = tmp_path / "rows.npz"
    tape = peers.tape_of(settings(tmp_path).config, 6)
    save_rows(tape, path, SIZE)
    return path, tape


def settings(tmp_path, *words):
    return bench.build_settings(bench.parser().parse_args(list(words)), tmp_path)


def test_a_comparison_has_five_rounds_or_more():
    assert [rounds_of(asked) for asked in (1, 5, 8)] == [5, 5, 8]


def test_the_ratio_is_the_median_of_the_pairs():
    figures = ratio_figures([2.0, 30.0, 8.0], [1.0, 3.0, 2.0], "ratio")
    assert figures == {"ratio": 4.0, "least": 2.0, "most": 10.0}


def test_ours_reads_what_the_peers_read(rows):
    path, tape = rows
    again = peers.own_tape(path, 8)
    assert len(again) == len(tape) == 6
    for number, take in enumerate(tape.takes.values()):
        got = again.takes[number]
        assert np.array_equal(got.detections.xyxy, take.detections.xyxy)
        assert np.array_equal(got.detections.score, take.detections.score)
        assert got.vectors.shape == (len(take.detections), 8)


def test_own_pass_times_every_frame_and_no_lookup(rows, tmp_path, monkeypatch):
    path, _ = rows
    assert min(peers.own_pass(path, settings(tmp_path).config, 8)) > 0
    now = [0.0]
    monkeypatch.setattr(step_cost, "process_time", lambda: now[0])
    embed, step = TapePlayer.embed, ModularTracker.step

    def slow_look_up(player, image, xyxy):
        now[0] += 5.0
        return embed(player, image, xyxy)

    def slow_step(tracker, frame):
        now[0] += 0.002
        return step(tracker, frame)

    monkeypatch.setattr(TapePlayer, "embed", slow_look_up)
    monkeypatch.setattr(ModularTracker, "step", slow_step)
    config = settings(tmp_path, "--embed-policy", "always").config
    assert peers.own_pass(path, config, 8) == pytest.approx([2.0] * 6)
    assert now[0] > 5.0  # embeddings were looked up


def test_a_peer_gets_only_what_is_above_its_floor():
    seen = []
    peer = Peer(
        "numpy", lambda size: (lambda rows: rows, lambda rows: seen.append(rows) or rows), 0.5
    )
    frames = [np.array([[0, 0, 9, 9, 0.4], [0, 0, 9, 9, 0.5]]), np.empty((0, 5))]
    out = track(peer, frames, SIZE)
    assert [len(one) for one in seen] == [1, 0]
    assert len(out["ms"]) == 2
    assert out["tracks"] == 0.5


def test_a_peer_that_is_missing_or_fails_is_a_sentence(monkeypatch):
    def breaks(size):
        raise ValueError("no such luck\nat line 3")

    monkeypatch.setitem(PEERS, "absent", Peer("surely-not-installed", breaks))
    monkeypatch.setitem(PEERS, "broken", Peer("numpy", breaks))
    assert "surely-not-installed is not installed for" in answer("absent", [], SIZE)["problem"]
    assert answer("broken", [], SIZE)["problem"] == "ValueError: no such luck"


def test_a_process_that_breaks_off_is_said(rows, tmp_path):
    bad = tmp_path / "bad.npz"
    bad.write_text("no numbers")
    with PeerLink(sys.executable, bad, tmp_path / "log") as link:
        said = link.ask("norfair")["problem"]
    assert said.startswith("its process broke off: ")
    assert "Error" in said


def test_one_process_answers_for_every_peer(rows, tmp_path):
    path, _ = rows
    with PeerLink(sys.executable, path, tmp_path / "log") as link:
        replies = [link.ask(name) for name in ("norfair", "trackers SORT", "norfair")]
    for package, reply in zip(("norfair", "trackers", "norfair"), replies, strict=True):
        missing = f"{package} is not installed for {sys.executable}"
        assert reply.get("problem") == missing or len(reply["ms"]) == 6


class FakeLink:
    """Peers that take twice our time, but for one that is missing."""

    def ask(self, name):
        if name == "absent":
            return {"problem": "not here"}
        return {"ms": [70.0] * peers.SKIPPED + [4.0] * 10, "tracks": 3.0, "version": "1.0"}


def test_every_peer_fights_until_it_fails():
    duels = {"there": peers.Duel(), "absent": peers.Duel()}
    asked = []

    def own(dim):
        asked.append(dim)
        return [90.0] * peers.SKIPPED + [2.0] * 10

    for _ in range(3):
        for name, duel in duels.items():
            peers.fight(duel, own, FakeLink(), name)
    assert len(asked) == 3 + 1
    assert duels["there"].ratios() == {"ratio": 2.0, "least": 2.0, "most": 2.0}
    assert duels["absent"].problem == "not here"


def test_bars_and_missing_peers_are_in_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "BARS", {"there": 2.5})
    duels = {"there": peers.Duel([[2.0]], [[4.0]], 3.0, "1.0"), "absent": peers.Duel(problem="why")}
    tape = peers.tape_of(settings(tmp_path).config, 2)
    made = peers.report(tape, duels, [[1.0]], 1)
    text = format_report("peers", made)
    assert "NOT MET there 1.0: ratio >= 2.5" in text
    assert "skipped absent: why" in text
    assert made.as_dict()["rows"][-1] == {"label": "absent", "skipped": "why"}


def test_an_interpreter_that_is_none_is_a_sentence(capsys):
    assert main(["bench", "peers", "--peers-python", "/no/such/python"]) == 2
    assert "not a program that can be started" in capsys.readouterr().err


def test_peers_run_only_by_name():
    assert "peers" not in bench.choose_benchmarks(["all"])
    assert bench.choose_benchmarks(["peers"]) == ["peers"]


@pytest.mark.slow
def test_the_real_peers_that_are_installed_track(tmp_path, monkeypatch):
    monkeypatch.setattr(rounds, "LEAST_ROUNDS", 1)
    monkeypatch.setattr(peers, "SKIPPED", 0)
    made = peers.peers(Bench(settings(tmp_path, "peers", "--frames", "8")))
    measured = [row for row in made.rows if "ratio" in row.figures]
    if not measured:
        pytest.skip("no peer is installed")
    assert all(row.figures["p50_ms"] > 0 and row.figures["tracks"] > 0 for row in measured)
