"""How far a smallest face in pixels reaches: laws of a pinhole camera."""

from math import radians, tan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core.optics import FACE_HEIGHT_M, reach_m

FACES = st.floats(10, 400)
WIDTHS = st.integers(160, 7680)
VIEWS = st.floats(20, 160)


@pytest.mark.parametrize(
    ("face_px", "width_px", "view_deg", "metres", "reason"),
    [
        (100, 1000, 90, 1.0, "at one metre a 90 degree view is two metres wide: 500 px a metre"),
        (50, 1000, 90, 2.0, "half the face, twice the distance"),
        (100, 2000, 90, 2.0, "twice the pixels, twice the distance"),
        (40, 0, 70, 0.0, "no picture reaches nowhere"),
    ],
)
def test_reaches_worked_by_hand(face_px, width_px, view_deg, metres, reason):
    assert reach_m(face_px, width_px, view_deg) == pytest.approx(metres), reason


@given(FACES, WIDTHS, VIEWS)
def test_a_face_at_its_reach_fills_its_share_of_the_view(face_px, width_px, view_deg):
    distance_m = reach_m(face_px, width_px, view_deg)
    seen_m = 2 * distance_m * tan(radians(view_deg) / 2)
    assert face_px / width_px == pytest.approx(FACE_HEIGHT_M / seen_m)


@given(FACES, WIDTHS, VIEWS)
def test_a_wider_view_reaches_less_far(face_px, width_px, view_deg):
    assert reach_m(face_px, width_px, view_deg) > reach_m(face_px, width_px, view_deg + 1)


@pytest.mark.parametrize(
    ("face_px", "width_px", "view_deg"), [(0, 640, 70), (40, -1, 70), (40, 640, 0), (40, 640, 180)]
)
def test_what_no_camera_has_is_refused(face_px, width_px, view_deg):
    with pytest.raises(ValueError, match="a reach needs"):
        reach_m(face_px, width_px, view_deg)
