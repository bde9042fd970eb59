"""Runs other people's trackers in the interpreter that has them; `peer_link.py` talks to it.

It stands alone and imports nothing of this package, so that its interpreter needs the peers only.
Each line of standard input names a peer; the answer is one line of JSON: `ms` of every frame and
`tracks` a frame, or `problem`.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from time import process_time
from typing import Any, TypeAlias

import numpy as np

Rows: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"
Prepare: TypeAlias = Callable[[Rows], Any]
Step: TypeAlias = Callable[[Any], Any]
Size: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Peer:
    """A tracker of another project.

    Attributes:
        package: what must be installed.
        make: (width, height) -> what turns (N, 5) rows x1 y1 x2 y2 score into the tracker's own
            input (not timed), and what tracks one such input (timed).
        floor: confidence below which the library hands its tracker nothing.
        settings: what differs from its defaults, in words.
    """

    package: str
    make: Callable[[Size], tuple[Prepare, Step]]
    floor: float = 0.0
    settings: str = "defaults"


def roboflow(name: str, size: Size) -> tuple[Prepare, Step]:
    """A tracker of Roboflow's `trackers`."""
    import supervision
    import trackers

    def prepare(rows: Rows) -> Any:  # noqa: ANN401 - the peer's own type
        return supervision.Detections(
            xyxy=rows[:, :4].astype(np.float32),
            confidence=rows[:, 4].astype(np.float32),
            class_id=np.zeros(len(rows), int),
        )

    return prepare, getattr(trackers, name)().update


def boxmot(name: str, size: Size, **options: object) -> tuple[Prepare, Step]:
    """A tracker of BoxMOT, in its default Python implementation."""
    from boxmot.trackers import TrackerSpec, create_tracker

    tracker = create_tracker(TrackerSpec(name, options=tuple(sorted(options.items()))))
    image = np.zeros((size[1], size[0], 3), np.uint8) if tracker.requirements.frame else None

    def prepare(rows: Rows) -> Any:  # noqa: ANN401 - the peer's own type
        return np.column_stack((rows, np.zeros(len(rows))))

    return prepare, lambda rows: tracker.update(rows, image)


def ultralytics(name: str, size: Size) -> tuple[Prepare, Step]:
    """A tracker of Ultralytics, with the settings it ships with."""
    from ultralytics.engine.results import Boxes
    from ultralytics.trackers.track import TRACKER_MAP
    from ultralytics.utils import ROOT, YAML, IterableSimpleNamespace

    settings = IterableSimpleNamespace(**YAML.load(ROOT / "cfg" / "trackers" / f"{name}.yaml"))
    settings.device, settings.with_reid, settings.gmc_method = "cpu", False, "none"
    tracker = TRACKER_MAP[name](settings)
    image = np.zeros((size[1], size[0], 3), np.uint8)

    def prepare(rows: Rows) -> Any:  # noqa: ANN401 - the peer's own type
        table = np.column_stack((rows, np.zeros(len(rows)))).astype(np.float32)
        return Boxes(table, (size[1], size[0]))

    return prepare, lambda found: tracker.update(found, image)


def norfair(size: Size) -> tuple[Prepare, Step]:
    """Norfair, which has no default distance, as its MOT demo sets it up."""
    from norfair import Detection, Tracker

    tracker = Tracker(
        "iou", 0.9, detection_threshold=0.5, hit_counter_max=8, pointwise_hit_counter_max=3
    )

    def prepare(rows: Rows) -> Any:  # noqa: ANN401 - the peer's own type
        return [Detection(row[:4].reshape(2, 2), np.array([row[4], row[4]])) for row in rows]

    return prepare, tracker.update


NO_PICTURES = "defaults, without pictures: no appearance, no camera motion"

PEERS = {
    "trackers SORT": Peer("trackers", partial(roboflow, "SORTTracker"), 0.5),
    "trackers ByteTrack": Peer("trackers", partial(roboflow, "ByteTrackTracker"), 0.1),
    "trackers OC-SORT": Peer("trackers", partial(roboflow, "OCSORTTracker")),
    "boxmot sfsort": Peer("boxmot", partial(boxmot, "sfsort")),
    "boxmot bytetrack": Peer("boxmot", partial(boxmot, "bytetrack")),
    "boxmot ocsort": Peer("boxmot", partial(boxmot, "ocsort")),
    "boxmot botsort": Peer(
        "boxmot",
        partial(boxmot, "botsort", use_embeddings=False, use_cmc=False),
        settings=NO_PICTURES,
    ),
    "ultralytics BYTETracker": Peer("ultralytics", partial(ultralytics, "bytetrack"), 0.1),
    "ultralytics BOTSORT": Peer("ultralytics", partial(ultralytics, "botsort"), 0.1, NO_PICTURES),
    "norfair": Peer("norfair", norfair, 0.5, "iou, distance 0.9, as in its MOT demo"),
}


def track(peer: Peer, frames: Iterable[Rows], size: Size) -> dict[str, Any]:
    """Track all frames with a new tracker; only its own step is on the (processor's) clock."""
    prepare, step = peer.make(size)
    spent_ms, tracks = [], 0
    for rows in frames:
        found = prepare(rows[rows[:, 4] >= peer.floor])
        started = process_time()
        out = step(found)
        spent_ms.append((process_time() - started) * 1000)
        tracks += len(out)
    return {"ms": spent_ms, "tracks": tracks / max(len(spent_ms), 1)}


def answer(name: str, frames: Iterable[Rows], size: Size) -> dict[str, Any]:
    """Track with one peer; a failure becomes words, as it must not end the other peers."""
    peer = PEERS[name]
    try:
        version = importlib.metadata.version(peer.package)
        return {"version": version, **track(peer, frames, size)}
    except importlib.metadata.PackageNotFoundError:
        return {"problem": f"{peer.package} is not installed for {sys.executable}"}
    except Exception as error:
        return {"problem": f"{type(error).__name__}: {error}".splitlines()[0]}


def main() -> None:
    """Answer on the real standard output; what the peers print goes to standard error."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with np.load(sys.argv[1]) as recorded:
        rows, count, size = recorded["rows"], int(recorded["frames"]), recorded["size"]
    frames = [rows[rows[:, 0] == number, 1:] for number in range(count)]
    for line in sys.stdin:
        reply = answer(line.strip(), frames, (int(size[0]), int(size[1])))
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
