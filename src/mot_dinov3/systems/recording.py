"""The models and the budget of the modular tracker, asked through a recorder for `--resume`."""

from __future__ import annotations

from mot_dinov3.perception.detectors.base import Detector, WrappedDetector
from mot_dinov3.perception.features.base import Embedder, find_buckets
from mot_dinov3.systems.base import Recorder
from mot_dinov3.systems.models import Models
from mot_dinov3.systems.modular import ModularTracker
from mot_dinov3.values import Detections, FloatArray, Frame, Image


class RecordedDetector(WrappedDetector):
    """A detector that answers through a recorder.

    Args:
        detector: the detector to ask.
        recorder: keeps or repeats its answers.
        always: ask the detector also for known frames, because a model learns from them; its
            answer for those is not used.
    """

    def __init__(self, detector: Detector, recorder: Recorder, *, always: bool) -> None:
        super().__init__(detector)
        self._recorder, self._always = recorder, always

    def detect(self, frame: Frame) -> Detections:
        """The objects of one frame, new or from the journal."""
        if self._always:
            found = self._detector.detect(frame)
            return self._recorder.get_detections(lambda: found)
        return self._recorder.get_detections(lambda: self._detector.detect(frame))


class RecordedEmbedder:
    """An embedder that answers through a recorder."""

    def __init__(self, embedder: Embedder, recorder: Recorder) -> None:
        self.device = embedder.device
        self.whole_frame = embedder.whole_frame
        self.has_own_cost = embedder.has_own_cost
        self.has_memory = embedder.has_memory
        self._embedder, self._recorder = embedder, recorder

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._embedder.dim

    @property
    def title(self) -> str:
        """The title of the embedder."""
        return self._embedder.title

    @property
    def buckets(self) -> tuple[int, ...]:
        """Sizes that the embedder fills its batches up to."""
        return find_buckets(self._embedder)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the embedder."""
        return self._embedder.fingerprint

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """One vector per box, new or from the journal."""
        return self._recorder.get_vectors(len(xyxy), lambda: self._embedder.embed(image, xyxy))


def record_models(models: Models, recorder: Recorder) -> Models:
    """The same models, asked through a recorder.

    A model that remembers frames sees the known ones too, so that it has learned the same when
    the journal ends: the background of the motion detector, and what is usual in a detector's
    own features. For those features the detector has to run as well. Cheap evidence is not
    recorded: it is computed again at almost no cost.
    """
    embedder = models.embedder
    parts = (models.detector, embedder, models.cheap)
    any_has_memory = any(part.has_memory for part in parts if part is not None)
    if embedder is not None and not embedder.has_memory:
        embedder = RecordedEmbedder(embedder, recorder)
    detector = RecordedDetector(models.detector, recorder, always=any_has_memory)
    return Models(detector, embedder, models.cheap, models.searcher)


def record_budget(tracker: ModularTracker, recorder: Recorder) -> None:
    """Let a tracker ask its budget through a recorder, too.

    How many crops fit depends on the clock, and so may when to detect and how much to search, so a
    known frame needs the answers that it had.
    """
    scheduler = tracker.scheduler
    fits = scheduler.fits
    scheduler.fits = lambda waiting, most: recorder.get_admitted(lambda: fits(waiting, most))
    if tracker.search is not None:
        tracker.search.admit = recorder.get_admitted
