"""A source and what it needs: its frames, its pixels, and the versions and devices of a run."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from mot_dinov3.config import LiveConfig, SourceConfig, TrackConfig
from mot_dinov3.data.synthetic.reader import SyntheticReader, is_synthetic, open_world
from mot_dinov3.errors import UsageError
from mot_dinov3.io.read.sources import FrameReader, SourceInfo, open_source
from mot_dinov3.outputs.sinks.factory import flags_needing_pixels
from mot_dinov3.systems.factory import system_class

PACKAGES = (
    *("torch", "torchvision", "transformers", "ultralytics", "av", "opencv-python"),
    *("numpy", "scipy", "lapx", "onnxruntime", "openvino"),
)


def require_pixels(config: TrackConfig, info: SourceInfo) -> None:
    """Refuse a source without images if the system or an output looks at images.

    Raises:
        UsageError: it names the flags, and those to give instead.
    """
    if info.has_pixels:
        return
    needs = dict(system_class(config).find_pixel_needs(config))
    needs |= {flag: f"no {flag}" for flag in flags_needing_pixels(config.output)}
    if needs:
        raise UsageError(
            f"'{info.name}' has no images for {' and '.join(needs)} to look at.",
            fix=f"Give {' '.join(needs.values())}, or put the images beside its seqinfo.ini "
            "(img1).",
        )


def open_frames(
    config: SourceConfig,
    live: LiveConfig | None = None,
    stopped: Callable[[], bool] | None = None,
) -> FrameReader:
    """Open what `--source` names: a preset of `synthetic`, or what `io` can read.

    Args:
        config: what to read, and which part of it.
        live: what to do about dropouts of a live source; the defaults when left out.
        stopped: called while a live source gives no frame; True ends the reading.

    Raises:
        MotError: the source cannot be read.
    """
    if is_synthetic(config.source):
        return SyntheticReader(open_world(config.source), config)
    return open_source(config, live, stopped)


def versions() -> dict[str, str]:
    """Installed versions of the packages that decide a result, without importing them."""
    out = {}
    for name in PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out


def device_title(device: str) -> str:
    """The device with its model name, such as "cuda:0 (Tesla T4)"."""
    if device.startswith("cuda"):
        import torch

        return f"{device} ({torch.cuda.get_device_name(device)})"
    return device
