"""The end-to-end tracker: one network finds objects and follows them, and nothing is embedded."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mot_dinov3.config import DetectorConfig, TrackConfig
from mot_dinov3.config.presets import preset
from mot_dinov3.config.tracking.tracker import END_TO_END
from mot_dinov3.errors import UsageError
from mot_dinov3.io.checkpoint import CheckpointConfig, find_checkpoint
from mot_dinov3.perception.detectors.classes import resolve_classes
from mot_dinov3.perception.motr_networks import BIRTH, KEEP
from mot_dinov3.perception.query_tracker import QueryRules, QueryTracker
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.systems.base import LoadedSystem, Recorder, System
from mot_dinov3.systems.fingerprints import read_digest
from mot_dinov3.values import Frame, FrameResult
from mot_dinov3.values.run_facts import SystemCounts

if TYPE_CHECKING:
    from mot_dinov3.nets.motr.network import MotrNetwork

logger = logging.getLogger("mot_dinov3")
ROLE = "tracker"


class LoadedEndToEnd(LoadedSystem):
    """A network of `train motr`.

    Args:
        path: folder of its checkpoint.
        network: loaded, on its device.
        config: of the checkpoint.
    """

    def __init__(self, path: Path, network: MotrNetwork, config: CheckpointConfig) -> None:
        self._path, self._network, self._config = path, network, config
        device = network.enter.weight.device
        pixels = config.sizes["longest_px"]
        self._title = f"{path.name} {config.recipe.get('updater')} {pixels} px, {device}"

    @classmethod
    def load(cls, config: TrackConfig, device: str | None = None) -> Self:
        """Load what `--model` names.

        Raises:
            UsageError: there is no `--model`.
            ModelError: it is not a run of `train motr`, or is damaged.
        """
        from mot_dinov3.perception.motr_networks import load_network

        model = config.tracker.model
        if not model:
            raise UsageError(
                "--model is missing: an end-to-end tracker has to be trained first.",
                fix="Give the folder of a run of train motr: --model runs/motr.",
            )
        path = Path(model).expanduser()
        network, found = load_network(path)
        network.to(device or choose_device(config.device.name))
        scores = choose_scores(config.detector, found.config.thresholds)
        logger.info("'%s' begins tracks at %.2f and keeps them at %.2f", path.name, *scores)
        return cls(find_checkpoint(path), network.requires_grad_(False), found.config)

    @classmethod
    def find_missing_embeddings(cls, config: TrackConfig) -> str:
        """This system embeds nothing."""
        return f"--system {config.tracker.system}"

    @classmethod
    def list_input_files(cls, config: TrackConfig) -> Sequence[Path]:
        """The checkpoint."""
        path = Path(config.tracker.model).expanduser()
        return sorted(path.rglob("*.safetensors")) if config.tracker.model else ()

    @property
    def names(self) -> Mapping[int, str]:
        """Class id -> class name."""
        return dict(enumerate(self._config.classes))

    @property
    def title(self) -> str:
        """What is loaded."""
        return f"{ROLE} {self._title}"

    @property
    def fingerprint(self) -> Mapping[str, str]:
        """The weights, and what they run on."""
        from mot_dinov3.perception.backends.digest import weights_digest

        digest = read_digest(lambda: weights_digest(self._path))
        return {ROLE: self._title, "weights of the tracker": digest}

    def start(self, config: TrackConfig, recorder: Recorder | None = None) -> System:
        """What tracks one clip; the frames of a run journal are tracked once more.

        Raises:
            UsageError: there is no such class.
        """
        rules = QueryRules(
            *choose_scores(config.detector, self._config.thresholds),
            config.tracker.birth_iou,
            config.tracker.max_lost_s,
            resolve_classes(config.detector.classes, self.names),
        )
        tracker = QueryTracker(self._network, self._config, rules)
        return EndToEnd(tracker, self.names, self._title)


def choose_scores(config: DetectorConfig, thresholds: Mapping[str, float]) -> tuple[float, float]:
    """The scores that begin and keep tracks: a checkpoint's, unless others than usual are given."""
    usual = preset(END_TO_END)
    given = config.conf, config.low_conf
    if given != (usual["conf"], usual["low_conf"]) or BIRTH not in thresholds:
        return given
    return float(thresholds[BIRTH]), float(thresholds[KEEP])


class EndToEnd(System):
    """Tracks one clip.

    Args:
        tracker: has seen nothing yet.
        names: class id -> class name.
        title: of the network.
    """

    def __init__(self, tracker: QueryTracker, names: Mapping[int, str], title: str) -> None:
        self._tracker, self._names, self._title = tracker, names, title

    @property
    def names(self) -> Mapping[int, str]:
        """Class id -> class name."""
        return self._names

    @property
    def title(self) -> str:
        """The network."""
        return f"{ROLE} {self._title}"

    @property
    def models(self) -> Mapping[str, str]:
        """Role -> title of the model in it."""
        return {ROLE: self._title}

    @property
    def counts(self) -> SystemCounts:
        """How many tracks there were; each is confirmed when it begins."""
        return SystemCounts(self._tracker.initiated, self._tracker.initiated)

    def warm_up(self, frame: Frame) -> None:
        """Make the slow first calls."""
        self._tracker.warm_up(frame.image)

    def step(self, frame: Frame) -> FrameResult:
        """Track one frame; frames come in order of time."""
        timer = StageTimer()
        with timer("track"):
            detections, tracks = self._tracker.step(frame.image, frame.time_s)
        return FrameResult(frame.index, frame.time_s, detections, tracks, stage_ms=timer.stage_ms)
