"""From a configuration to a running tracker: the one place that knows all the parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter

from mot_dinov3.config import LiveConfig, SourceConfig, TrackConfig
from mot_dinov3.data.synthetic.reader import SyntheticReader, is_synthetic, open_world
from mot_dinov3.errors import UnknownNameError, UsageError
from mot_dinov3.io.read.sources import FrameReader, SourceInfo, open_source
from mot_dinov3.perception.features.base import Embedder, Placement
from mot_dinov3.runtime.compat import load_environment
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.modular import Models, ModularTracker
from mot_dinov3.values import FrameResult

PACKAGES = ("torch", "torchvision", "transformers", "ultralytics", "av", "opencv-python", "numpy",
            "scipy", "onnxruntime", "openvino")  # fmt: skip

NO_EMBEDDER = "none"


def build_tracker(config: TrackConfig, device: str | None = None) -> ModularTracker:
    """Load the models and wire detector, policy, scheduler and tracker together.

    Args:
        config: all stages.
        device: torch device string; chosen from `config.device` when left out.

    Raises:
        MotError: a model, a device or a name is not to be had; says which and what to do.
    """
    return assemble(config, load_models(config, device))


def check_names(config: TrackConfig) -> None:
    """Refuse what needs no model to be found wrong, before any is loaded.

    Raises:
        MotError: no such embedder, policy, camera motion or motion model.
    """
    from mot_dinov3.perception.features.factory import EMBEDDERS
    from mot_dinov3.scheduling.policies.factory import create_policy
    from mot_dinov3.tracking.camera.factory import create_camera
    from mot_dinov3.tracking.motion.factory import create_motion

    name = config.embedder.embedder
    wanted = name != NO_EMBEDDER
    if wanted and name not in EMBEDDERS:
        raise UnknownNameError("embedder", name, [*EMBEDDERS, NO_EMBEDDER])
    create_policy(config.scheduler, embedder=wanted)
    create_camera(config.motion.cmc)
    create_motion(config.motion)


def load_models(config: TrackConfig, device: str | None = None) -> Models:
    """Detector, embedder and cheap evidence, weights loaded and ready.

    What needs no model to be found wrong is refused before any is loaded.

    Args:
        config: stages `detector`, `device`, `embedder` and `cheap` decide what is loaded.
        device: torch device string; chosen from `config.device` when left out.

    Raises:
        MotError: a name, a model or a device is not to be had.
    """
    check_names(config)
    load_environment()
    from mot_dinov3.perception.detectors.base import UploadSharing
    from mot_dinov3.perception.detectors.factory import create_detector

    device = device or choose_device(config.device)
    detector = create_detector(config.detector, device, config.device)
    upload = FrameUpload(device)
    if isinstance(detector, UploadSharing) and device.startswith("cuda"):
        detector.share(upload)
    place = Placement(device, config.device, upload, detector=detector)
    return Models(detector, *describers(config, place))


def describers(config: TrackConfig, place: Placement) -> tuple[Embedder | None, Embedder | None]:
    """What describes chosen boxes, and what describes all of them; None for either that is not.

    Raises:
        UsageError: the detector has no features to give, or one flag makes another useless.
        MotError: a model is not to be had.
    """
    from mot_dinov3.perception.features.factory import create_embedder

    name, cheap = config.embedder.embedder, config.cheap.cheap_evidence
    if name == cheap and config.cheap.wanted:
        raise UsageError(
            f"--cheap-evidence {cheap} adds nothing to --embedder {name}, which is the same.",
            fix="Leave out one of them.",
        )
    embedder = None if name == NO_EMBEDDER else create_embedder(config.embedder, place)
    if not config.cheap.wanted:
        return embedder, None
    return embedder, create_embedder(config.cheap.embedder, place)


def require_pixels(config: TrackConfig, info: SourceInfo) -> None:
    """Refuse what looks at pictures where the source has none.

    Raises:
        UsageError: a detector, an embedder or another part has nothing to look at.
    """
    if info.has_pixels:
        return
    from mot_dinov3.perception.detectors.factory import detector_kind
    from mot_dinov3.perception.features.factory import embedder_kind
    from mot_dinov3.tracking.camera.factory import FLOW
    from mot_dinov3.tracking.camera.factory import NONE as NO_CAMERA

    blind, instead = [], []
    if detector_kind(config.detector.det).needs_pixels:
        blind.append(f"--det {config.detector.det}")
        instead.append("--det mot:FILE")
    embedder = config.embedder.embedder
    if embedder != NO_EMBEDDER and embedder_kind(embedder).needs_pixels:
        blind.append(f"--embedder {embedder}")
        instead.append(f"--embedder {NO_EMBEDDER}")
    if config.cheap.wanted and embedder_kind(config.cheap.cheap_evidence).needs_pixels:
        blind.append(f"--cheap-evidence {config.cheap.cheap_evidence}")
        instead.append("--cheap-evidence none")
    if config.motion.cmc == FLOW:
        blind.append(f"--cmc {FLOW}")
        instead.append(f"--cmc {NO_CAMERA} (or file:FILE)")
    if config.output.save_crops:
        blind.append("--save-crops")
        instead.append("no --save-crops")
    if blind:
        raise UsageError(
            f"'{info.name}' has no images for {' and '.join(blind)} to look at.",
            fix=f"Give {' '.join(instead)}, or put the images beside its seqinfo.ini (img1).",
        )


def open_frames(
    config: SourceConfig,
    live: LiveConfig | None = None,
    stopped: Callable[[], bool] | None = None,
) -> FrameReader:
    """Open whatever `--source` names: a preset of `synthetic`, or what `io` can read.

    Args:
        config: what to read, and which part of it.
        live: what to do about dropouts of a live source; the defaults when left out.
        stopped: asked while a live source gives nothing: whether to end.

    Raises:
        MotError: there is nothing to read there.
    """
    if is_synthetic(config.source):
        return SyntheticReader(open_world(config.source), config)
    return open_source(config, live, stopped)


def track_video(config: TrackConfig) -> Iterator[FrameResult]:
    """Track a source frame by frame, writing nothing.

    Raises:
        MotError: the source or a model cannot be used.
    """
    with open_frames(config.source, config.live) as reader:
        yield from track_frames(config, reader)


def track_frames(config: TrackConfig, reader: FrameReader) -> Iterator[FrameResult]:
    """The results for the frames of an open reader, in order."""
    require_pixels(config, reader.info)
    tracker = build_tracker(config)
    ended_s = None
    for frame in reader:
        if ended_s is None:
            tracker.warm_up(frame)
        started_s = perf_counter()
        result = tracker.step(frame)
        between_ms = 0.0 if ended_s is None else (started_s - ended_s) * 1000
        ended_s = perf_counter()
        work_ms = (ended_s - started_s) * 1000 - result.embed.embed_ms
        tracker.pace(work_ms + (0.0 if reader.info.is_live else between_ms))
        yield result


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
