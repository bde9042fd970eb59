"""Camera motion found in pixels: right where it is known, none where the camera stands."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.places import ASSETS
from mot_dinov3.data.synthetic.presets.factory import create_world
from mot_dinov3.errors import UsageError
from mot_dinov3.tracking.camera.factory import create_camera
from mot_dinov3.tracking.camera.flow import track_points
from mot_dinov3.values import Frame

NOBODY = np.empty((0, 4), np.float32)
SIZE = (640, 360)


def wallpaper(seed=5, shape=(900, 1400)):
    """Blobs of all sizes: something to see everywhere."""
    rng = np.random.default_rng(seed)
    out = np.zeros(shape, np.float32)
    for sigma in (2, 5, 12):
        layer = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), sigma)
        out += layer / layer.std()
    grey = np.clip(128 + 35 * out, 0, 255).astype(np.uint8)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)


def shot(wall, affine):
    """What a camera sees that maps the wall's pixels by `affine`."""
    return cv2.warpAffine(wall, affine, SIZE, flags=cv2.INTER_LINEAR)


def similarity(degrees=0.0, scale=1.0, dx=0.0, dy=0.0):
    turn = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), degrees, scale)
    turn[:, 2] += dx, dy
    return turn


def after(first, second):
    lifted = np.vstack([first, [0, 0, 1]])
    return second @ lifted


START = np.array([[1.0, 0, -300], [0, 1.0, -200]])


def found(pictures, boxes=NOBODY):
    camera = create_camera("flow")
    return [camera.estimate(Frame(i, i / 30, image), boxes) for i, image in enumerate(pictures)]


def worst_px(found_map, true_map, size=SIZE):
    w, h = size
    corners = np.array([[0, 0, 1], [w, 0, 1], [0, h, 1], [w, h, 1]], float)
    return float(np.abs(corners @ (found_map - true_map).T).max())


@pytest.mark.parametrize(
    "truth",
    [
        similarity(dx=14, dy=-5),
        similarity(dx=-40),
        similarity(degrees=2),
        similarity(scale=1.04),
        similarity(degrees=-1.5, scale=0.97, dx=6, dy=9),
        similarity(dx=1.3, dy=0.7),
    ],
)
def test_a_known_motion_is_found_to_a_pixel(truth):
    wall = wallpaper()
    maps = found([shot(wall, START), shot(wall, after(START, truth))])
    assert (maps[0] == np.eye(2, 3)).all()
    assert worst_px(maps[1], truth) < 0.8


def noisy(picture, rng):
    return np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)


def test_a_still_camera_is_exactly_still_in_spite_of_noise():
    wall, rng = shot(wallpaper(), START), np.random.default_rng(6)
    for one in found([noisy(wall, rng) for _ in range(4)]):
        assert (one == np.eye(2, 3)).all()


def passing(wall, truth, far):
    """A second picture with a large textured thing in both that goes its own way."""
    thing = wallpaper(9)[:300, :380]
    before, now = shot(wall, START), shot(wall, after(START, truth))
    before[30:330, 60:440] = thing
    now[30:330, 60 + far : 440 + far] = thing
    return before, now


def test_what_moves_by_itself_is_left_out_by_its_box():
    truth = similarity(dx=8, dy=3)
    pictures = passing(wallpaper(), truth, far=-25)
    box = np.array([[60, 30, 440, 330]], np.float32)
    assert worst_px(found(pictures, box)[1], truth) < 0.8
    assert worst_px(found(pictures)[1], truth) > 10, "the box is what makes the difference"


def test_boxes_may_reach_beyond_the_picture():
    truth, wall = similarity(dx=5), wallpaper()
    pictures = shot(wall, START), shot(wall, after(START, truth))
    boxes = np.array(
        [[-50, -80, 100, 900], [600, 100, 2000, 300], [-90, -90, -10, -10]], np.float32
    )
    assert worst_px(found(pictures, boxes)[1], truth) < 0.8


@pytest.mark.parametrize("grey", [0, 128])
def test_where_nothing_can_be_seen_the_camera_stands(grey):
    flat = np.full((360, 640, 3), grey, np.uint8)
    assert (found([flat, flat])[1] == np.eye(2, 3)).all()
    whole = np.array([[0, 0, 640, 360]], np.float32)
    wall = wallpaper()
    covered = found([shot(wall, START), shot(wall, after(START, similarity(dx=9)))], whole)
    assert (covered[1] == np.eye(2, 3)).all()


def test_a_cut_is_no_motion():
    maps = found([shot(wallpaper(1), START), shot(wallpaper(2), START)])
    assert (maps[1] == np.eye(2, 3)).all()


def test_corners_that_do_not_lead_back_are_not_tracked():
    """The right half of the picture becomes another one."""
    before, after_ = (shot(wallpaper(seed), START)[..., 0].copy() for seed in (1, 2))
    after_[:, :320] = before[:, :320]
    points = cv2.goodFeaturesToTrack(before, 300, 0.01, 8)
    assert (points[..., 0] > 340).sum() > 60
    here, there = track_points(before, after_, points)
    assert (here[..., 0] > 340).sum() < 12
    assert (here[..., 0] < 300).sum() > 60
    assert len(here) == len(there)


def test_a_motion_that_few_corners_share_is_not_the_cameras():
    """Twenty patches go twenty ways; any similarity suits two of them."""
    before, rng = shot(wallpaper(), START), np.random.default_rng(7)
    now = before.copy()
    for k in range(20):
        y, x = 90 * (k // 5), 128 * (k % 5)
        patch = before[y : y + 90, x : x + 128]
        now[y : y + 90, x : x + 128] = np.roll(patch, rng.integers(-12, 13, 2), (0, 1))
    assert (found([before, now])[1] == np.eye(2, 3)).all()


def test_edges_of_what_moves_are_left_out_with_it():
    """Nothing but things on an empty wall, in boxes a little too tight."""
    before, now = (np.full((360, 640, 3), 200, np.uint8) for _ in range(2))
    moving = []
    for k in range(24):
        x, y = 40 + 95 * (k % 6), 20 + 85 * (k // 6)
        before[y : y + 40, x : x + 30] = now[y : y + 40, x + 6 : x + 36] = 20
        moving.append((x + 3, y + 3, x + 27, y + 37))
    assert (found([before, now], np.array(moving, np.float32))[1] == np.eye(2, 3)).all()
    assert (found([before, now])[1] != np.eye(2, 3)).any()


def test_another_frame_size_begins_anew():
    wall = wallpaper()
    small = shot(wall, START)[:300]
    assert (found([shot(wall, START), small])[1] == np.eye(2, 3)).all()


def test_flow_takes_no_argument():
    with pytest.raises(UsageError, match="takes no argument"):
        create_camera("flow:fast")


def test_the_drawn_pan_is_followed_to_a_pixel():
    """The true turn is known; people walk through the picture, told by their boxes."""
    world, camera = create_world("pan"), create_camera("flow")
    steps = np.diff([world.pan_px(i / world.config.fps) for i in range(200)])
    middle = int(np.abs(steps).argmax())
    errors = []
    for index in range(middle - 6, middle + 7):
        frame, truth = world.frame(index)
        one = camera.estimate(frame, truth.xyxy)
        if index > middle - 6:
            wanted = np.array([[1.0, 0, -steps[index - 1]], [0, 1.0, 0]])
            errors.append(worst_px(one, wanted, (frame.width, frame.height)))
    assert np.abs(steps).max() > 20
    assert max(errors) < 1.0


def test_a_real_camera_that_stands_is_still():
    clip = ASSETS / "videos" / "people-walking.mp4"
    if not clip.exists():
        pytest.skip("the real clips are not here")
    video = cv2.VideoCapture(str(clip))
    pictures = [video.read()[1] for _ in range(10)]
    video.release()
    assert max(worst_px(one, np.eye(2, 3), (1280, 720)) for one in found(pictures)) < 1.0
