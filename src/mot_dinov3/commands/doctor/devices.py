"""Do torch and torchvision fit each other, and does every device that is here run them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from mot_dinov3.commands.doctor.checks import Check, describe_error
from mot_dinov3.runtime.cpu import BF16_FLAGS, cpu_flags
from mot_dinov3.wording import counted

CUDA_REMEDY = "Choose a build for this driver: TORCH_CHANNEL=cu126 bash setup.sh t4_gpu"
DRIVER_PLACES = ("/proc/driver/nvidia/version", "/dev/nvidia0")
DRIVER_TIMEOUT_S = 20
HIDING = "CUDA_VISIBLE_DEVICES"


def check_torch_pair() -> Check:
    """Torch and torchvision fit each other: two compiled operators run and answer right."""
    import torch
    import torchvision

    prove_operators("cpu")
    pair = f"torch {torch.__version__} and torchvision {torchvision.__version__}"
    return Check("ok", f"{pair} fit: nms and roi_align ran")


def prove_operators(device: str) -> None:
    """Run torchvision's nms and roi_align on `device`.

    Raises:
        RuntimeError: an operator is missing, cannot run there, or gives a wrong answer.
    """
    import torch
    from torchvision.ops import nms, roi_align

    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]], device=device)
    kept = nms(boxes, torch.tensor([0.9, 0.8, 0.7], device=device), 0.5)
    if kept.tolist() != [0, 2]:
        raise RuntimeError(f"torchvision's nms gives a wrong answer on {device}")
    image = torch.full((1, 1, 32, 32), 3.0, device=device)
    crops = roi_align(image, [boxes], (4, 4))
    if crops.shape != (3, 1, 4, 4) or not torch.allclose(crops, torch.full_like(crops, 3.0)):
        raise RuntimeError(f"torchvision's roi_align gives a wrong answer on {device}")


def check_devices() -> Check:
    """Every accelerator that torch sees runs an operator; otherwise, what the CPU offers."""
    import torch

    if torch.cuda.is_available():
        return _check_cuda_devices()
    if torch.backends.mps.is_available():
        prove_operators("mps")
        return Check("ok", f"mps, and {describe_cpu()}")
    driver = find_nvidia_driver()
    if not driver:
        return Check("ok", describe_cpu())
    if os.environ.get(HIDING, "0").strip() in ("", "-1"):
        return Check("note", f"{driver} is here, hidden by {HIDING}; {describe_cpu()}")
    built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "a CPU build"
    detail = f"{driver} is here, but torch {torch.__version__} ({built}) finds no device"
    return Check("fail", detail, f"{CUDA_REMEDY}; to use the CPU alone, set {HIDING}=-1")


def find_nvidia_driver() -> str:
    """The NVIDIA driver of this machine in a few words, "" where there is none."""
    tool = shutil.which("nvidia-smi")
    if tool is not None:
        try:
            shown = subprocess.run(
                [tool], capture_output=True, text=True, timeout=DRIVER_TIMEOUT_S, check=True
            ).stdout
        except (OSError, subprocess.SubprocessError):
            shown = ""
        found = re.search(r"Driver Version: (\S+)\s+CUDA Version: (\S+)", shown)
        if found:
            return f"NVIDIA driver {found[1]} (CUDA {found[2]})"
        if shown:
            return "an NVIDIA driver"
    return "an NVIDIA driver" if any(Path(place).exists() for place in DRIVER_PLACES) else ""


def _check_cuda_devices() -> Check:
    import torch

    found = []
    for number in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(number)
        name = f"cuda:{number} {about.name}, capability {about.major}.{about.minor}"
        try:
            prove_operators(f"cuda:{number}")
        except RuntimeError as error:
            return Check(
                "fail", f"{name} cannot run an operator: {describe_error(error)}", CUDA_REMEDY
            )
        found.append(f"{name}, {about.total_memory / 2**30:.1f} GiB")
    return Check("ok", "; ".join(found))


def describe_cpu() -> str:
    """The CPU in a few words: threads, vector width, and bf16 and AMX where the system tells."""
    import torch

    words = [f"cpu with {counted(torch.get_num_threads(), 'thread')}"]
    words.append(str(torch.backends.cpu.get_cpu_capability()))
    words += [flag for flag in BF16_FLAGS if flag in cpu_flags()]
    return ", ".join(words)
