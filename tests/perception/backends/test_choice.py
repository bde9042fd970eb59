"""Which backend and which precision: by what is installed, by the machine, and by the flags."""

from __future__ import annotations

import pytest

from mot_dinov3.config import DeviceConfig
from mot_dinov3.errors import EXIT_DEVICE, EXIT_MODEL, DeviceError, ModelError, UsageError
from mot_dinov3.perception.backends.choice import (
    Choice,
    Machine,
    Older,
    choose_backend,
    choose_with_int8,
    inspect_machine,
)

ALL = frozenset({"openvino", "onnxruntime", "onnx", "torch"})
HALF = Older("--half", "fp16")


def chosen(device="cpu", packages=ALL, bf16=True, capability=(0, 0), **rest):
    settings = {name: rest.pop(name) for name in ("backend", "precision") if name in rest}
    older = rest.pop("older", None)
    machine = Machine(frozenset(packages), bf16, capability)
    choice = choose_backend(DeviceConfig(**settings), device, older, machine=machine, **rest)
    return choice.backend, choice.precision


@pytest.mark.parametrize(
    ("packages", "bf16", "expected"),
    [
        (ALL, True, ("openvino", "bf16")),
        (ALL, False, ("openvino", "fp32")),
        (ALL - {"openvino"}, True, ("onnx", "fp32")),
        ({"onnxruntime", "torch"}, True, ("torch", "bf16")),
        ({"torch"}, True, ("torch", "bf16")),
        ({"torch"}, False, ("torch", "fp32")),
    ],
)
def test_auto_on_a_cpu_takes_the_fastest_that_can_be_exported_to(packages, bf16, expected):
    assert chosen(packages=packages, bf16=bf16) == expected


@pytest.mark.parametrize(
    ("capability", "precision"), [((7, 5), "fp16"), ((9, 0), "fp16"), ((6, 1), "fp32")]
)
def test_auto_on_cuda_is_torch_in_what_the_card_is_made_for(capability, precision):
    assert chosen("cuda:0", capability=capability) == ("torch", precision)


def test_auto_takes_a_backend_that_knows_the_precision():
    assert chosen(precision="bf16") == ("openvino", "bf16")
    assert chosen(precision="bf16", bf16=False) == ("torch", "bf16")
    assert chosen(precision="fp16") == ("torch", "fp16")
    assert chosen(precision="int8") == ("openvino", "int8")
    assert chosen(precision="int8", packages=ALL - {"openvino"}) == ("onnx", "int8")


def test_what_is_named_is_taken():
    assert chosen(backend="onnx") == ("onnx", "fp32")
    assert chosen(backend="torch", precision="fp32") == ("torch", "fp32")
    assert Choice("openvino", "bf16").title == "OpenVINO bf16"


@pytest.mark.parametrize(
    ("backend", "package", "extra"),
    [
        ("openvino", "openvino", "openvino"),
        ("onnx", "onnxruntime", "onnx"),
        ("onnx", "onnx", "onnx"),
    ],
)
def test_a_backend_that_is_missing_names_its_extra(backend, package, extra):
    with pytest.raises(ModelError, match=f"needs the package '{package}'") as caught:
        chosen(backend=backend, packages=ALL - {package})
    assert caught.value.exit_code == EXIT_MODEL
    assert f"[{extra}]'" in caught.value.fix


def test_an_exported_file_needs_no_exporter():
    only = {"onnxruntime", "torch"}
    assert chosen(packages=only, able=("onnx", "openvino"), ready=True) == ("onnx", "fp32")
    with pytest.raises(ModelError, match="needs the package 'openvino'"):
        chosen(packages=only, able=("openvino",), ready=True)


def test_a_backend_that_cannot_run_the_file_or_the_device_is_refused():
    with pytest.raises(UsageError, match="--backend torch cannot run this model") as caught:
        chosen(backend="torch", able=("onnx", "openvino"), ready=True)
    assert "auto or openvino or onnx" in caught.value.fix
    with pytest.raises(UsageError, match="--backend openvino does not run on cuda:0") as caught:
        chosen("cuda:0", backend="openvino", capability=(8, 0))
    assert "--device cpu" in caught.value.fix
    with pytest.raises(UsageError, match="No backend runs this model on mps"):
        chosen("mps", able=("openvino",))


@pytest.mark.parametrize(
    ("device", "settings", "says"),
    [
        ("cpu", {"backend": "onnx", "precision": "bf16"}, "bf16 does not run with onnxruntime"),
        ("cpu", {"backend": "openvino", "precision": "fp16"}, "fp16 does not run with OpenVINO"),
        ("cuda:0", {"backend": "torch", "precision": "int8"}, "int8 does not run with torch"),
    ],
)
def test_a_precision_that_a_backend_lacks_lists_those_it_has(device, settings, says):
    with pytest.raises(UsageError, match=says) as caught:
        chosen(device, capability=(8, 0), **settings)
    assert "auto or fp32" in caught.value.fix


def test_hardware_that_is_too_old_says_so():
    with pytest.raises(
        DeviceError, match=r"compute capability 7\.5, too old for bf16 \(8\.0\)"
    ) as e:
        chosen("cuda:0", precision="bf16", capability=(7, 5))
    assert e.value.exit_code == EXIT_DEVICE
    with pytest.raises(DeviceError, match=r"5\.2, too old for fp16"):
        chosen("cuda:0", precision="fp16", capability=(5, 2))
    assert chosen("cuda:0", precision="fp16", capability=(6, 1)) == ("torch", "fp16")
    with pytest.raises(DeviceError, match="This CPU has no bf16 instructions"):
        chosen(backend="openvino", precision="bf16", bf16=False)


def test_an_older_flag_counts_unless_it_contradicts():
    assert chosen("cuda:0", older=HALF, capability=(6, 1)) == ("torch", "fp16")
    assert chosen("cuda:0", older=HALF, precision="fp16", capability=(7, 0)) == ("torch", "fp16")
    with pytest.raises(UsageError, match="--half means fp16, but --precision asks for fp32"):
        chosen("cuda:0", older=HALF, precision="fp32", capability=(7, 0))


def with_int8(backend, precision="int8", by="openvino"):
    config = DeviceConfig(backend=backend, precision=precision)
    return choose_with_int8(config, "cpu", None, of="a detector", by=by)


def test_int8_is_for_the_one_backend_that_gains_by_it(monkeypatch):
    machine = Machine(ALL, bf16=True)
    monkeypatch.setattr(
        "mot_dinov3.perception.backends.choice.inspect_machine", lambda device: machine
    )
    assert with_int8("auto") == with_int8("openvino") == Choice("openvino", "int8")
    assert with_int8("auto", by="onnx") == Choice("onnx", "int8")
    assert with_int8("onnx", "fp32") == Choice("onnx", "fp32")
    for backend in ("onnx", "torch"):
        with pytest.raises(UsageError, match=f"a detector needs OpenVINO.*backend {backend}"):
            with_int8(backend)
    with pytest.raises(UsageError, match="--half means fp16"):
        choose_with_int8(DeviceConfig(precision="int8"), "cpu", HALF, of="a detector", by="onnx")


@pytest.mark.parametrize(("flag", "value"), [("backend", "ncnn"), ("precision", "fp8")])
def test_an_unknown_name_lists_the_known_ones(flag, value):
    with pytest.raises(UsageError, match=f"--{flag} must be one of auto, .*, got {value}"):
        DeviceConfig(**{flag: value})


def test_looking_around_finds_what_the_tests_run_with():
    assert "torch" in inspect_machine("cpu").packages


@pytest.fixture
def providers(monkeypatch):
    """What onnxruntime says that it has; CUDA and TensorRT unless told otherwise."""
    onnxruntime = pytest.importorskip("onnxruntime")
    known = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: known)
    return known


def test_tensorrt_is_taken_where_it_is_asked_for_alone(providers):
    t4 = {"capability": (7, 5)}
    assert chosen("cuda:0", backend="tensorrt", **t4) == ("tensorrt", "fp16")
    assert chosen("cuda:0", backend="tensorrt", precision="fp32", **t4) == ("tensorrt", "fp32")
    files = {"able": ("openvino", "onnx", "tensorrt"), "ready": True}
    assert chosen("cuda:0", **t4, **files) == ("onnx", "fp32")
    assert Choice("tensorrt", "fp16").file_format == "onnx"
    with pytest.raises(UsageError, match="bf16 does not run with TensorRT"):
        chosen("cuda:0", backend="tensorrt", precision="bf16", capability=(8, 0))


def test_tensorrt_without_a_gpu_or_without_its_provider_is_refused(providers):
    with pytest.raises(UsageError, match="--backend tensorrt does not run on cpu") as caught:
        chosen(backend="tensorrt")
    assert "--device cuda" in caught.value.fix
    providers.pop(0)
    with pytest.raises(ModelError, match="with TensorRT; this one has CUDA, CPU") as missing:
        chosen("cuda:0", backend="tensorrt", capability=(7, 5))
    assert "onnxruntime-gpu" in missing.value.fix
