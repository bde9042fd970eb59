"""Videos on a local Ray, where a worker is killed; what is asked of clusters."""

from __future__ import annotations

import os
import signal
import socket
import sys
from dataclasses import replace
from importlib.util import find_spec

import pytest

from helpers.batches import (
    BAD,
    NAMES,
    Killer,
    batch_of,
    make_clips,
    outcomes,
    results,
    without_video,
)
from helpers.clips import read_back
from helpers.jobs import cli
from mot_dinov3.config import BatchConfig, DeviceConfig
from mot_dinov3.errors import DeviceError, InputError, ModelError
from mot_dinov3.runs.batch.base import Progress
from mot_dinov3.runs.batch.factory import create_pool
from mot_dinov3.runs.batch.on_ray import RayPool
from mot_dinov3.runs.batch.ray_cluster import QUIET, connect, plan_workers, require_ray
from mot_dinov3.runs.batch.serial import SerialPool

FRAMES = 1500
STARTS_RAY = pytest.mark.slow


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return make_clips(tmp_path_factory.mktemp("clips"), FRAMES)


@pytest.fixture(scope="module")
def ray():
    """Ray, with an environment that is as it was afterwards."""
    if find_spec("ray") is None:
        pytest.skip("the extra [ray] is not installed")
    with pytest.MonkeyPatch.context() as patch:
        for name in QUIET:
            patch.setenv(name, "0")
            patch.delenv(name)
        patch.setenv("OMP_NUM_THREADS", "1")
        yield require_ray()


@pytest.fixture(scope="module")
def local(ray):
    """A Ray on this machine alone, started once, as it takes its time."""
    here = BatchConfig(ray="local", workers=2)
    try:
        connect(ray, here)
    except DeviceError:  # on a busy machine Ray may give its own processes too little time
        connect(ray, here)
    yield
    ray.shutdown()


@STARTS_RAY
@pytest.mark.filterwarnings("default")
def test_a_killed_worker_changes_no_byte(local, clips, tmp_path, capfd):
    names = (*NAMES, BAD)
    expected = outcomes(without_video(batch_of(clips, names, tmp_path / "serial")), SerialPool())
    config = without_video(batch_of(clips, names, tmp_path / "ray", ray="local", workers=2))
    killer = Killer("two", 1)
    handler = signal.getsignal(signal.SIGTERM)
    done = outcomes(config, RayPool(config), killer)
    assert signal.getsignal(signal.SIGTERM) is handler
    assert results(tmp_path / "ray") == results(tmp_path / "serial")
    assert {name: replace(one, fps=0, written=()) for name, one in done.items()} == {
        name: replace(one, fps=0, written=()) for name, one in expected.items()
    }
    assert killer.times == 0
    assert len(set(killer.pids["two"])) == 2
    begun_by = {pids[0] for pids in killer.pids.values()} - {killer.pids["two"][0]}
    assert 1 <= len(begun_by) <= 2  # the other worker, and the one in the place of the killed
    assert capfd.readouterr() == ("", "")


@STARTS_RAY
@pytest.mark.filterwarnings("default")
def test_a_signal_ends_the_videos_on_ray_in_order(local, clips, tmp_path):
    config = batch_of(clips, NAMES, tmp_path, ray="local", workers=2)

    def on_event(event):
        if isinstance(event, Progress) and event.name == "two" and event.frames == 1:
            signal.raise_signal(signal.SIGINT)

    done = outcomes(config, RayPool(config), on_event)
    assert done["two"].exit_code == 130
    assert 0 < done["two"].frames < FRAMES
    assert not done["three"].begun
    assert len(read_back(tmp_path / "two.mp4")) == done["two"].frames
    assert not list(tmp_path.glob("*.partial*"))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "ray://127.0.0.1:{port}", "no:where"])
def test_a_cluster_that_is_not_there_is_told_at_once(ray, address):
    wrong = address.format(port=free_port())
    with pytest.raises(InputError, match=f"There is no Ray cluster at '{wrong}'") as caught:
        connect(ray, BatchConfig(ray=wrong))
    assert "--ray alone" in caught.value.fix


class UnableRay:
    """Cannot start, and says so as Ray does."""

    def __init__(self):
        self.shut = 0

    def init(self, address, **options):
        raise Exception("The current node timed out during startup. This could happen.")  # noqa: TRY002

    def shutdown(self):
        self.shut += 1


def test_a_ray_that_does_not_start_here_is_a_sentence():
    unable = UnableRay()
    with pytest.raises(
        DeviceError, match="could not be started on this machine: The cur"
    ) as caught:
        connect(unable, BatchConfig(ray="local"))
    assert "--workers" in caught.value.fix
    assert unable.shut == 1


def test_ray_that_is_not_installed_is_a_sentence(monkeypatch, clips, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    for name in QUIET:
        monkeypatch.setenv(name, "0")
    with pytest.raises(ModelError, match="--ray needs the package 'ray'") as caught:
        create_pool(batch_of(clips, NAMES, tmp_path, ray="local"), [])
    assert "[ray]" in caught.value.fix


def test_reports_to_rays_makers_cannot_be_left_on(ray, monkeypatch):
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    require_ray()
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


CPU, GPU = {"CPU": 8.0}, {"CPU": 8.0, "GPU": 2.0}


@pytest.mark.parametrize(
    ("machines", "device", "batch", "share", "places"),
    [
        ([CPU], "auto", {}, {"num_cpus": 4}, 2),
        ([CPU, {"CPU": 2.0}], "auto", {"worker_cores": 2}, {"num_cpus": 2}, 5),
        ([{"CPU": 2.0}], "auto", {}, {"num_cpus": 2}, 1),
        ([CPU], "auto", {"workers": 4}, {"num_cpus": 2}, 4),
        ([CPU], "auto", {"workers": 20}, {"num_cpus": 1}, 8),
        ([GPU, CPU], "auto", {}, {"num_cpus": 1, "num_gpus": 1}, 2),
        ([GPU], "cuda", {"worker_cores": 8}, {"num_cpus": 8, "num_gpus": 1}, 1),
        ([GPU], "cpu", {}, {"num_cpus": 4}, 2),
    ],
)
def test_what_an_actor_asks_for(clips, machines, device, batch, share, places):
    config = batch_of(clips, NAMES, clips, ray="local", **batch)
    config = replace(config, device=DeviceConfig(device=device))
    assert plan_workers(config, machines) == (share, places)


def test_a_worker_that_fits_nowhere_is_refused(clips, tmp_path):
    config = batch_of(clips, NAMES, tmp_path, ray="local", worker_cores=9)
    with pytest.raises(DeviceError, match="has 9 processors"):
        plan_workers(config, [CPU, CPU])


def test_a_missing_ray_is_told_on_the_command_line(tmp_path):
    (tmp_path / "ray.py").write_text("raise ImportError('none')\n")
    code, _, err = cli("--source", "a.mp4", "b.mp4", "--ray", cwd=tmp_path, PYTHONPATH=tmp_path)
    assert code == 6
    assert err.startswith("error: --ray needs the package 'ray', which is not installed.")
