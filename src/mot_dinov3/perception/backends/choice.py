"""Which backend runs a network, and in what precision: `--backend` and `--precision` resolved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from mot_dinov3.config import AUTO, BACKEND_TITLES, BACKENDS, DeviceConfig
from mot_dinov3.errors import DeviceError, ModelError, UsageError, not_installed
from mot_dinov3.runtime.cpu import has_bf16

OPENVINO, ONNX, TORCH, TENSORRT = "openvino", "onnx", "torch", "tensorrt"
INT8 = "int8"
PACKAGES = {
    OPENVINO: ("openvino",),
    ONNX: ("onnxruntime", "onnx"),
    TORCH: ("torch",),
    TENSORRT: ("onnxruntime", "onnx"),
}
"""What a backend needs: the first to run a network, all of them to export one."""
ORDER = {"cpu": (OPENVINO, ONNX, TORCH), "cuda": (TORCH, ONNX, TENSORRT), "mps": (TORCH,)}
"""Device -> its backends, the one that is usually fastest first."""
ON_REQUEST = (TENSORRT,)
"""Backends that `auto` never takes: they spend minutes before the first run of a model."""
PRECISIONS = {
    (OPENVINO, "cpu"): ("fp32", "bf16", INT8),
    (ONNX, "cpu"): ("fp32", INT8),
    (ONNX, "cuda"): ("fp32",),
    (TENSORRT, "cuda"): ("fp32", "fp16"),
    (TORCH, "cpu"): ("fp32", "bf16", "fp16"),
    (TORCH, "cuda"): ("fp32", "fp16", "bf16"),
    (TORCH, "mps"): ("fp32", "fp16"),
}
"""What every backend computes in, its usual precision first."""
FORMATS = {TENSORRT: ONNX}
"""Backends that run files in the format of another one."""
TENSORRT_PROVIDER = "TensorrtExecutionProvider"
"""What onnxruntime calls it."""
LEAST_CAPABILITY = {"fp16": (5, 3), "bf16": (8, 0)}
"""CUDA compute capability from which a precision is computed by the hardware itself."""
FAST_FP16 = (7, 0)
"""CUDA compute capability from which fp16 has its own matrix units and is the usual precision."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A backend and a precision that this machine can run together."""

    backend: str
    precision: str

    @property
    def file_format(self) -> str:
        """The backend whose kind of file it runs; it runs that file too, more plainly."""
        return FORMATS.get(self.backend, self.backend)

    @property
    def title(self) -> str:
        """Both in words, such as "OpenVINO bf16"."""
        return f"{BACKEND_TITLES[self.backend]} {self.precision}"


@dataclass(frozen=True, slots=True)
class Older:
    """An older flag that also asks for a precision, such as `--half` for fp16."""

    flag: str
    precision: str


def read_half(config: DeviceConfig, device: str) -> Older | None:
    """What `--half` says about the precision of a detector; None where it was not given.

    Raises:
        UsageError: the device is not a GPU of NVIDIA.
    """
    if not config.half:
        return None
    if not device.startswith("cuda"):
        raise UsageError("--half needs a CUDA device.", fix="Leave --half out.")
    return Older("--half", "fp16")


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides about backends here.

    Attributes:
        packages: those of `PACKAGES` that are installed.
        bf16: the CPU computes with bf16 numbers.
        capability: CUDA compute capability of the device, (0, 0) for a CPU.
    """

    packages: frozenset[str]
    bf16: bool
    capability: tuple[int, int] = (0, 0)


def inspect_machine(device: str) -> Machine:
    """Find out what is installed here; torch is imported for a CUDA device only."""
    names = {name for names in PACKAGES.values() for name in names}
    capability = (0, 0)
    if device.startswith("cuda"):
        import torch

        capability = torch.cuda.get_device_capability(device)
    return Machine(frozenset(name for name in names if find_spec(name)), has_bf16(), capability)


def choose_backend(
    config: DeviceConfig,
    device: str,
    older: Older | None = None,
    *,
    able: Sequence[str] = BACKENDS,
    ready: bool = False,
    machine: Machine | None = None,
) -> Choice:
    """Choose the backend and the precision that a network runs with.

    `auto` takes the first backend of `ORDER` that is installed and knows the precision asked
    for. Automatic precision is bf16 on CPUs that compute with it, fp16 on CUDA, else float32.

    Args:
        config: `backend` and `precision` as the user gave them.
        device: torch device string that the network shall run on.
        older: an older flag that was given and asks for a precision too.
        able: the backends that can run this network at all.
        ready: the network is exported already, so nothing is needed to export it.
        machine: what is installed; looked up when left out.

    Raises:
        UsageError: the combination does not exist; the message lists those that do.
        ModelError: the backend is not installed; names the extra to install.
        DeviceError: the device is too old for the precision.
    """
    machine = machine or inspect_machine(device)
    kind = device.partition(":")[0]
    precision = resolve_precision(config, older)
    order = [name for name in ORDER[kind] if name in able]
    if config.backend != AUTO:
        backend = _require_able(config.backend, device, order, able)
        _require_installed(backend, machine, ready=ready)
    else:
        order = [name for name in order if name not in ON_REQUEST]
        backend = _find_first(order, precision, kind, machine, ready=ready)
    if precision == AUTO:
        return Choice(backend, default_precision(backend, kind, machine))
    _check_precision(backend, device, precision, machine)
    return Choice(backend, precision)


def choose_with_int8(
    config: DeviceConfig, device: str, older: Older | None, *, of: str, by: str
) -> Choice:
    """Choose like `choose_backend`, for networks that int8 makes faster with one backend only.

    Args:
        config: `backend` and `precision` as the user gave them.
        device: torch device string that the network shall run on.
        older: an older flag that was given and asks for a precision too.
        of: what the network is part of, for the message, such as "a detector".
        by: that backend.

    Raises:
        UsageError: int8 with another backend; or as `choose_backend`, like all other errors.
    """
    if resolve_precision(config, older) != INT8:
        return choose_backend(config, device, older)
    if config.backend not in (AUTO, by):
        raise UsageError(
            f"--precision int8 of {of} needs {BACKEND_TITLES[by]}, not --backend {config.backend}, "
            "which is no faster with it.",
            fix=f"Choose --backend {AUTO} or {by}, or --precision {AUTO}.",
        )
    return choose_backend(config, device, older, able=(by,))


def resolve_precision(config: DeviceConfig, older: Older | None) -> str:
    """Find the precision that `--precision` and an older flag agree on; else "auto".

    Raises:
        UsageError: they contradict each other.
    """
    if older is None:
        return config.precision
    if config.precision not in (AUTO, older.precision):
        raise UsageError(
            f"{older.flag} means {older.precision}, but --precision asks for {config.precision}.",
            fix=f"Leave {older.flag} out: --precision has taken its place.",
        )
    return older.precision


def default_precision(backend: str, kind: str, machine: Machine) -> str:
    """What `--precision auto` means for a backend on a kind of device ("cpu", "cuda", "mps")."""
    if kind == "cpu" and machine.bf16 and "bf16" in PRECISIONS[backend, kind]:
        return "bf16"
    if kind == "cuda" and machine.capability >= FAST_FP16 and "fp16" in PRECISIONS[backend, kind]:
        return "fp16"
    return "fp32"


def _require_able(backend: str, device: str, order: Sequence[str], able: Sequence[str]) -> str:
    if backend not in able:
        raise UsageError(
            f"--backend {backend} cannot run this model.",
            fix=f"Choose --backend {' or '.join((AUTO, *order))}, or give the .pt file.",
        )
    if backend not in order:
        other = "cuda" if device == "cpu" else "cpu"
        raise UsageError(
            f"--backend {backend} does not run on {device}.",
            fix=f"Choose --backend {' or '.join((AUTO, *order))}, or --device {other}.",
        )
    return backend


def _require_installed(backend: str, machine: Machine, *, ready: bool) -> None:
    needed, flag = PACKAGES[backend][:1] if ready else PACKAGES[backend], f"--backend {backend}"
    for package in needed:
        if package not in machine.packages:
            raise not_installed(package, "onnx" if backend == TENSORRT else backend, flag)
    if backend == TENSORRT:
        _require_provider()


def _require_provider() -> None:
    """Refuse TensorRT where onnxruntime comes without it.

    Raises:
        ModelError: it does.
    """
    import onnxruntime

    known = onnxruntime.get_available_providers()
    if TENSORRT_PROVIDER not in known:
        short = ", ".join(name.removesuffix("ExecutionProvider") for name in known)
        raise ModelError(
            f"--backend {TENSORRT} needs an onnxruntime with TensorRT; this one has {short}.",
            fix="Install onnxruntime-gpu in its place, and TensorRT; or choose --backend torch.",
        )


def _find_first(
    order: Sequence[str], precision: str, kind: str, machine: Machine, *, ready: bool
) -> str:
    """Find the first backend that is installed and fits.

    Raises:
        UsageError: none runs this model on such a device.
        ModelError: those that would are not installed.
    """
    fits = [
        name for name in order if precision == AUTO or _computes_in(name, kind, precision, machine)
    ]
    wanted = fits or list(order)
    for name in wanted:
        needed = PACKAGES[name][:1] if ready else PACKAGES[name]
        if machine.packages.issuperset(needed):
            return name
    if not wanted:
        raise UsageError(f"No backend runs this model on {kind}.", fix="Use --device cpu.")
    raise not_installed(PACKAGES[wanted[0]][0], wanted[0], f"This model on {kind}")


def _computes_in(backend: str, kind: str, precision: str, machine: Machine) -> bool:
    emulated = precision == "bf16" and kind == "cpu" and backend == OPENVINO and not machine.bf16
    return precision in PRECISIONS[backend, kind] and not emulated


def _check_precision(backend: str, device: str, precision: str, machine: Machine) -> None:
    kind = device.partition(":")[0]
    known = PRECISIONS[backend, kind]
    if precision not in known:
        raise UsageError(
            f"--precision {precision} does not run with {BACKEND_TITLES[backend]} on {device}.",
            fix=f"Choose --precision {' or '.join((AUTO, *known))}.",
        )
    if not _computes_in(backend, kind, precision, machine):
        raise DeviceError(
            f"This CPU has no {precision} instructions.", fix="Choose --precision auto or fp32."
        )
    least = LEAST_CAPABILITY.get(precision, (0, 0))
    if kind == "cuda" and machine.capability < least:
        have, need = (f"{major}.{minor}" for major, minor in (machine.capability, least))
        raise DeviceError(
            f"{device} has compute capability {have}, too old for {precision} ({need}).",
            fix="Choose --precision auto or fp32.",
        )
