"""Boxes as arrays. Boxes are (n, 4) float32 xyxy pixels; n = 0 gives empty results."""

from __future__ import annotations

from typing import Literal

import numpy as np

from attendance.core.domain import FloatArray, IntArray


def areas(boxes: FloatArray) -> FloatArray:
    """Areas in square pixels, never negative. Returns: (n,).

    >>> areas(np.array([[0, 0, 2, 3], [5, 5, 4, 9]], np.float32)).tolist()
    [6.0, 0.0]
    """
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def intersections(a: FloatArray, b: FloatArray) -> FloatArray:
    """Areas shared by every pair. Returns: (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.maximum(high - low, 0)
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)


def iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Intersection over union of every pair, in [0, 1]. Returns: (n, m).

    >>> square = np.array([[0, 0, 10, 10]], np.float32)
    >>> iou(square, np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)).round(3).tolist()
    [[1.0, 0.3330000042915344, 0.0]]
    """  # noqa: E501
    shared = intersections(a, b)
    union = areas(a)[:, None] + areas(b)[None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def non_maximum_suppression(
    boxes: FloatArray,
    scores: FloatArray,
    threshold: float,
    overlap: Literal["union", "minimum"] = "union",
) -> IntArray:
    """Greedy suppression: the best box stays, those that overlap it more than `threshold` go.

    Args:
        boxes: (n, 4).
        scores: (n,).
        threshold: of the overlap, in [0, 1].
        overlap: intersection over the union or over the smaller of the two areas.

    Returns:
        (k,) indices of the kept boxes, best score first.
    """
    order = np.argsort(-scores, kind="stable")
    box_areas = areas(boxes)
    kept: list[int] = []
    while order.size:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        shared = intersections(boxes[best : best + 1], boxes[rest])[0]
        whole = _whole(box_areas[best], box_areas[rest], shared, overlap)
        order = rest[shared <= threshold * whole]
    return np.array(kept, np.intp)


def _whole(
    area: np.float32, others: FloatArray, shared: FloatArray, overlap: Literal["union", "minimum"]
) -> FloatArray:
    if overlap == "minimum":
        return np.minimum(area, others)
    return area + others - shared


def squared(boxes: FloatArray) -> FloatArray:
    """The same centres with the longer side on both axes. Returns: (n, 4).

    >>> squared(np.array([[0, 0, 10, 20]], np.float32)).tolist()
    [[-5.0, 0.0, 15.0, 20.0]]
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) / 2
    return np.hstack([centres - half, centres + half]).astype(np.float32)
