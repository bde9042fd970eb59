"""Recording needs CUDA; what is recorded, filled up and cut off is tested with a stand-in."""

from __future__ import annotations

import pytest

from mot_dinov3.perception.backends import graphs
from mot_dinov3.perception.backends.graphs import BUCKETS, BucketedRuns, CudaGraphs

torch = pytest.importorskip("torch")


class Recorder:
    """Records as a CUDA graph would: the same memory every time, filled when replayed."""

    def __init__(self):
        self.shapes, self.replays, self.rows = [], 0, torch.zeros(64)
        self.strides = []

    def __call__(self, pixels):
        self.shapes.append(tuple(pixels.shape))
        self.strides.append(pixels.stride())
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


def test_a_recorded_pass_reads_the_layout_that_the_network_was_placed_for():
    recorder = Recorder()
    runs = BucketedRuns(recorder)
    runs(pictures(3).contiguous(memory_format=torch.channels_last))
    runs(pictures(1))
    assert recorder.strides == [(12, 1, 6, 3), (12, 4, 2, 1)]


class Anchored:
    """Keeps, as Ultralytics' heads do, what belongs to the size of its last input."""

    def __init__(self):
        self.anchors = torch.empty(0)

    def record(self, pixels):
        if len(self.anchors) != pixels.shape[2]:
            self.anchors.fill_(float("nan"))  # its memory has gone to others
            self.anchors = torch.arange(pixels.shape[2], dtype=torch.float32)
        return AnchoredPass(pixels, self.anchors)


class AnchoredPass:
    def __init__(self, pixels, anchors):
        self.pixels, self.anchors = pixels, anchors
        self.outputs = (torch.zeros(len(pixels)),)

    def replay(self):
        self.outputs[0].copy_(self.pixels.mean(dim=(1, 2, 3)) + self.anchors.sum())


def test_what_belongs_to_another_size_of_pictures_is_not_read_again():
    large, small = torch.ones(1, 3, 4, 4), torch.ones(1, 3, 2, 2)
    loose = BucketedRuns(Anchored().record)
    loose(large), loose(small)
    assert torch.isnan(loose(large)[0])  # the fault that `one_size` is for
    runs = BucketedRuns(Anchored().record, one_size=True)
    assert runs(large)[0].tolist() == runs(large)[0].tolist() == [7.0]
    with pytest.raises(RuntimeError, match="pictures of one size"):
        runs(small)
    assert runs(small)[0].tolist() == [2.0]


@pytest.fixture
def captures(monkeypatch):
    """Stands in for captures: each takes the next of these errors, and notes its pool."""
    errors, pools = [], []

    def capture(forward, pixels, pool):
        pools.append(pool)
        if errors and (error := errors.pop(0)):
            raise error
        return "recorded"

    numbers = iter(range(9))
    monkeypatch.setattr(graphs, "_CudaGraph", capture)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: next(numbers), raising=False)
    return errors, pools


def test_a_capture_that_fails_is_tried_once_more_with_memory_of_its_own(captures):
    errors, pools = captures
    record = CudaGraphs(None)
    errors[:] = [RuntimeError("operation failed due to a previous error during capture")]
    assert record(None) == record(None) == "recorded"
    assert pools == [0, 1, 1]
    errors[:] = [RuntimeError("not permitted")] * 2
    with pytest.raises(RuntimeError, match="not permitted"):
        record(None)
    assert pools == [0, 1, 1, 1, 2]


@pytest.mark.parametrize("said", ["CUDA out of memory", "CUBLAS_STATUS_ALLOC_FAILED"])
def test_a_capture_without_memory_is_not_tried_again(captures, said):
    errors, pools = captures
    errors[:] = [RuntimeError(said)]
    with pytest.raises(RuntimeError, match=said):
        CudaGraphs(None)(None)
    assert pools == [0]


def test_a_capture_watches_its_own_thread_alone(monkeypatch):
    """Another one may encode with NVENC meanwhile."""
    from contextlib import nullcontext

    asked = []

    class Stream:
        def wait_stream(self, other):
            pass

    stand_in = {
        "device": lambda device: nullcontext(),
        "Stream": Stream,
        "current_stream": Stream,
        "stream": lambda side: nullcontext(),
        "CUDAGraph": object,
        "graph": lambda graph, **how: asked.append(how) or nullcontext(),
    }
    for name, value in stand_in.items():
        monkeypatch.setattr(torch.cuda, name, value)
    calls = []
    graph = graphs._CudaGraph(lambda pixels: calls.append(1) or ("out",), torch.zeros(1), "pool")
    assert asked == [{"pool": "pool", "capture_error_mode": "thread_local"}]
    assert (len(calls), graph.outputs) == (graphs.WARM_UPS + 1, ("out",))
