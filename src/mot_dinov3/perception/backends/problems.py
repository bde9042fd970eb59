"""Explains to the user what the failure of another package means."""

from __future__ import annotations

from mot_dinov3.errors import DeviceFullError, ModelError, MotError

NO_MEMORY = (
    "out of memory",
    "allocate",
    "bad_alloc",
    "not enough memory",
    "status_alloc_failed",
    "unable to find an engine",
)
"""What a device without memory says: torch, OpenVINO and onnxruntime; cuBLAS and cuDNN, which want
room beside the arrays of torch; and cuDNN where no algorithm fits into what is left."""


def describe_load_problem(name: str, title: str, error: Exception) -> ModelError:
    """Explain why a backend cannot load a file."""
    return ModelError(
        f"'{name}' is not a model that {title} can run ({reason(error)}).",
        fix="Check the file, or export it again; --backend torch runs without an export.",
    )


def describe_run_problem(name: str, title: str, device: str, error: Exception) -> MotError:
    """Explain why a network failed while it ran."""
    if lacks_memory(error):
        return DeviceFullError(
            f"{device} has no memory left for '{name}'.",
            fix="Free the device, or use smaller pictures, a smaller model, or --device cpu.",
        )
    return ModelError(
        f"'{name}' failed with {title} ({reason(error)}).",
        fix="Try another --backend, or the size that it was exported for.",
    )


def lacks_memory(error: BaseException) -> bool:
    """Whether a failure means that the memory of a device, or of this machine, is full."""
    return any(words in str(error).lower() for words in NO_MEMORY)


def reason(error: Exception) -> str:
    """The informative line of another package's message, short and without a full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    plain = [line for line in lines if not line.startswith(("Exception from", "Check '"))]
    return (plain or lines or ["no reason was given"])[0][:160].rstrip(".:")
