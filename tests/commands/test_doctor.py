from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import sys
import time
import types
from collections import namedtuple
from importlib.util import find_spec

import pytest

from mot_dinov3.commands import doctor
from mot_dinov3.commands.doctor import checks, devices, places
from mot_dinov3.commands.doctor.checks import Check
from mot_dinov3.errors import ModelError
from mot_dinov3.io.write.encoders import ENCODERS, FORMATS, NVENC, Encoder
from mot_dinov3.wording import program

GOOD = {"one": lambda: Check("ok", "fine"), "two": lambda: Check("note", "so so", "try this")}


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)

    def run_checks(checks, *words):
        monkeypatch.setattr(doctor, "CHECKS", checks)
        return doctor.run(doctor.parser().parse_args(list(words)))

    return run_checks


def broken():
    raise RuntimeError("operator torchvision::nms does not exist\nsecond line")


def chatty():
    sys.stdout.write("a package that talks")
    return Check("ok", "fine")


def test_notes_are_fine(run, capsys):
    assert run(GOOD) == 0
    out = capsys.readouterr().out
    assert "Everything a run needs works." in out
    assert "-> try this" in out


def test_a_check_that_raises_fails_with_its_remedy_and_the_others_still_run(run, capsys):
    assert run({"pair": broken, **GOOD}) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("fail  pair  operator torchvision::nms")
    assert "bash setup.sh" in lines[1]
    assert any(line.startswith("ok    one") for line in lines)
    assert "Failed: pair." in lines


def test_it_says_what_works_now_and_what_the_first_run_fetches(run, capsys, tmp_path):
    assert run({**GOOD, "opencv": broken}) == 1
    shown = capsys.readouterr().out.partition("Failed: opencv.\n")[2]
    place = tmp_path / "cache/mot_dinov3/weights"
    assert shown.startswith(
        "Works now, without a download:\n"
        f"  {program()} demo\n"
        "The first run with default flags fetches:\n"
        f"  yolov8n.pt (about 7 MB from github.com) into {place}\n"
        "  facebook/dinov3-vitb16-pretrain-lvd1689m (about 343 MB from huggingface.co, "
    )
    assert "--source" not in shown, "motion detection needs OpenCV"


def test_a_machine_with_its_models_fetches_nothing(run, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: "/a/file")
    (tmp_path / "yolov8n.pt").write_bytes(b"")
    assert run(GOOD) == 0
    shown = capsys.readouterr().out
    assert "fetches" not in shown
    assert shown.endswith(f"  {program()} video.mp4\n")


def test_json_is_one_object_and_nothing_else(run, capsys):
    assert run({"talk": chatty, "pair": broken, **GOOD}, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert [check["name"] for check in report["checks"]] == ["talk", "pair", "one", "two"]
    assert [check["status"] for check in report["checks"]] == ["ok", "fail", "ok", "note"]
    assert set(report["checks"][0]) == {"name", "status", "detail", "remedy"}
    assert report["works"] == [f"{program()} {words}" for words in list(doctor.NEEDS)[:2]]
    assert [one["name"] for one in report["fetches"]] == [
        "yolov8n.pt",
        "facebook/dinov3-vitb16-pretrain-lvd1689m",
    ]
    assert all(one["megabytes"] > 0 and one["place"] for one in report["fetches"])
    assert report["versions"]["numpy"]
    assert report["versions"]["python"]


def test_an_error_of_ours_keeps_its_sentence_and_remedy():
    def check():
        raise ModelError("The weights are gone.", fix="Fetch them.")

    assert checks.attempt(check) == Check("fail", "The weights are gone.", "Fetch them.")


def test_a_secret_in_an_error_is_blanked_out():
    def check():
        raise OSError("proxy http://me:pass@proxy.example refused hf_secretsecret")

    detail = checks.attempt(check).detail
    assert "refused" in detail
    assert "pass" not in detail
    assert "secret" not in detail


def test_codec_is_proved_by_what_comes_back(monkeypatch):
    assert checks.prove_codec("libx264") == "h264"
    assert checks.prove_codec("mpeg4") == "mpeg4"
    monkeypatch.setattr(checks, "MAX_SHADE_ERROR", -1.0)
    with pytest.raises(RuntimeError, match="look different"):
        checks.prove_codec("libx264")


@pytest.mark.parametrize(
    ("encoders", "status"),
    [
        (("no_such_codec", "libx264"), "ok"),
        (("no_such_codec", "mpeg4"), "note"),
        (("no_such_codec",), "fail"),
    ],
)
def test_the_first_encoder_that_works_decides(monkeypatch, encoders, status):
    kind = dataclasses.replace(FORMATS[".mp4"], encoders=encoders)
    monkeypatch.setitem(FORMATS, ".mp4", kind)
    monkeypatch.setitem(ENCODERS, "no_such_codec", Encoder("no_such_codec"))
    check = checks.check_codecs()
    assert check.status == status
    assert (status == "fail") == ("no_such_codec" in check.detail)


@pytest.mark.parametrize(
    ("encoder", "status", "says"),
    [
        (Encoder("libx264", {"preset": "ultrafast"}), "ok", "h264_nvenc wrote an mp4"),
        (Encoder("no_such_codec"), "note", "libx264 wrote .*GPU does not encode .h264_nvenc: "),
    ],
)
def test_the_encoder_of_a_gpu_is_tried_where_there_is_one(monkeypatch, encoder, status, says):
    monkeypatch.setattr("mot_dinov3.runtime.device.may_have_gpu", lambda: True)
    monkeypatch.setitem(ENCODERS, NVENC, encoder)
    check = checks.check_codecs()
    assert check.status == status
    assert re.search(says, check.detail)
    assert ("driver" in check.remedy) == (status == "note")


def test_without_a_gpu_its_encoder_is_not_tried(monkeypatch):
    monkeypatch.setattr("mot_dinov3.runtime.device.may_have_gpu", lambda: False)
    monkeypatch.setitem(ENCODERS, NVENC, Encoder("libx264"))
    assert checks.check_codecs().detail.startswith("libx264 wrote")


def test_opencv_runs():
    assert checks.check_opencv().status == "ok"


def test_a_slow_hub_is_given_up_and_an_error_is_handed_over():
    started = time.perf_counter()
    assert isinstance(places.call_within(0.05, lambda: time.sleep(1)), TimeoutError)
    assert time.perf_counter() - started < 0.8
    assert places.call_within(5, lambda: None) is None
    assert isinstance(places.call_within(5, lambda: 1 // 0), ZeroDivisionError)


def test_the_hub_offline_is_a_note_and_the_token_stays_hidden(monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecretsecret")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)

    def refuse(*_, **__):
        raise ConnectionError("no route for hf_secretsecretsecret")

    monkeypatch.setattr(hub.HfApi, "model_info", refuse)
    check = places.check_hub()
    assert check.status == "note"
    assert "a token is set" in check.detail
    assert "secret" not in check.detail + check.remedy


@pytest.mark.parametrize(("gib", "status"), [(50, "ok"), (1, "note"), (0.01, "fail")])
def test_room_on_the_disk(monkeypatch, tmp_path, gib, status):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, int(gib * 2**30)))
    check = places.judge_room("here", tmp_path)
    assert check.status == status
    assert check.detail.startswith("here, ")


def test_outputs_that_cannot_be_written_fail(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert places.check_output_place().status in ("ok", "note")
    (tmp_path / "outputs").write_text("a file where the directory should be")
    check = places.check_output_place()
    assert check.status == "fail"
    assert "not writable" in check.detail
    assert check.remedy


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is a place of Linux")
def test_a_cache_place_that_takes_no_file_is_not_a_full_disk(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc")
    monkeypatch.setattr("os.access", lambda *_: True)  # as for root
    check = places.check_cache_place()
    assert check.status == "note"
    assert "not writable" in check.detail
    assert "XDG_CACHE_HOME" in check.remedy


def test_default_weights_are_a_note_until_they_are_here(monkeypatch, tmp_path):
    pytest.importorskip("huggingface_hub")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert "yolov8n.pt" in places.check_default_weights().detail
    (tmp_path / "yolov8n.pt").write_bytes(b"")
    assert places.check_default_weights().detail.startswith("yolov8n.pt is here; facebook/")


def test_demo_models_that_are_gone_are_a_failure_with_a_fitting_remedy(monkeypatch):
    def gone(*_):
        raise ModelError("There is no such file.", fix="Give --det another.")

    monkeypatch.setattr("mot_dinov3.perception.detectors.factory.create_detector", gone)
    check = places.check_demo_models()
    assert check.status == "fail"
    assert "--det" not in check.remedy


@pytest.fixture
def two_cards(monkeypatch):
    torch = pytest.importorskip("torch")
    card = types.SimpleNamespace(name="Tesla T4", major=7, minor=5, total_memory=15 * 2**30)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: card)


@pytest.mark.slow
def test_every_card_is_named_and_must_run_an_operator(monkeypatch, two_cards):
    proved = []
    monkeypatch.setattr(devices, "prove_operators", proved.append)
    check = devices.check_devices()
    assert check.status == "ok"
    assert check.detail.startswith("cuda:0 Tesla T4, capability 7.5, 15.0 GiB; cuda:1 ")
    assert proved == ["cuda:0", "cuda:1"]


@pytest.mark.slow
def test_a_card_without_kernels_fails(monkeypatch, two_cards):
    def refuse(device):
        raise RuntimeError(f"no kernel image for {device}")

    monkeypatch.setattr(devices, "prove_operators", refuse)
    check = devices.check_devices()
    assert check.status == "fail"
    assert "no kernel image" in check.detail
    assert "setup.sh t4_gpu" in check.remedy


@pytest.fixture
def blind_torch(monkeypatch):
    """Torch finds no device, and no driver of the real machine is seen."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(devices, "DRIVER_PLACES", ())
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return torch


def put_nvidia_smi(monkeypatch, directory, body):
    tool = directory / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{body}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")


SMI = "echo '| NVIDIA-SMI 550.54  Driver Version: 550.54.15   CUDA Version: 12.4 |'"


@pytest.mark.slow
def test_a_driver_that_torch_cannot_use_is_a_failure(monkeypatch, blind_torch, tmp_path):
    put_nvidia_smi(monkeypatch, tmp_path, SMI)
    monkeypatch.setattr(blind_torch.version, "cuda", "13.0")
    check = devices.check_devices()
    assert check.status == "fail"
    assert check.detail.startswith("NVIDIA driver 550.54.15 (CUDA 12.4) is here, but torch ")
    assert "built for CUDA 13.0" in check.detail
    assert "TORCH_CHANNEL=cu126" in check.remedy
    monkeypatch.setattr(blind_torch.version, "cuda", None)
    assert "a CPU build" in devices.check_devices().detail


@pytest.mark.slow
def test_a_driver_that_leaves_only_its_files_is_found(monkeypatch, blind_torch, tmp_path):
    assert devices.check_devices().status == "ok"
    put_nvidia_smi(monkeypatch, tmp_path, "echo 'No devices were found'; exit 6")
    assert devices.check_devices().status == "ok", "a tool without a driver"
    monkeypatch.setattr(devices, "DRIVER_PLACES", (str(tmp_path),))
    assert devices.check_devices().status == "fail"


@pytest.mark.slow
def test_devices_that_are_hidden_on_purpose_are_a_note(monkeypatch, blind_torch, tmp_path):
    put_nvidia_smi(monkeypatch, tmp_path, SMI)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    check = devices.check_devices()
    assert check.status == "note"
    assert "hidden by CUDA_VISIBLE_DEVICES" in check.detail


@pytest.mark.slow
def test_operators_that_answer_wrong_are_found(monkeypatch):
    ops = pytest.importorskip("torchvision.ops")
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(ops, "nms", lambda *_: torch.tensor([0, 1, 2]))
    with pytest.raises(RuntimeError, match="nms gives a wrong answer"):
        devices.prove_operators("cpu")


@pytest.mark.slow
def test_the_real_packages_pass():
    for check in (
        devices.check_torch_pair,
        devices.check_devices,
        checks.check_transformers,
        checks.check_ultralytics,
    ):
        found = checks.attempt(check)
        assert found.status != "fail", found


def test_openvino_is_proved_or_missed_in_words(monkeypatch):
    if find_spec("openvino"):
        assert checks.check_openvino().status == "ok"
    monkeypatch.setitem(sys.modules, "openvino", None)
    missing = checks.check_openvino()
    assert missing.status == "note"
    assert "[openvino]" in missing.remedy


def test_the_automatic_choice_is_told_with_the_size_of_its_exports(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    exports = tmp_path / "mot_dinov3" / "exports" / "one"
    exports.mkdir(parents=True)
    (exports / "model.bin").write_bytes(bytes(3 << 20))
    found = checks.check_automatic_choice()
    assert found.status == "ok"
    assert found.detail.startswith("auto runs ")
    assert "exports take 3 MiB" in found.detail


def test_missing_onnxruntime_is_a_note(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert checks.check_onnxruntime().status == "note"
