"""Talks to `peer_process.py`, which runs in the interpreter that has the peers."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Self

import numpy as np

from mot_dinov3.lab.benchmarks import peer_process
from mot_dinov3.lab.benchmarks.machine import THREADS
from mot_dinov3.lab.benchmarks.program import find_last_line
from mot_dinov3.lab.recordings.clip import RecordedClip
from mot_dinov3.perception.detectors.ultralytics_setup import environment


def save_rows(recorded: RecordedClip, path: Path, size: tuple[int, int]) -> None:
    """Write a clip's boxes for the peers: rows of frame, x1, y1, x2, y2, score."""
    parts = [
        np.column_stack(
            (np.full(len(frame.detections), number), frame.detections.xyxy, frame.detections.score)
        )
        for number, frame in enumerate(recorded.frames.values())
    ]
    rows = np.concatenate([np.empty((0, 6)), *parts])
    np.savez(path, rows=rows, frames=np.array(len(recorded)), size=np.array(size))


def build_peers_environment() -> dict[str, str]:
    """Collect the variables of a peer's process: it gets no network."""
    return {**os.environ, **environment(), "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}


class PeerLink:
    """One process for all passes of all peers, with one thread, so that imports are paid once."""

    def __init__(self, python: str, rows: Path, log: Path) -> None:
        """Say what to start; nothing runs yet.

        Args:
            python: the interpreter that has the peers.
            rows: what `save_rows` wrote.
            log: where its standard error goes.
        """
        self._words = [python, str(Path(peer_process.__file__)), str(rows)]
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self._end()

    def ask(self, name: str) -> dict[str, Any]:
        """One pass of a peer: `ms`, `tracks` and `version`, or `problem` in words."""
        try:
            process = self._process = self._process or self._start()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(name + "\n")
            process.stdin.flush()
            reply: dict[str, Any] = json.loads(process.stdout.readline())
        except (OSError, ValueError) as error:
            self._end()
            return {"problem": f"its process broke off: {self._last_words() or error}"}
        return reply

    def _start(self) -> subprocess.Popen[str]:
        alone = build_peers_environment() | dict.fromkeys(THREADS, "1")
        with self._log.open("w") as log:
            return subprocess.Popen(
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=alone,
            )

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue
        process.kill()
        process.wait()

    def _last_words(self) -> str:
        return find_last_line(self._log.read_text(errors="replace")) if self._log.is_file() else ""
