"""Which faces to embed now: those whose embedding can change a decision, never all of them.

An embedding costs as much as following thirty faces for a frame. A face is due when it is new or
undecided, when it shows itself better than before, when something about it changed, and now and
then for a check; several go to the network together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attendance.core.domain import FloatArray, Image, IntArray

SETTLED_LOOK_INTERVALS = 8
STRANGER_LOOK_INTERVALS = 8
BETTER_VIEW = 1.3
BATCH = 4
COMPANY = 0.8
MAX_CUT_AWAY = 0.1
KEPT_CROP_PX = 112


def choose(ripeness: Sequence[float]) -> IntArray:
    """Whom to embed in this frame: the ripest, a batch at most.

    Where somebody is due, others who will be soon come along: a face costs half in company.

    Args:
        ripeness: seconds since a face's last look, in units of its interval.

    >>> choose([1.2, 0.9, np.inf, 0.1]).tolist(), choose([0.9, 0.8]).tolist()
    ([2, 0, 1], [])
    """
    ripe = np.asarray(ripeness, np.float64)
    order = np.argsort(-ripe, kind="stable")[:BATCH]
    is_due = bool((ripe >= 1).any())
    return order[ripe[order] >= COMPANY] if is_due else order[:0]


def kept_crop(image: Image, box: FloatArray) -> Image:
    """The face as staff may be shown it later: averaged over whole pixels to 112 px at most.

    Args:
        image: (H, W, 3) uint8.
        box: (4,) xyxy pixels of the image.

    Returns:
        (h, w, 3) uint8, a copy; empty for a box outside the image.
    """
    x1, y1, x2, y2 = np.clip(box, 0, (image.shape[1], image.shape[0]) * 2).astype(int)
    step = max(1, -(-max(x2 - x1, y2 - y1) // KEPT_CROP_PX))
    rows, columns = (y2 - y1) // step, (x2 - x1) // step
    part = image[y1 : y1 + rows * step, x1 : x1 + columns * step]
    blocks = part.reshape(rows, step, columns, step, 3)
    return np.asarray(blocks.mean(axis=(1, 3)), np.uint8)


def view(box: FloatArray, landmarks: FloatArray) -> float:
    """How well a face shows itself: its height in pixels, less the more it is turned away.

    Turned to the camera, the nose is as far from one eye as from the other.

    Args:
        box: (4,) xyxy.
        landmarks: (5, 2): the eyes, the nose, the corners of the mouth.

    >>> eyes = [[10, 10], [30, 10]]
    >>> view(np.array([0, 0, 40, 50]), np.array([*eyes, [20, 20], [14, 30], [26, 30]]))
    50.0
    >>> view(np.array([0, 0, 40, 50]), np.array([*eyes, [30, 20], [14, 30], [26, 30]])) < 25
    True
    """
    left, right = np.linalg.norm(landmarks[:2] - landmarks[2], axis=1)
    turned = min(left, right) / max(left, right, 1e-6)
    return float((box[3] - box[1]) * turned)


def cut_away(box: FloatArray, shape: tuple[int, ...]) -> float:
    """The share of a box that lies outside the image, in [0, 1].

    >>> cut_away(np.array([-10, 0, 10, 20], np.float32), (100, 100))
    0.5
    """
    inside = np.clip(box, 0, (shape[1], shape[0], shape[1], shape[0]))
    whole = float(np.prod(np.maximum(box[2:] - box[:2], 1e-6)))
    return 1.0 - float(np.prod(inside[2:] - inside[:2])) / whole
