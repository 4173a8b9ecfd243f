"""Boxes as arrays. Boxes are (n, 4) float32 xyxy pixels; n = 0 gives empty results."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from attendance.core.domain import FloatArray, IntArray

Bools = npt.NDArray[np.bool_]
Overlap = Literal["union", "minimum"]

_BLOCK = 512


def areas(boxes: FloatArray) -> FloatArray:
    """Areas in square pixels, never negative. Returns: (n,).

    >>> areas(np.array([[0, 0, 2, 3], [5, 5, 4, 9]], np.float32)).tolist()
    [6.0, 0.0]
    """
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def intersections(a: FloatArray, b: FloatArray) -> FloatArray:
    """Areas shared by every pair. Returns: (n, m)."""
    width, height = (
        np.maximum(
            np.minimum.outer(a[:, i + 2], b[:, i + 2]) - np.maximum.outer(a[:, i], b[:, i]), 0
        )
        for i in (0, 1)
    )
    return np.asarray(width * height, np.float32)


def iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Intersection over union of every pair, in [0, 1]. Returns: (n, m).

    >>> square = np.array([[0, 0, 10, 10]], np.float32)
    >>> iou(square, square + np.array([[5, 0, 5, 0]], np.float32)).round(3).tolist()
    [[0.3330000042915344]]
    """
    return overlaps(a, b)


def overlaps(a: FloatArray, b: FloatArray, overlap: Overlap = "union") -> FloatArray:
    """Shared area of every pair over that of both or of the smaller one, in [0, 1].

    Returns:
        (n, m).
    """
    shared, whole = _shared_and_whole(a, b, overlap)
    return np.asarray(np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0))


def overlap_more(
    a: FloatArray, b: FloatArray, threshold: float, overlap: Overlap = "union"
) -> Bools:
    """Which pairs overlap more than `threshold`. Returns: (n, m)."""
    shared, whole = _shared_and_whole(a, b, overlap)
    return np.asarray(shared > whole * np.float32(threshold))


def _shared_and_whole(
    a: FloatArray, b: FloatArray, overlap: Overlap
) -> tuple[FloatArray, FloatArray]:
    shared = intersections(a, b)
    if overlap == "minimum":
        return shared, np.minimum.outer(areas(a), areas(b))
    return shared, np.add.outer(areas(a), areas(b)) - shared


def paired_iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Intersection over union of each box with the one in the same row. Returns: (n,).

    >>> box = np.array([[0, 0, 10, 10]], np.float32)
    >>> paired_iou(box, box + np.array([[5, 0, 5, 0]], np.float32)).round(3).tolist()
    [0.3330000042915344]
    """
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    union = areas(a) + areas(b) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def covered(
    boxes: FloatArray, others: FloatArray, threshold: float, overlap: Overlap = "union"
) -> Bools:
    """Which boxes overlap any of the others more than `threshold`. Returns: (n,).

    >>> box = np.array([[0, 0, 10, 10]], np.float32)
    >>> covered(box, box + 2, 0.4).tolist(), covered(box, box[:0], 0.4).tolist()
    ([True], [False])
    """
    return np.asarray(overlap_more(boxes, others, threshold, overlap).any(axis=1))


def non_maximum_suppression(
    boxes: FloatArray, scores: FloatArray, threshold: float, overlap: Overlap = "union"
) -> IntArray:
    """Greedy suppression: the best box stays, those that overlap it more than `threshold` go.

    Done in blocks: a block is first cleared of what better blocks suppress, then settled within
    itself by repeating "stays if nobody who stays and is better overlaps it" until that is so.

    Args:
        boxes: (n, 4).
        scores: (n,).
        threshold: of the overlap, in [0, 1].
        overlap: intersection over the union or over the smaller of the two areas.

    Returns:
        (k,) indices of the kept boxes, best score first.
    """
    order = np.argsort(-scores, kind="stable")
    kept = order[:0]
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        block = block[~covered(boxes[block], boxes[kept], threshold, overlap)]
        rivals = np.triu(overlap_more(boxes[block], boxes[block], threshold, overlap), 1)
        kept = np.concatenate([kept, block[_unsuppressed(rivals)]])
    return kept


def _unsuppressed(rivals: Bools) -> Bools:
    """Who stays, where `rivals[i, j]` says that i, if it stays, suppresses j > i."""
    stays: Bools = np.ones(len(rivals), np.bool_)
    while True:
        after = np.asarray(~(rivals & stays[:, None]).any(axis=0))
        if np.array_equal(after, stays):
            return stays
        stays = after


def squared(boxes: FloatArray) -> FloatArray:
    """The same centres with the longer side on both axes. Returns: (n, 4).

    >>> squared(np.array([[0, 0, 10, 20]], np.float32)).tolist()
    [[-5.0, 0.0, 15.0, 20.0]]
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) / 2
    return np.hstack([centres - half, centres + half]).astype(np.float32)
