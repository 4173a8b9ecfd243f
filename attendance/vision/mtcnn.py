"""MTCNN: three small networks, each discarding what the one before let through.

Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks", 2016. Step by step as `facenet_pytorch.MTCNN.detect` does it, with the same weights,
so that the two agree (tests/integration/test_parity.py holds the figures).

P-Net scans an image pyramid, R-Net and O-Net look at crops of the survivors in batches. All
three take (n, H, W, 3) float32 RGB scaled to about [-1, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from attendance.core.domain import Detections, FloatArray, Image, IntArray
from attendance.core.geometry import non_maximum_suppression, squared
from attendance.vision.area import AreaSampler
from attendance.vision.engines import Net

CELL_PX = 12
STRIDE_PX = 2
PYRAMID_FACTOR = 0.709


@dataclass(frozen=True)
class MtcnnNets:
    """The three networks.

    Attributes:
        p: (1, H, W, 3) -> scores (1, h, w), regressions (1, h, w, 4).
        r: (n, 24, 24, 3) -> scores (n,), regressions (n, 4).
        o: (n, 48, 48, 3) -> scores (n,), regressions (n, 4), landmarks (n, 5, 2) in [0, 1].
    """

    p: Net
    r: Net
    o: Net


class Mtcnn:
    """Finds faces and their five landmarks.

    Args:
        nets: the three networks of any engine.
        min_face_px: the smallest face looked for, in pixels.
        thresholds: the score each stage accepts, in [0, 1].
        min_score: faces below are left out of the result.
    """

    def __init__(
        self,
        nets: MtcnnNets,
        min_face_px: int = 40,
        thresholds: Sequence[float] = (0.6, 0.7, 0.7),
        min_score: float = 0.0,
    ) -> None:
        self._nets = nets
        self._min_face_px = min_face_px
        self._thresholds = tuple(thresholds)
        self._min_score = min_score

    def detect(self, image: Image) -> Detections:
        """The faces of a (H, W, 3) BGR image, best score first; none is an empty result."""
        if min(image.shape[:2]) < self._min_face_px:
            return Detections.empty()
        sampler = AreaSampler(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8))
        boxes = self._propose(sampler)
        boxes = self._refine(sampler, boxes)
        found = self._confirm(sampler, boxes)
        return found.take(found.scores >= self._min_score)

    def _propose(self, sampler: AreaSampler) -> FloatArray:
        """Candidates of the pyramid scan as square boxes."""
        scales = pyramid_scales((sampler.height, sampler.width), self._min_face_px)
        levels = [self._scan(sampler, scale) for scale in scales]
        boxes, scores, shifts = (np.concatenate(part) for part in zip(*levels, strict=True))
        keep = non_maximum_suppression(boxes, scores, 0.7)
        sides = boxes[keep, 2:] - boxes[keep, :2]
        return squared(boxes[keep] + shifts[keep] * np.hstack([sides, sides]))

    def _scan(self, sampler: AreaSampler, scale: float) -> tuple[FloatArray, ...]:
        size = (int(sampler.height * scale + 1), int(sampler.width * scale + 1))
        scores, shifts = self._nets.p(normalised(sampler.whole(*size)))
        rows, columns = np.nonzero(scores[0] >= self._thresholds[0])
        corner = (np.stack([columns, rows], axis=1) * STRIDE_PX).astype(np.float32)
        corners = np.hstack([corner + 1, corner + CELL_PX])
        boxes = np.floor(corners / np.float32(scale))
        level_scores = scores[0, rows, columns]
        keep = non_maximum_suppression(boxes, level_scores, 0.5)
        return boxes[keep], level_scores[keep], shifts[0, rows, columns][keep]

    def _refine(self, sampler: AreaSampler, boxes: FloatArray) -> FloatArray:
        """What R-Net keeps, as square boxes."""
        crops, inside = cut(sampler, boxes, 24)
        if not len(inside):
            return boxes[:0]
        scores, shifts = self._nets.r(crops)
        chosen = np.flatnonzero(scores > self._thresholds[1])
        boxes = boxes[inside[chosen]]
        keep = non_maximum_suppression(boxes, scores[chosen], 0.7)
        return squared(shifted(boxes[keep], shifts[chosen[keep]]))

    def _confirm(self, sampler: AreaSampler, boxes: FloatArray) -> Detections:
        """What O-Net confirms, with landmarks."""
        crops, inside = cut(sampler, boxes, 48)
        if not len(inside):
            return Detections.empty()
        scores, shifts, points = self._nets.o(crops)
        chosen = np.flatnonzero(scores > self._thresholds[2])
        boxes, scores, points = boxes[inside[chosen]], scores[chosen], points[chosen]
        sides = (boxes[:, 2:] - boxes[:, :2] + 1)[:, None, :]
        landmarks = boxes[:, None, :2] - 1 + points * sides
        boxes = shifted(boxes, shifts[chosen])
        keep = non_maximum_suppression(boxes, scores, 0.7, overlap="minimum")
        return Detections(boxes[keep], landmarks[keep].astype(np.float32), scores[keep])


def pyramid_scales(shape: tuple[int, int], min_face_px: int) -> list[float]:
    """Scales at which P-Net's 12-pixel cell sees every face of at least `min_face_px`.

    >>> [round(scale, 3) for scale in pyramid_scales((60, 80), 40)]
    [0.3, 0.213]
    """
    scale = CELL_PX / min_face_px
    scales = []
    while min(shape) * scale >= CELL_PX:
        scales.append(scale)
        scale *= PYRAMID_FACTOR
    return scales


def normalised(pixels: FloatArray) -> FloatArray:
    """The input range of all three networks from 0..255."""
    return (pixels - np.float32(127.5)) * np.float32(0.0078125)


def shifted(boxes: FloatArray, shifts: FloatArray) -> FloatArray:
    """Boxes moved by regressions given in units of their sides. Returns: (n, 4)."""
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    return np.asarray(boxes + shifts * np.hstack([sides, sides]), np.float32)


def cut(sampler: AreaSampler, boxes: FloatArray, side_px: int) -> tuple[FloatArray, IntArray]:
    """Crops of the boxes, clipped to the image, as network input.

    Returns:
        (k, side, side, 3) float32 and the (k,) indices of the boxes that show any image.
    """
    whole = np.trunc(boxes).astype(np.intp)
    low = np.maximum(whole[:, :2], 1) - 1
    high = np.minimum(whole[:, 2:], (sampler.width, sampler.height))
    inside = np.flatnonzero((high > low).all(axis=1))
    regions = np.hstack([low, high])[inside]
    return normalised(sampler.squares(regions, side_px)), inside
