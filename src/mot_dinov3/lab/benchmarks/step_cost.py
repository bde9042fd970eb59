"""What a tracker's step costs in processor time, detecting and embedding left out."""

from __future__ import annotations

from time import process_time

from mot_dinov3.config import TrackConfig
from mot_dinov3.lab.recordings.clip import ClipPlayer, RecordedClip
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.modular import Models
from mot_dinov3.values import FloatArray, Image


class Prompter(ClipPlayer):
    """A player that notes how much processor time its embeddings took to look up.

    Attributes:
        looked_up_s: all so far.
    """

    looked_up_s = 0.0

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """The recorded vectors."""
        started = process_time()
        out = super().embed(image, xyxy)
        self.looked_up_s += process_time() - started
        return out


def step_costs(config: TrackConfig, recorded: RecordedClip) -> list[float]:
    """Milliseconds of predict, plan, schedule, associate and update, frame by frame.

    Processor time, so that what other programs take of the core does not count. For a process
    with one thread (`alone.one_core`) on a machine with nothing else to do it is the time that
    passes.
    """
    player = Prompter(recorded)
    tracker = assemble(config, Models(player, player if player.dim else None))
    spent_ms = []
    for frame in recorded.black_frames():
        before_s, started = player.looked_up_s, process_time()
        tracker.step(frame)
        took_s = process_time() - started - (player.looked_up_s - before_s)
        spent_ms.append(took_s * 1000)
    return spent_ms
