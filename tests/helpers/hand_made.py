"""Two sequences by hand in which everything goes wrong once; see `evaluation/hand_made.json`.

The JSON holds their figures, computed from these files by TrackEval's own dataset class.
"""

from __future__ import annotations

LENGTHS = {"crowd": 40, "dance": 30}


def line(frame, identity, box, tail):
    left, top, width, height = box
    return f"{frame},{identity},{left:g},{top:g},{width:g},{height:g},{tail}\n"


def at(frame, lane, dx=0.0, dy=0.0):
    """Where somebody in a lane is: 8 pixels further right every frame."""
    return 20 + 8 * frame + dx, 30 + 150 * lane + dy, 40, 110


def crowd_truth():
    """Three pedestrians, one marked not to count, a static person and a car."""
    rows = []
    for frame in range(1, 41):
        rows += [line(frame, 1, at(frame, 0), "1,1,1"), line(frame, 2, at(frame, 1), "1,1,0.8")]
        if 11 <= frame <= 35:
            rows.append(line(frame, 3, at(frame, 2), "1,1,0.5"))
        rows.append(line(frame, 7, (600, 40, 50, 120), "0,7,1"))
        rows.append(line(frame, 8, (700, 300, 200, 90), "0,3,1"))
    return "".join(rows)


def crowd_result():
    """1 and 2 swap, 3 is found late, a gap, a shifting box, the static person and the car too."""
    rows = []
    for frame in range(1, 41):
        first, second = (5, 6) if frame < 21 else (6, 5)
        rows.append(line(frame, first, at(frame, 0, dx=frame % 5), "0.9,-1,-1,-1"))
        if not 28 <= frame <= 31:
            rows.append(line(frame, second, at(frame, 1, dy=2 * (frame % 7)), "0.8,-1,-1,-1"))
        if 20 <= frame <= 35:
            rows.append(line(frame, 9, at(frame, 2, dx=6), "0.7,-1,-1,-1"))
        rows.append(line(frame, 11, (604, 42, 50, 120), "0.9,-1,-1,-1"))
        if frame % 2:
            rows.append(line(frame, 12, (705, 300, 200, 90), "0.4,-1,-1,-1"))
    return "".join(rows)


def dance_truth():
    """Three dancers, all of one class; the third is there for a moment."""
    rows = [line(f, k, at(f, k), "1,1,1") for f in range(1, 31) for k in (0, 1)]
    return "".join([*rows, *(line(f, 2, at(f, 2), "1,1,1") for f in range(1, 11))])


def dance_result():
    """The first is cut into three identities, the second begins late, the third is missed."""
    rows = [line(f, 1 + f // 12, at(f, 0, dx=3), "0.9,-1,-1,-1") for f in range(1, 31)]
    rows += [line(f, 40, at(f, 1, dx=-4), "0.9,-1,-1,-1") for f in range(8, 31)]
    return "".join([*rows, line(2, 50, at(2, 2, dx=25), "0.9,-1,-1,-1")])


def write_all(directory):
    """`directory/truth/SEQ/...` and `directory/result/SEQ.txt`."""
    texts = {"crowd": (crowd_truth(), crowd_result()), "dance": (dance_truth(), dance_result())}
    (directory / "result").mkdir(parents=True)
    for name, (truth, result) in texts.items():
        (directory / "truth" / name / "gt").mkdir(parents=True)
        (directory / "truth" / name / "gt" / "gt.txt").write_text(truth)
        (directory / "truth" / name / "seqinfo.ini").write_text(
            f"[Sequence]\nframeRate=30\nseqLength={LENGTHS[name]}\nimWidth=960\nimHeight=540\n"
        )
        (directory / "result" / f"{name}.txt").write_text(result)
    return directory
