"""Which numbers the forward pass computes in."""

from __future__ import annotations

import torch

from mot_dinov3.errors import UsageError
from mot_dinov3.runtime.cpu import has_bf16


def choose_dtype(amp: str, device: str) -> torch.dtype | None:
    """The short numbers of the forward pass, or None for float32.

    Args:
        amp: the recipe's wish: "auto", "off", "bf16" or "fp16". A CPU computes with bf16 only
            where that is wished for and where it is faster.
        device: as torch names it.

    Raises:
        UsageError: the device cannot compute with what is wished for.
    """
    if device.startswith("cuda"):
        able = torch.cuda.is_bf16_supported()
        if amp == "bf16" and not able:
            raise UsageError("This GPU does not compute with bf16.", fix="Use --amp fp16 or off.")
        wish = ("bf16" if able else "fp16") if amp == "auto" else amp
        return {"off": None, "bf16": torch.bfloat16, "fp16": torch.float16}[wish]
    if amp == "fp16":
        raise UsageError(f"--amp fp16 needs a GPU, not {device}.", fix="Use --amp auto or off.")
    return torch.bfloat16 if amp == "bf16" and device == "cpu" and has_bf16() else None
