"""Recording needs CUDA; what is recorded, filled up and cut off is tested with a stand-in."""

from __future__ import annotations

import pytest

from mot_dinov3.perception.backends.graphs import BUCKETS, BucketedRuns

torch = pytest.importorskip("torch")


class Recorder:
    """Records as a CUDA graph would: the same memory every time, filled when replayed."""

    def __init__(self):
        self.shapes, self.replays, self.rows = [], 0, torch.zeros(64)

    def __call__(self, pixels):
        self.shapes.append(tuple(pixels.shape))
        return Pass(self, pixels)


class Pass:
    def __init__(self, recorder, pixels):
        self.recorder, self.pixels = recorder, pixels
        shared = recorder.rows[: len(pixels)]
        self.outputs = (shared, torch.zeros(len(pixels), 2))

    def replay(self):
        self.recorder.replays += 1
        self.outputs[0].copy_(self.pixels.sum(dim=(1, 2, 3)))
        self.outputs[1].copy_(self.pixels[:, :2, 0, 0])


def pictures(n):
    return torch.arange(n * 3 * 4, dtype=torch.float32).reshape(n, 3, 2, 2)


@pytest.mark.parametrize(
    ("n", "recorded"),
    [(1, [1]), (2, [2]), (3, [4]), (8, [8]), (9, [16]), (32, [32]), (33, [32, 1]), (70, [32, 8])],
)
def test_batches_are_filled_up_to_a_bucket_or_cut_into_several(n, recorded):
    recorder = Recorder()
    total, corner = BucketedRuns(recorder)(pictures(n))
    assert [shape[0] for shape in recorder.shapes] == recorded
    assert torch.equal(total, pictures(n).sum(dim=(1, 2, 3)))
    assert torch.equal(corner, pictures(n)[:, :2, 0, 0])


def test_every_bucket_is_recorded_once():
    recorder = Recorder()
    runs = BucketedRuns(recorder)
    for n in (5, 7, 1, 8, 6, 1):
        runs(pictures(n))
    assert recorder.shapes == [(8, 3, 2, 2), (1, 3, 2, 2)]
    assert recorder.replays == 6
    runs(torch.zeros(1, 3, 4, 4))
    assert recorder.shapes[-1] == (1, 3, 4, 4)


def test_answers_outlive_the_next_replay():
    runs = BucketedRuns(Recorder())
    first = runs(pictures(3))[0]
    kept = first.clone()
    runs(pictures(4) + 100)
    assert torch.equal(first, kept)


def test_buckets_grow_by_two():
    assert list(BUCKETS) == [2**power for power in range(6)]
