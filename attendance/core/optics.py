"""What a smallest face in pixels means in metres in front of a camera.

A pinhole camera that looks `view_deg` wide puts `width_px / (2 tan(view_deg / 2))` pixels on what
is as large as its distance: the focal length in pixels (Hartley and Zisserman, Multiple View
Geometry, 2nd ed., section 6.1). A face there is `FACE_HEIGHT_M` times that many pixels high,
divided by its distance.
"""

from __future__ import annotations

from math import radians, tan

FACE_HEIGHT_M = 0.20
"""Height of MTCNN's box, from the hairline to below the chin.

From hairline to chin a face is about 0.19 m high (men) and 0.17 m (women): Farkas, Anthropometry of
the Head and Face, 2nd ed., tr-gn; the box reaches a little past both.
"""


def reach_m(min_face_px: float, width_px: int, view_deg: float) -> float:
    """How far from the camera a face is still so many pixels high, in its picture's middle.

    Args:
        min_face_px: height of the smallest face, above 0.
        width_px: of the picture, as it arrives.
        view_deg: horizontal angle of view, above 0 and below 180.

    Raises:
        ValueError: one of them is out of its range.

    >>> round(reach_m(40, 1280, 70), 1)
    4.6
    >>> round(reach_m(20, 1280, 70) / reach_m(40, 1280, 70), 3)
    2.0
    """
    if min_face_px <= 0 or width_px < 0 or not 0 < view_deg < 180:
        raise ValueError(
            "a reach needs a face above 0 px, a width of 0 px or more and a view between 0 and "
            f"180 degrees, got {min_face_px}, {width_px} and {view_deg}"
        )
    return FACE_HEIGHT_M * width_px / (2 * tan(radians(view_deg) / 2)) / min_face_px
