"""Finding a face again where its track says it should be, for the price of one small crop.

A full scan asks about every place and size; a track knows both. O-Net looks at the predicted box,
says whether a face is there and moves the box onto it. Where it sees none, a few boxes round the
prediction are tried before the track goes unseen for this frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from attendance.core.domain import Detections, FloatArray, IntArray
from attendance.core.geometry import Bools, non_maximum_suppression, paired_iou, squared
from attendance.core.scanning import Tile

MIN_OVERLAP = 0.25
ONE_FACE_OVERLAP = 0.5

_STEP = 0.3
_SIZES = (0.8, 1.25)


class FaceSearch(Protocol):
    """One frame, of which only the pieces that are asked for are looked at."""

    def confirm(self, boxes: FloatArray) -> Detections:
        """Which of these square boxes (n, 4) show a face, row by row, score 0 where none is."""
        ...

    def scan(self, tiles: Sequence[Tile], known: FloatArray | None = None) -> Detections:
        """Faces in these tiles that are not among the known boxes (m, 4), best score first."""
        ...

    def signatures(self, boxes: FloatArray) -> FloatArray:
        """What the boxes show, coarsely: rows whose product is 1 for the same picture.

        Returns:
            (n, k) rows of length 1.
        """
        ...


def follow(search: FaceSearch, expected: FloatArray, is_fresh: Bools) -> Detections:
    """The faces at the expected boxes, row by row, score 0 where there is none.

    Two tracks that end up on one face: the one that was expected nearer keeps it.

    Args:
        search: the frame.
        expected: (n, 4).
        is_fresh: (n,) whether a face was in sight in the frame before; one that has been gone
            for longer is not searched for, as the scan finds it when it is back.
    """
    found = _near(search.confirm(squared(expected)), expected)
    missed = np.flatnonzero((found.scores == 0) & is_fresh)
    if len(missed):
        found = _replaced(found, missed, _search_near(search, expected[missed]))
    agreement = paired_iou(found.boxes, expected) * (found.scores > 0)
    keep = non_maximum_suppression(found.boxes, agreement, ONE_FACE_OVERLAP)
    is_kept = np.isin(np.arange(len(found)), keep)
    return _only(found, is_kept)


def nearby(boxes: FloatArray) -> FloatArray:
    """Boxes a third of a side away in eight directions, smaller ones and larger ones.

    Args:
        boxes: (n, 4).

    Returns:
        (n, 10, 4), square.

    >>> nearby(np.array([[0, 0, 10, 10]], np.float32))[0, 0].round(1).tolist()
    [-3.0, -3.0, 7.0, 7.0]
    """
    square = squared(boxes)[:, None]
    side = (square[..., 2] - square[..., 0])[..., None]
    ways = [(x, y, x, y) for y in (-1, 0, 1) for x in (-1, 0, 1) if (x, y) != (0, 0)]
    moved = square + np.array(ways, np.float32) * np.float32(_STEP) * side
    grow = [((1 - size) / 2,) * 2 + ((size - 1) / 2,) * 2 for size in _SIZES]
    resized = square + np.array(grow, np.float32) * side
    return np.concatenate([moved, resized], axis=1).astype(np.float32)


def _search_near(search: FaceSearch, expected: FloatArray) -> Detections:
    """The best face near each expected box; score 0 where there is none."""
    tries = nearby(expected)
    count = tries.shape[1]
    found = search.confirm(tries.reshape(-1, 4))
    found = _near(found, np.repeat(expected, count, axis=0))
    best = found.scores.reshape(-1, count).argmax(axis=1)
    return found.take(np.arange(len(expected)) * count + best)


def _near(found: Detections, expected: FloatArray) -> Detections:
    """Faces that do not overlap their expected box are somebody else's."""
    return _only(found, paired_iou(found.boxes, expected) > MIN_OVERLAP)


def _only(found: Detections, is_there: Bools) -> Detections:
    scores = np.where(is_there, found.scores, 0).astype(np.float32)
    return Detections(found.boxes, found.landmarks, scores)


def _replaced(found: Detections, rows: IntArray, others: Detections) -> Detections:
    boxes, landmarks, scores = found.boxes.copy(), found.landmarks.copy(), found.scores.copy()
    boxes[rows], landmarks[rows], scores[rows] = others.boxes, others.landmarks, others.scores
    return Detections(boxes, landmarks, scores)
