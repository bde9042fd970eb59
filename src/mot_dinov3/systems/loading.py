"""The modular tracker as a loaded system: its models, what they need, and what tells them apart."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mot_dinov3.config import NO_EMBEDDER, MotionConfig, TrackConfig
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.base import LoadedSystem, Recorder
from mot_dinov3.systems.fingerprints import fingerprint_models, mark_embedder, read_digest
from mot_dinov3.systems.making import load_models, renew_models
from mot_dinov3.systems.models import Models, describe_models, join_titles
from mot_dinov3.systems.modular import ModularTracker
from mot_dinov3.systems.recording import record_budget, record_models
from mot_dinov3.values import EmbedderMark
from mot_dinov3.wording import counted, form_of

if TYPE_CHECKING:
    from mot_dinov3.systems.sharing import ModularGroup

log = logging.getLogger("mot_dinov3")


class LoadedModular(LoadedSystem):
    """Detector, embedder and cheap evidence for any number of clips.

    Attributes:
        parts: the models.
        motion: the settings of the motion model, of which every clip has one of its own.
    """

    def __init__(self, parts: Models, motion: MotionConfig | None = None) -> None:
        self.parts = parts
        self.motion = motion or MotionConfig()

    @classmethod
    def load(cls, config: TrackConfig, device: str | None = None) -> Self:
        """Load the models that the stages `detector`, `embedder` and `cheap` name."""
        return cls(load_models(config, device), config.motion)

    @classmethod
    def find_pixel_needs(cls, config: TrackConfig) -> Mapping[str, str]:
        """The flags of a detector, an embedder or a camera motion that looks at images."""
        from mot_dinov3.perception.detectors.factory import detector_kind
        from mot_dinov3.perception.features.factory import embedder_kind
        from mot_dinov3.perception.searchers.factory import searcher_kind
        from mot_dinov3.tracking.camera.factory import camera_class, list_choices

        needs = {}
        embedder, cheap = config.embedder.embedder, config.cheap.cheap_evidence
        if detector_kind(config.detector.det).needs_pixels:
            needs[f"--det {config.detector.det}"] = "--det mot:FILE"
        if embedder != NO_EMBEDDER and embedder_kind(embedder).needs_pixels:
            needs[f"--embedder {embedder}"] = f"--embedder {NO_EMBEDDER}"
        if config.cheap.wanted and embedder_kind(cheap).needs_pixels:
            needs[f"--cheap-evidence {cheap}"] = "--cheap-evidence none"
        if config.search.wanted and searcher_kind(config.search.searcher).needs_pixels:
            needs[f"--searcher {config.search.searcher}"] = "--searcher predict"
        camera = camera_class(config.motion.cmc)
        if camera is not None and camera.needs_pixels:
            still, *others = list_choices(blind=True)
            needs[f"--cmc {config.motion.cmc}"] = f"--cmc {still} (or {', '.join(others)})"
        return needs

    @classmethod
    def find_missing_embeddings(cls, config: TrackConfig) -> str:
        """`--embedder none` or a policy that embeds nothing, "" if embeddings are computed."""
        from mot_dinov3.scheduling.policies.factory import policy_class

        if config.embedder.embedder == NO_EMBEDDER:
            return f"--embedder {NO_EMBEDDER}"
        policy = config.scheduler.policy[0]
        return "" if policy_class(policy).embeds else f"--embed-policy {policy}"

    @classmethod
    def find_clip_inputs(cls, config: TrackConfig) -> Mapping[str, str]:
        """`--det` if it names stored boxes, and `--cmc` if it names a file."""
        from mot_dinov3.perception.detectors.factory import detector_kind, split_det
        from mot_dinov3.tracking.camera.factory import camera_class

        det = config.detector.det
        inputs = {"--det": f"{split_det(det)[0]}:"} if detector_kind(det).stored else {}
        camera = camera_class(config.motion.cmc)
        if camera is not None and camera.argument:
            inputs["--cmc"] = f"{config.motion.cmc.partition(':')[0]}:"
        return inputs

    @classmethod
    def list_input_files(cls, config: TrackConfig) -> Sequence[Path]:
        """What `--det`, `--embed-model`, `--motion`, `--cmc` and `--searcher` name."""
        from mot_dinov3.perception.detectors.factory import list_named_files
        from mot_dinov3.perception.searchers.factory import list_searcher_files

        motion, camera = (
            value.partition(":")[2] for value in (config.motion.motion, config.motion.cmc)
        )
        names = (config.embedder.embed_model, motion, camera)
        others = [Path(name).expanduser() for name in names if name]
        searched = list_searcher_files(config.search.searcher)
        return [*list_named_files(config.detector.det), *others, *searched]

    @property
    def names(self) -> Mapping[int, str]:
        """Class id -> class name, as the detector knows them."""
        return self.parts.detector.names

    @property
    def title(self) -> str:
        """Detector, embedder and searcher."""
        parts = self.parts
        return join_titles(describe_models(parts.detector, parts.embedder, parts.searcher))

    @property
    def fingerprint(self) -> Mapping[str, str]:
        """Titles and weights of the models, and the boxes that `--det mot:` repeats."""
        from mot_dinov3.tracking.motion.factory import create_motion

        found = fingerprint_models(self.parts)
        weights = read_digest(lambda: create_motion(self.motion).fingerprint)
        return found | ({"weights of the motion model": weights} if weights else {})

    def describe_embedder(self, config: TrackConfig) -> EmbedderMark | None:
        """The embedder, and the gate that is known of it before a run."""
        embedder = self.parts.embedder
        return None if embedder is None else mark_embedder(embedder, config.embedder)

    def start(self, config: TrackConfig, recorder: Recorder | None = None) -> ModularTracker:
        """A tracker around the models; its detector, embedder and budget answer the recorder."""
        if recorder is None:
            return assemble(config, self.parts)
        recorded = record_models(self.parts, recorder)
        tracker = assemble(config, recorded, clock=recorder.clock)
        record_budget(tracker, recorder)
        return tracker

    def create_group(self) -> ModularGroup:
        """A group that detects batches and shares one embedding budget."""
        from mot_dinov3.systems.sharing import ModularGroup

        return ModularGroup()

    def for_clip(self, config: TrackConfig) -> Self:
        """The same models; a detector or an embedder that remembers frames is made anew."""
        return type(self)(renew_models(self.parts, config), config.motion)

    def check_source(self, info: SourceInfo) -> None:
        """Warn of repeated detections that lie after the end of images or of a sequence.

        The length of a video is known only when it has been read, so nothing is said of videos.
        """
        from mot_dinov3.perception.detectors.base import StoredBoxes

        detector = self.parts.detector
        known = info.frame_count > 0 and info.path is None and not info.is_live
        if not known or not isinstance(detector, StoredBoxes):
            return
        if unused := detector.rows_after(info.frame_count):
            boxes = counted(unused, "box lies", "boxes lie")
            log.warning(
                "%s: %s after the last frame of '%s', %d, and %s not used.",
                detector.title,
                boxes,
                info.name,
                info.frame_count,
                form_of(unused, "is", "are"),
            )
