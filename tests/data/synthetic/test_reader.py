from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.config import SourceConfig
from mot_dinov3.data.synthetic.presets.factory import create_world, load_preset
from mot_dinov3.data.synthetic.reader import SyntheticReader
from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.runs.session import open_frames


def test_a_preset_is_a_source_like_any_other():
    config = SourceConfig(
        "synthetic:flock", start_frame=3, end_frame=20, max_frames=4, vid_stride=5
    )
    with open_frames(config) as reader:
        frames = list(reader)
        assert isinstance(reader, SyntheticReader)
        assert not reader.partial
        assert reader.faults == {}
    assert [frame.index for frame in frames] == [3, 8, 13, 18]
    assert frames[1].time_s == pytest.approx(8 / 25)
    drawn, _ = create_world("flock").frame(8)
    np.testing.assert_array_equal(frames[1].image, drawn.image)
    info, clip = reader.info, load_preset("flock").clip
    assert (info.name, info.fps, info.frame_count) == ("synthetic:flock", 25, clip.frames)
    assert (info.width, info.height) == (clip.width, clip.height)
    assert info.path is None
    assert not info.is_live
    assert info.has_pixels


def test_a_source_may_name_its_seed():
    with open_frames(SourceConfig("synthetic:pan:12")) as reader:
        assert reader.world.config.seed == 12


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        ("synthetic:flok", UsageError, "Did you mean flock"),
        ("synthetic:", UsageError, "Choose one of: crossings"),
        ("synthetic:flock:x", UsageError, "not a seed"),
        ("synthetic:flock:-1", UsageError, "not a seed"),
        ("synthetic:flock:1000000", UsageError, "0 to 999999"),
    ],
)
def test_a_source_that_names_no_world_is_explained(source, kind, words):
    with pytest.raises(kind) as caught:
        open_frames(SourceConfig(source))
    assert words in str(caught.value)


def test_a_start_behind_the_end_is_told():
    with pytest.raises(InputError, match="ends after 750 frames, before --start-frame"):
        open_frames(SourceConfig("synthetic:flock", start_frame=750))
