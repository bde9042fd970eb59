"""Cameras tracked together: each as if it were alone, and none held up by another."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from dataclasses import replace

from helpers.added import system
from helpers.feeds import stream_bytes
from helpers.jobs import records, tiny_onnx
from helpers.loopback import LoopbackCamera, file_camera
from mot_dinov3.config import (
    BatchConfig,
    DetectorConfig,
    DeviceConfig,
    EmbedderConfig,
    LiveConfig,
    OutputConfig,
    SchedulerConfig,
    SourceConfig,
    TrackConfig,
    TrackerConfig,
)
from mot_dinov3.errors import EXIT_INPUT, EXIT_MODEL, EXIT_PARTIAL, EXIT_SIGTERM
from mot_dinov3.runs.batch.base import CameraState, CameraSummary, TaskOutcome
from mot_dinov3.runs.batch.run import choose_exit_code, run_batch
from mot_dinov3.runs.batch.tasks import create_tasks
from mot_dinov3.runs.cameras.pool import CameraPool
from mot_dinov3.runs.cameras.shared import CameraSystem
from mot_dinov3.runs.jobs.job import run_job
from mot_dinov3.systems.factory import SYSTEMS

LONG_S = 30
SIZE = (160, 120)
FRAMES = 60


def config_of(out, *urls, live=None, **more):
    return TrackConfig(
        source=SourceConfig(urls[0]),
        detector=DetectorConfig(more.pop("det", "motion")),
        device=DeviceConfig(device="cpu"),
        embedder=more.pop("embedder", EmbedderConfig("none")),
        output=OutputConfig(no_video=True, save_jsonl=str(out / "{name}.jsonl"),
                            stats_json=str(out / "{name}.json")),
        batch=BatchConfig(sources=urls),
        live=live or LiveConfig(),
        **more,
    )  # fmt: skip


def track(config, on_event=lambda event: None):
    """Outcomes of all cameras in order, and the events."""
    events = []

    def note(event):
        events.append(event)
        on_event(event)

    tasks = create_tasks(config)
    return run_batch(tasks, CameraPool(config, tasks), note), events


def stats(out, outcome):
    return json.loads((out / f"{outcome.name}.json").read_text())


def scene(tmp_path, frames=FRAMES, start_s=0.0):
    return stream_bytes(tmp_path, frames=frames, size=SIZE, start_s=start_s)


def stored_boxes(tmp_path, *names):
    """`--det` for cameras of these names: two boxes that walk right, later ones further down."""
    for number, name in enumerate(names):
        rows = [f"{index + 1},-1,{10 + index},{top + 5 * number},20,40,0.9"
                for index in range(FRAMES) for top in (10, 60)]  # fmt: skip
        (tmp_path / f"{name}.txt").write_text("\n".join(rows) + "\n")
    return f"mot:{tmp_path}/{{name}}.txt"


def port_of(camera):
    return camera.url.rpartition(":")[2]


def test_each_is_tracked_as_if_it_were_alone(tmp_path):
    """Nothing of a file behind an address is dropped, so that the outputs can be compared."""
    model = str(tiny_onnx(tmp_path / "mean.onnx"))
    more = {
        "embedder": EmbedderConfig("onnx", embed_model=model),
        "scheduler": SchedulerConfig(budget_crops=1),
    }
    scenes = [scene(tmp_path), scene(tmp_path, frames=FRAMES - 15)]
    more["det"] = stored_boxes(tmp_path, "127.0.0.1-live", "127.0.0.1-live-2")
    with ExitStack() as stack:
        urls = [stack.enter_context(file_camera(data)).url for data in scenes]
        done, events = track(config_of(tmp_path, *urls, **more))
    assert [one.exit_code for one in done] == [0, 0], done
    assert {one.name for one in events if isinstance(one, CameraSummary)} == {
        one.name for one in done
    }
    assert [one.frames for one in done] == [FRAMES, FRAMES - 15]
    for number, (data, one) in enumerate(zip(scenes, done, strict=True)):
        with file_camera(data) as alone:
            det = {"det": f"mot:{tmp_path}/{one.name}.txt"}
            config = config_of(tmp_path, alone.url, **more | det)
            path = tmp_path / f"alone{number}.jsonl"
            run_job(replace(config, output=OutputConfig(no_video=True, save_jsonl=str(path))))
        together = records(tmp_path / f"{one.name}.jsonl")
        for first, second in zip(together, records(path), strict=True):
            assert comparable(first) == comparable(second)
        assert {track["id"] for line in together for track in line["tracks"]} == {1, 2}
    assert stats(tmp_path, done[0])["embeddings"]["computed"] > 0


def comparable(record):
    """A line of a frame log without the times that it took."""
    return {key: record[key] for key in ("frame", "time_s", "tracks")}


def test_one_that_is_killed_and_comes_back_does_not_disturb_the_other(tmp_path):
    half = scene(tmp_path, frames=30), scene(tmp_path, frames=25, start_s=40.0)
    live = LiveConfig(reconnect=2, no_drop=True)
    with (
        LoopbackCamera(*half, lasts_s=0.3) as killed,
        file_camera(scene(tmp_path), lasts_s=2.5) as steady,
    ):
        det = stored_boxes(tmp_path, port_of(killed), "live")
        done, events = track(config_of(tmp_path, killed.url, steady.url, live=live, det=det))
        assert killed.calls == 2
    first, second = done
    assert (first.exit_code, second.exit_code) == (EXIT_PARTIAL, 0), "it is gone in the end"
    assert choose_exit_code(done) == EXIT_PARTIAL
    assert first.reason.startswith("lost")
    faults = stats(tmp_path, first)["faults"]
    assert (faults["gaps"], faults["reconnects"]) == (2, 1)
    assert 45 <= first.frames <= 55
    assert second.frames == FRAMES
    assert not any(stats(tmp_path, second)["faults"].values())
    ids = [{track["id"] for line in records(tmp_path / f"{one.name}.jsonl")
            for track in line["tracks"]} for one in done]  # fmt: skip
    assert {1, 2} == ids[1] <= ids[0], "each camera counts its identities by itself"
    states = [event for event in events if isinstance(event, CameraState)]
    assert {state.name for state in states} == {first.name, second.name}
    assert any("connect again" in state.condition for state in states if state.name == first.name)
    assert all(state.condition == "connected" for state in states if state.name == second.name)


def test_one_that_never_answers_does_not_stop_the_other(tmp_path):
    with file_camera(scene(tmp_path)) as good, LoopbackCamera() as dead:
        dead.__exit__()
        done, _ = track(config_of(tmp_path, dead.url, good.url))
    assert [one.exit_code for one in done] == [EXIT_INPUT, 0]
    assert done[1].frames == FRAMES
    assert choose_exit_code(done) == EXIT_PARTIAL


def test_models_that_cannot_be_loaded_are_told_once(tmp_path):
    more = {"embedder": EmbedderConfig("onnx", embed_model=str(tmp_path / "gone.onnx"))}
    with file_camera(scene(tmp_path)) as one, file_camera(scene(tmp_path)) as two:
        done, _ = track(config_of(tmp_path, one.url, two.url, **more))
    told = [outcome for outcome in done if outcome.begun]
    assert [outcome.exit_code for outcome in told] == [choose_exit_code(done)]
    assert choose_exit_code(done) in (EXIT_MODEL, EXIT_INPUT)
    (other,) = (outcome for outcome in done if not outcome.begun)
    assert "every camera would fail" in other.reason


def test_a_camera_that_never_came_to_the_models_does_not_speak_for_them(tmp_path):
    more = {"embedder": EmbedderConfig("onnx", embed_model=str(tmp_path / "gone.onnx"))}
    with file_camera(scene(tmp_path)) as one, LoopbackCamera() as dead:
        dead.__exit__()
        config = config_of(tmp_path, one.url, dead.url, **more)
        tasks = create_tasks(config)
        pool = CameraPool(config, tasks)
        pool.cameras[0]._thread.start()
        pool._thread.__enter__()
        pool.cameras[0].wait(LONG_S)
        waiting = [pool._events.get() for _ in range(pool._events.qsize())]
        refused = TaskOutcome(tasks[1].name, dead.url, EXIT_INPUT, "It does not answer.")
        assert pool._explain(refused) == refused
        assert pool._explain(waiting[-1]).common
        pool._thread.__exit__()


def test_a_stop_ends_all_of_them_in_order(tmp_path):
    hold = threading.Event()
    with LoopbackCamera((scene(tmp_path), hold)) as a, LoopbackCamera((scene(tmp_path), hold)) as b:
        config = config_of(tmp_path, a.url, b.url, live=LiveConfig(no_drop=True))
        tasks = create_tasks(config)
        pool, seen = CameraPool(config, tasks), set()

        def stop(event):
            if isinstance(event, CameraState):
                seen.add(event.name)
            if len(seen) == 2:
                pool.stop()

        done = run_batch(tasks, pool, stop)
        hold.set()
    assert [one.exit_code for one in done] == [EXIT_SIGTERM] * 2
    for one in done:
        assert len(records(tmp_path / f"{one.name}.jsonl")) == one.frames > 0
        assert stats(tmp_path, one)["stopped_by_signal"] == EXIT_SIGTERM - 128


def test_an_interruption_cuts_them_off_at_once(tmp_path):
    hold = threading.Event()
    with LoopbackCamera((scene(tmp_path), hold)) as a, LoopbackCamera((scene(tmp_path), hold)) as b:
        live = LiveConfig(no_drop=True)

        def interrupt(event):
            if isinstance(event, CameraState):
                raise KeyboardInterrupt

        done, _ = track(config_of(tmp_path, a.url, b.url, live=live), interrupt)
        hold.set()
    assert [one.exit_code for one in done] == [130, 130]
    assert all(isinstance(one, TaskOutcome) and one.reason == "cut off" for one in done)
    for one in done:
        assert records(tmp_path / f"{one.name}.jsonl"), "what was tracked is whole all the same"


def test_what_remembers_frames_is_each_cameras_own(tmp_path):
    with file_camera(scene(tmp_path)) as one, file_camera(scene(tmp_path, frames=50)) as two:
        config = config_of(tmp_path, one.url, two.url)
        tasks = create_tasks(config)
        pool = CameraPool(config, tasks)
        run_batch(tasks, pool, lambda event: None)
    first, second = (camera._system._own.parts.detector for camera in pool.cameras)
    assert first is not second


def test_any_system_is_tracked_for_several_cameras(tmp_path, monkeypatch):
    """A system of a few lines knows nothing of cameras."""
    monkeypatch.setitem(SYSTEMS.table, "walker", system.LINE)
    with file_camera(scene(tmp_path)) as one, file_camera(scene(tmp_path, frames=50)) as two:
        tracker = TrackerConfig(system="walker")
        done, _ = track(config_of(tmp_path, one.url, two.url, tracker=tracker))
    assert [outcome.frames for outcome in done] == [FRAMES, 50]
    assert [outcome.tracks for outcome in done] == [1, 1]


def test_a_camera_may_have_models_of_its_own(tmp_path):
    loaded = CameraSystem.load(config_of(tmp_path, "rtsp://door/1"))
    assert dict(loaded.names) == {0: "moving"}
    assert loaded.for_clip(config_of(tmp_path, "rtsp://door/1")) is loaded
    assert loaded.fingerprint["detector"].startswith("motion")
    assert "motion" in loaded.title
    loaded.close()
