"""How good a view of a face is: figures with units, a weight, and a reason a person understands."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from attendance.core.quality import MAX_BLUR_PX, Quality, blur_px, measure, pose_deg

GOOD = Quality(120, 0.9, 0.5, 0.0, 0.0, 0.0, 0.0)
HEAD_MM = np.array(
    [[-32, -33, 0], [32, -33, 0], [0, 3.3, 35.2], [-25, 33, 0], [25, 33, 0]], np.float64
)


def landmarks(yaw=0.0, pitch=0.0, roll=0.0):
    """An average head turned by degrees, seen from far away, 2 pixels a millimetre."""
    turn = Rotation.from_euler("zxy", [roll, -pitch, yaw], degrees=True)
    return (2 * turn.apply(HEAD_MM)[:, :2] + 200).astype(np.float32)


@pytest.mark.parametrize("sigma_px", [1.0, 1.5, 2.5, 4.0])
def test_blur_is_told_in_pixels(sigma_px):
    steps = np.kron(np.random.default_rng(0).integers(0, 2, (8, 8)) * 200.0, np.ones((16, 16)))
    blurred = gaussian_filter(steps, sigma_px).astype(np.float32)
    assert blur_px(blurred) == pytest.approx(sigma_px, rel=0.2)


@pytest.mark.parametrize(
    ("grey", "reason"),
    [
        (np.zeros((0, 0), np.float32), "no picture"),
        (np.zeros((5, 40), np.float32), "too small a piece to blur again"),
        (np.full((40, 40), 90, np.float32), "no edge in it"),
    ],
)
def test_where_nothing_is_sharp_the_blur_is_the_greatest(grey, reason):
    assert blur_px(grey) == MAX_BLUR_PX, reason


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"),
    [(0, 0, 0), (30, 0, 0), (-45, 0, 0), (0, 20, 0), (0, -20, 0), (0, 0, 25), (20, 10, -15)],
)
def test_pose_is_told_in_degrees(yaw, pitch, roll):
    assert pose_deg(landmarks(yaw, pitch, roll)) == pytest.approx((yaw, pitch, roll), abs=6)


def test_landmarks_in_one_point_have_some_pose():
    assert np.isfinite(pose_deg(np.zeros((5, 2), np.float32))).all()


def test_a_face_is_measured_where_it_is():
    image = np.zeros((300, 400, 3), np.uint8)
    image[50:150, 100:180] = 127
    image[50:150, 100:110] = 255
    found = measure(image, np.array([100, 50, 180, 150], np.float32), landmarks())
    assert found.height_px == 100
    assert found.clipped == pytest.approx(1 / 8)
    assert found.brightness == pytest.approx((127 * 7 / 8 + 255 / 8) / 255)


@pytest.mark.parametrize("box", [[-80, -90, -10, -5], [390, 290, 500, 420], [10, 10, 10, 10]])
def test_a_box_past_the_image_is_no_error(box):
    image = np.full((300, 400, 3), 120, np.uint8)
    assert 0 < measure(image, np.array(box, np.float32), landmarks()).weight <= 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"yaw_deg": -40.2}, "turned 40 degrees away"),
        ({"pitch_deg": 30.0}, "looking down by 30 degrees"),
        ({"pitch_deg": -30.0}, "looking up by 30 degrees"),
        ({"height_px": 41.0, "blur_px": 0.3}, "only 41 pixels high"),
        ({"blur_px": 2.8}, "blurred over 2.8 pixels"),
        ({"brightness": 0.1}, "dark, 10 % of white"),
        ({"brightness": 0.9}, "glaring, 90 % of white"),
        ({"clipped": 0.5}, "50 % of it black or white"),
        ({"yaw_deg": 50.0, "brightness": 0.1}, "turned 50 degrees away, dark, 10 % of white"),
    ],
)
def test_what_is_wrong_is_said_in_words(change, words):
    assert replace(GOOD, **change).reason() == words


def test_a_sharp_face_weighs_all_and_a_blurred_one_hardly_anything():
    assert GOOD.weight == 1.0
    assert replace(GOOD, blur_px=12.0).weight == pytest.approx(0.02)


@given(st.floats(20, 400), st.floats(0, 8), st.floats(0, 8))
def test_more_blur_never_weighs_more(height_px, blur, more):
    less = replace(GOOD, height_px=height_px, blur_px=blur)
    assert 0 < replace(less, blur_px=blur + more).weight <= less.weight <= 1
