"""Boxes that move together, as trajectories and as MOTChallenge folders, and networks for them."""

from __future__ import annotations

import numpy as np

from mot_dinov3.data.trajectories.base import Trajectories

SIZE = np.array([30.0, 60.0])


def draw_together(seed, frames=80, objects=6, *, own=0.002, shared=0.05, name="drawn"):
    """Boxes that one random walk of the velocity moves all alike, and each a little by its own.

    Args:
        seed: decides everything.
        frames: how many.
        objects: how many.
        own: change of an object's own velocity, in heights a frame.
        shared: the same of the velocity that all share.
        name: of the sequence.
    """
    rng = np.random.default_rng(seed)
    start = rng.uniform(200, 800, (objects, 2))
    camera = np.cumsum(np.cumsum(rng.normal(0, shared, (frames, 1, 2)), axis=0) * 0.5, axis=0)
    walk = np.cumsum(np.cumsum(rng.normal(0, own, (frames, objects, 2)), axis=0), axis=0)
    centre = start + SIZE[1] * (camera + walk)
    boxes = np.concatenate((centre - SIZE / 2, centre + SIZE / 2), axis=-1).astype(np.float32)
    return Trajectories(name, 30.0, boxes, boxes, np.ones((frames, objects), np.float32))


def write_sequence(folder, one, *, detections=False):
    """Write trajectories as a MOTChallenge sequence; returns the folder."""
    (folder / "gt").mkdir(parents=True)
    rows = [
        (frame + 1, number + 1, *box[:2], *(box[2:] - box[:2]), 1, 1, 1)
        for frame, boxes in enumerate(one.truth.tolist())
        for number, box in enumerate(np.array(boxes))
        if np.isfinite(box[0])
    ]
    lines = [",".join(f"{value:g}" for value in row) for row in rows]
    (folder / "gt" / "gt.txt").write_text("\n".join(lines) + "\n")
    if detections:
        (folder / "det").mkdir()
        seen = [f"{row[0]},-1,{row[2] + 2:g},{row[3]:g},{row[4]:g},{row[5]:g},0.9" for row in rows]
        (folder / "det" / "det.txt").write_text("\n".join(seen) + "\n")
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={folder.name}\nframeRate={one.fps:g}\nseqLength={len(one)}\n"
        "imWidth=1000\nimHeight=1000\n"
    )
    return folder


def make_cell(seed=0, *, noise=0.0, **changes):
    """A torch network; `noise` moves all its weights, so that it answers something."""
    import torch

    from mot_dinov3.nets.samba.cell import SambaCell, SambaShape
    from mot_dinov3.tracking.motion.samba_network import TOKENS

    torch.manual_seed(seed)
    cell = SambaCell(SambaShape(TOKENS, **{"dim": 16, "states": 4, **changes}))
    for weight in cell.parameters():
        weight.data += noise * torch.randn_like(weight)
    return cell


def weights_of(cell):
    """Its weights as a checkpoint holds them."""
    return {name: value.detach().numpy().copy() for name, value in cell.state_dict().items()}


def store_cell(folder, cell, kind="samba"):
    """Write a checkpoint of it; returns the folder."""
    from mot_dinov3.io.checkpoint import CheckpointConfig, ModelCheckpoint, save_checkpoint

    save_checkpoint(folder, ModelCheckpoint(CheckpointConfig(kind), weights_of(cell), {}))
    return folder
