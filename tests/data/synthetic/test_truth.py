from __future__ import annotations

import numpy as np

from mot_dinov3.data.synthetic.street import StreetConfig, StreetWorld
from mot_dinov3.data.synthetic.truth import MOT_CAR, MOT_PEDESTRIAN, VEHICLE, GroundTruth, as_table


def test_a_table_holds_what_was_seen_in_each_frame():
    config = StreetConfig(seed=3, width=160, height=90, frames=40, vehicles=6)
    known = [truth for _, truth in StreetWorld(config)]
    table = as_table([known[0], GroundTruth.empty(), *known[2:]])
    assert table.rows_of(1) == slice(len(known[0]), len(known[0]))
    for index in (0, 2, 39):
        rows, truth = table.rows_of(index), known[index]
        np.testing.assert_array_equal(table.track_id[rows], truth.track_id)
        np.testing.assert_array_equal(table.xyxy[rows], truth.xyxy)
        np.testing.assert_array_equal(table.visibility[rows], truth.visibility)
        expected = np.where(truth.class_id == VEHICLE, MOT_CAR, MOT_PEDESTRIAN)
        np.testing.assert_array_equal(table.class_id[rows], expected)
    assert {MOT_CAR, MOT_PEDESTRIAN} == set(table.class_id.tolist())


def test_no_frame_and_nobody_in_it_make_an_empty_table():
    assert len(as_table([])) == 0
    assert len(as_table([GroundTruth.empty()])) == 0
