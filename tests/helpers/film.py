"""A tracker that is fed by hand, frame by frame."""

from __future__ import annotations

from helpers.fakes import boxes
from helpers.situations import association, lifecycle, motion
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import Embeddings

FPS = 30.0
CONF = 0.3


class Film:
    """Feeds a tracker frame by frame; everything that is not told is switched off."""

    def __init__(self, association_=None, motion_=None, prior=None, dim=4, **changed):
        self.tracker = Tracker(
            lifecycle(**changed),
            CONF,
            association_ or association(),
            motion_ or motion(),
            prior=prior,
        )
        self.index = -1
        self.dim = dim

    def __call__(self, *rows, camera=None, looks=None):
        """Ids by detection row; -1 where a detection has no track.

        `looks` has a unit vector for each detection, or None for one that was not embedded.
        """
        self.index += 1
        detections = boxes(*rows)
        embeddings = Embeddings.none(len(detections), self.dim)
        for row, look in enumerate(() if looks is None else looks):
            if look is not None:
                embeddings.vectors[row] = look
                embeddings.fresh[row] = embeddings.valid[row] = True
        view = self.tracker.predict(self.index / FPS, detections, camera)
        tracks = self.tracker.update(self.tracker.compare(detections, view), embeddings, view)
        self.tracks = tracks
        by_row = dict(zip(tracks.detection.tolist(), tracks.id.tolist(), strict=True))
        return [by_row.get(row, -1) for row in range(len(rows))]

    @property
    def scale(self):
        """What cosines mean to the tracker by now."""
        return self.tracker.predict(self.index / FPS).scale
