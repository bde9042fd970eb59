from __future__ import annotations

import sys
import types
from time import perf_counter, sleep

import pytest

from mot_dinov3.config import DeviceConfig
from mot_dinov3.errors import DeviceError, UsageError
from mot_dinov3.runtime import device as device_module
from mot_dinov3.runtime.device import choose_device, create_synchronised_clock, create_synchroniser


@pytest.fixture
def nodes(monkeypatch, tmp_path):
    """An empty /dev of Linux, to make device nodes in."""
    monkeypatch.setattr(device_module, "DEVICE_NODES", tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


@pytest.fixture
def torch(monkeypatch, nodes):
    """A torch that has what it is told to have and counts how often it was waited for."""
    (nodes / "nvidia0").touch()
    fake = types.ModuleType("torch")
    fake.__version__, fake.waits = "9.9", []

    def has(cuda=0, mps=False):
        fake.cuda = types.SimpleNamespace(
            is_available=lambda: cuda > 0, device_count=lambda: cuda, synchronize=fake.waits.append
        )
        fake.backends = types.SimpleNamespace(mps=types.SimpleNamespace(is_available=lambda: mps))
        fake.mps = types.SimpleNamespace(synchronize=lambda: fake.waits.append("mps"))
        return fake

    fake.has = has
    monkeypatch.setitem(sys.modules, "torch", fake)
    return has()


def chosen(name="auto", cpu=False):
    return choose_device(DeviceConfig(device=name, cpu=cpu).name)


@pytest.mark.parametrize(
    ("cuda", "mps", "device"), [(2, True, "cuda:0"), (0, True, "mps"), (0, False, "cpu")]
)
def test_auto_takes_the_best(torch, cuda, mps, device):
    torch.has(cuda, mps)
    assert chosen() == device


def test_a_number_alone_is_a_cuda_device(torch):
    torch.has(cuda=2)
    assert (chosen("0"), chosen("1")) == ("cuda:0", "cuda:1")
    with pytest.raises(DeviceError, match=r"--device cuda:2 was asked for.* finds 2 CUDA devices"):
        chosen("2")
    torch.has(cuda=0)
    with pytest.raises(DeviceError, match="finds no CUDA device"):
        chosen("0")
    with pytest.raises(UsageError, match="--device '0,1' is not a device"):
        chosen("0,1")


def test_the_cpu_needs_no_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert chosen("cpu") == chosen("CPU ") == chosen(cpu=True) == "cpu"


@pytest.mark.parametrize("node", ["nvidiactl", "nvmap", "kfd", "dxg"])
def test_auto_asks_torch_only_where_a_driver_has_found_a_gpu(monkeypatch, nodes, node):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert chosen() == "cpu"
    (nodes / node).touch()
    with pytest.raises(ImportError):
        chosen()


def test_other_systems_have_to_be_asked(monkeypatch, nodes):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError):
        chosen()


def test_a_card_is_taken_by_number(torch):
    torch.has(cuda=2)
    assert (chosen("cuda"), chosen("cuda:1")) == ("cuda:0", "cuda:1")


@pytest.mark.parametrize(
    ("cuda", "name", "says"),
    [
        (0, "cuda", "no CUDA device"),
        (1, "cuda:9", "--device cuda:9 was asked for, but torch 9.9 finds 1 CUDA device."),
        (2, "cuda:2", "2 CUDA devices"),
        (0, "mps", "no MPS device"),
    ],
)
def test_a_missing_device_is_never_replaced_in_silence(torch, cuda, name, says):
    torch.has(cuda)
    with pytest.raises(DeviceError, match=says) as caught:
        chosen(name)
    assert caught.value.exit_code == 7


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "cuda:-1", "cpu:1"])
def test_a_word_that_is_no_device_is_a_usage_error(torch, name):
    with pytest.raises(UsageError, match="is not a device"):
        chosen(name)


def test_the_clock_waits_for_the_device_before_it_is_read(torch):
    assert create_synchronised_clock("cpu") is perf_counter
    for device in ("cuda:1", "mps"):
        clock = create_synchronised_clock(device)
        assert clock() <= clock()
    assert torch.waits == ["cuda:1", "cuda:1", "mps", "mps"]
    create_synchroniser("cpu")()
    assert len(torch.waits) == 4


def test_a_stopwatch_counts_what_the_work_takes():
    timed = device_module.create_stopwatch("cpu")
    done = []
    assert 20 <= timed(lambda: done.append(sleep(0.02))) < 2000
    assert len(done) == 1


@pytest.mark.gpu
def test_a_stopwatch_counts_what_the_device_does():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    matrix = torch.ones(4096, 4096, device="cuda:0")
    timed = device_module.create_stopwatch("cuda:0")
    timed(lambda: matrix @ matrix)
    once, often = timed(lambda: matrix @ matrix), timed(lambda: [matrix @ matrix for _ in range(9)])
    assert often > 4 * once > 0
