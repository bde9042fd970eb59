"""The system that follows one object: what it loads, and what tells it from others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mot_dinov3.config import FollowConfig, TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.perception.searchers.base import Searcher
from mot_dinov3.runtime.compat import load_environment
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.systems.base import LoadedSystem, Recorder
from mot_dinov3.systems.fingerprints import read_digest, strip_size
from mot_dinov3.systems.follower import OBJECTS, Follower, Picker, describe_parts
from mot_dinov3.systems.models import join_titles
from mot_dinov3.wording import counted

if TYPE_CHECKING:
    from mot_dinov3.perception.detectors.base import Detector


class LoadedSingle(LoadedSystem):
    """A searcher, and a detector where it has to find the object first."""

    def __init__(
        self, searcher: Searcher, follow: FollowConfig, detector: Detector | None = None
    ) -> None:
        self._searcher, self._follow, self._detector = searcher, follow, detector

    @classmethod
    def load(cls, config: TrackConfig, device: str | None = None) -> Self:
        """Load what `--searcher` names, and what `--det` names for `--pick`.

        Raises:
            MotError: nothing is to be followed, its frame is left out, or a model cannot be used.
        """
        from mot_dinov3.perception.searchers.factory import check_searcher, create_searcher
        from mot_dinov3.perception.searchers.likeness import LikenessSearcher

        config.follow.require_target()
        config.follow.check_selection(config.source)
        check_searcher(config.search.searcher)
        load_environment()
        device = device or choose_device(config.device.name)
        searcher = create_searcher(config.search.searcher, device, config.device)
        if not searcher.knows_look:
            searcher = LikenessSearcher(searcher)
        detector = load_picked(config, device) if config.follow.pick else None
        return cls(searcher, config.follow, detector)

    @classmethod
    def find_pixel_needs(cls, config: TrackConfig) -> Mapping[str, str]:
        """The searcher, and the detector of `--pick`, where they look at images."""
        from mot_dinov3.perception.detectors.factory import detector_kind
        from mot_dinov3.perception.searchers.factory import searcher_kind

        needs, searcher = {}, config.search.searcher
        if searcher_kind(searcher).needs_pixels:
            needs[f"--searcher {searcher}"] = "--searcher predict"
        if config.follow.pick and detector_kind(config.detector.det).needs_pixels:
            needs[f"--det {config.detector.det}"] = "--det mot:FILE"
        return needs

    @classmethod
    def find_missing_embeddings(cls, config: TrackConfig) -> str:
        """This system embeds nothing."""
        return f"--system {config.tracker.system}"

    @classmethod
    def find_clip_inputs(cls, config: TrackConfig) -> Mapping[str, str]:
        """`--det` of `--pick` if it names stored boxes."""
        from mot_dinov3.perception.detectors.factory import detector_kind, split_det

        det = config.detector.det
        stored = bool(config.follow.pick) and detector_kind(det).stored
        return {"--det": f"{split_det(det)[0]}:"} if stored else {}

    @classmethod
    def list_input_files(cls, config: TrackConfig) -> Sequence[Path]:
        """What `--searcher`, and `--det` for `--pick`, name."""
        from mot_dinov3.perception.detectors.factory import list_named_files
        from mot_dinov3.perception.searchers.factory import list_searcher_files

        named = list_named_files(config.detector.det) if config.follow.pick else []
        return [*list_searcher_files(config.search.searcher), *named]

    @property
    def names(self) -> Mapping[int, str]:
        """Class id -> class name."""
        return OBJECTS if self._detector is None else self._detector.names

    @property
    def title(self) -> str:
        """Searcher and detector."""
        return join_titles(describe_parts(self._searcher, self._detector))

    @property
    def fingerprint(self) -> Mapping[str, str]:
        """Titles and weights of the models."""
        searcher, detector = self._searcher, self._detector
        found = {
            "searcher": searcher.title,
            "weights of the searcher": read_digest(lambda: searcher.fingerprint),
        }
        if detector is not None:
            found |= {
                "detector": strip_size(detector.title),
                "weights of the detector": read_digest(lambda: detector.fingerprint),
                "boxes of --det": read_digest(lambda: detector.repeated),
            }
        return found

    def start(self, config: TrackConfig, recorder: Recorder | None = None) -> Follower:
        """What follows the object of one clip; the frames of a run journal are searched again.

        Raises:
            UsageError: the detector has no such class.
        """
        picker, follow = None, config.follow
        if self._detector is not None:
            conf, waits = config.detector.conf, follow.frame < 0
            picker = Picker(self._detector, follow.pick, conf, waits=waits)
        return Follower(self._searcher.renew(), follow, picker)

    def for_clip(self, config: TrackConfig) -> Self:
        """The same models; a detector that remembers frames is made anew.

        Raises:
            MotError: a file of the new clip cannot be read.
        """
        from mot_dinov3.perception.detectors.base import is_of_one_clip

        detector = self._detector
        if detector is None or not is_of_one_clip(detector):
            return self
        detector = load_picked(config, choose_device(config.device.name))
        return type(self)(self._searcher, config.follow, detector)

    def check_source(self, info: SourceInfo) -> None:
        """Refuse a box or a frame that is not in the source, where that is known beforehand.

        The length of a video is known only when it has been read.

        Raises:
            UsageError: it names the flag.
        """
        if info.width and info.height:
            self._follow.check_size(info.width, info.height)
        is_counted = info.frame_count > 0 and info.path is None and not info.is_live
        if is_counted and self._follow.frame >= info.frame_count:
            raise describe_early_end(self._follow, info.name, info.frame_count)


def load_picked(config: TrackConfig, device: str) -> Detector:
    """The detector that finds the object of `--pick`; `--classes` does not bind it.

    Raises:
        MotError: it cannot be loaded, or has no such class.
    """
    from mot_dinov3.perception.detectors.factory import create_detector

    wanted = replace(config.detector, classes="")
    detector = create_detector(wanted, device, config.device, config.source.source)
    Picker(detector, config.follow.pick, config.detector.conf)  # refuses a class that is not there
    return detector


def describe_early_end(
    follow: FollowConfig, name: str, frames: int, start_frame: int = 0
) -> UsageError:
    """The error for a source that ended before the object was met.

    Args:
        follow: what was to be followed.
        name: of the source.
        frames: how many it has until where it ended.
        start_frame: number of the first that was read.
    """
    if follow.frame >= frames:
        has = f"'{name}' has {counted(frames, 'frame')}, the first of which is 0"
        return UsageError(
            f"--frame {follow.frame} is beyond the end: {has}.",
            fix="Give an earlier --frame.",
        )
    first = max(follow.frame, start_frame)
    return UsageError(
        f"No {follow.pick} was seen in '{name}' from frame {first} to frame {frames - 1}.",
        fix="Give another --pick, an earlier --frame or a lower --conf.",
    )
