"""Makes the models of a modular tracker from its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mot_dinov3.config import NO_EMBEDDER, EmbedderConfig, TrackConfig
from mot_dinov3.errors import UnknownNameError, UsageError
from mot_dinov3.perception.features.base import Embedder, Placement
from mot_dinov3.runtime.compat import load_environment
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.systems.models import Models

if TYPE_CHECKING:
    from mot_dinov3.perception.detectors.base import Detector
    from mot_dinov3.perception.searchers.base import Searcher


def load_models(config: TrackConfig, device: str | None = None) -> Models:
    """Detector, embedder and cheap evidence, weights loaded and ready.

    Args:
        config: stages `detector`, `device`, `embedder` and `cheap` decide what is loaded.
        device: torch device string; chosen from `config.device` when left out.

    Raises:
        MotError: a name, a model or a device cannot be used; wrong names are refused before
            any model is loaded.
    """
    prepare_loading(config)
    device = device or choose_device(config.device.name)
    upload = FrameUpload(device)
    detector = load_detector(config, device, upload)
    place = Placement(device, config.device, upload, detector=detector)
    embedders = create_embedders(config, place)
    return Models(detector, *embedders, load_searcher(config, device))


def load_searcher(config: TrackConfig, device: str) -> Searcher | None:
    """The searcher of `--searcher`, None where nothing is searched.

    Raises:
        MotError: it cannot be loaded.
    """
    from mot_dinov3.perception.searchers.factory import create_searcher

    if not config.search.wanted:
        return None
    return create_searcher(config.search.searcher, device, config.device)


def prepare_loading(config: TrackConfig) -> None:
    """Check the names, read the environment and report the settings: what comes before loading.

    Raises:
        MotError: a name is wrong.
    """
    check_names(config)
    load_environment()
    from mot_dinov3.scheduling.policies.settings import report_settings

    if config.embedder.embedder != NO_EMBEDDER:
        report_settings(config.scheduler)


def load_detector(config: TrackConfig, device: str, upload: FrameUpload) -> Detector:
    """The detector of `--det`; on CUDA it looks at pictures where `upload` brings them.

    Raises:
        MotError: it cannot be loaded.
    """
    from mot_dinov3.perception.detectors.base import UploadSharing
    from mot_dinov3.perception.detectors.factory import create_detector

    detector = create_detector(config.detector, device, config.device, config.source.source)
    if isinstance(detector, UploadSharing) and device.startswith("cuda"):
        detector.share(upload)
    return detector


def check_names(config: TrackConfig) -> None:
    """Refuse wrong names before any model is loaded.

    Raises:
        MotError: there is no such embedder, policy, camera motion, motion model, association or
            searcher.
    """
    from mot_dinov3.perception.features.factory import EMBEDDERS
    from mot_dinov3.perception.searchers.factory import check_searcher
    from mot_dinov3.scheduling.policies.factory import create_policy
    from mot_dinov3.tracking.association.factory import create_associator
    from mot_dinov3.tracking.camera.factory import create_camera
    from mot_dinov3.tracking.motion.factory import create_motion

    name = config.embedder.embedder
    wanted = name != NO_EMBEDDER
    if wanted and name not in EMBEDDERS:
        raise UnknownNameError("embedder", name, [*EMBEDDERS, NO_EMBEDDER], EMBEDDERS.habits)
    create_policy(config.scheduler, embedder=wanted)
    create_camera(config.motion.cmc)
    create_motion(config.motion)
    create_associator(config.association, config.tracker)
    if config.search.wanted:
        check_searcher(config.search.searcher)


def create_embedders(
    config: TrackConfig, place: Placement
) -> tuple[Embedder | None, Embedder | None]:
    """The embedder of chosen boxes and that of cheap evidence, None where not asked for.

    Args:
        config: stages `embedder` and `cheap`.
        place: the device, and the detector beside which they run.

    Raises:
        UsageError: the detector has no features to give, or one flag makes another useless.
        MotError: a model cannot be loaded.
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


def renew_models(models: Models, config: TrackConfig) -> Models:
    """The models for another clip: the same ones, but those that hold something of the last clip.

    Args:
        models: those of the last clip.
        config: of the next clip; differs in source, outputs and files of the clip alone.

    Raises:
        MotError: a file of the clip cannot be read.
    """
    from mot_dinov3.perception.detectors.base import is_of_one_clip
    from mot_dinov3.perception.detectors.factory import create_detector

    detector: Detector = models.detector
    if is_of_one_clip(detector):
        detector = create_detector(
            config.detector, models.device, config.device, config.source.source
        )
    place = Placement(models.device, config.device, detector=detector)
    embedder = renew_embedder(models.embedder, config.embedder, place)
    cheap = renew_embedder(models.cheap, config.cheap.embedder, place)
    return Models(detector, embedder, cheap, models.searcher)


def renew_embedder(
    embedder: Embedder | None, config: EmbedderConfig, place: Placement
) -> Embedder | None:
    """The embedder, or a new one like it if it remembers frames."""
    from mot_dinov3.perception.features.factory import create_embedder

    if embedder is None or not embedder.has_memory:
        return embedder
    return create_embedder(config, place)
