"""MTCNN: three small networks, each discarding what the one before let through.

Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks", 2016; weights and thresholds of facenet-pytorch, whose detections ours are held against
(tests/integration/test_parity.py). Everything between the networks is arrays: no loop runs per
candidate, and a box that lies on a face already found is not looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from attendance.core.domain import Detections, FloatArray, Image, IntArray
from attendance.core.geometry import covered, non_maximum_suppression, squared
from attendance.core.scanning import CELL_PX, STRIDE_PX, Tile, whole_levels
from attendance.vision.frame_pyramid import FramePyramid

Rows = Callable[[Image], FloatArray]
_NEIGHBOURS = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class MtcnnNets:
    """The three networks; all take (n, H, W, 3) uint8 BGR.

    A score is a logit, a shift is in units of a box's sides, landmarks are in [0, 1] of the box.

    Attributes:
        p: (1, H, W, 3) -> (1, h, w, 5): logit, four shifts.
        r: (n, 24, 24, 3) -> (n, 5): the same.
        o: (n, 48, 48, 3) -> (n, 15): the same, five x and five y of the landmarks.
    """

    p: Rows
    r: Rows
    o: Rows


class Mtcnn:
    """Finds faces and their five landmarks.

    Args:
        nets: the three networks of any engine.
        min_face_px: the smallest face looked for, in pixels.
        thresholds: the score each stage accepts, in (0, 1).
        min_score: faces below are left out of a scan's result.
    """

    def __init__(
        self,
        nets: MtcnnNets,
        min_face_px: int = 40,
        thresholds: Sequence[float] = (0.6, 0.7, 0.7),
        min_score: float = 0.0,
    ) -> None:
        self.min_face_px = min_face_px
        self._nets = nets
        self._limits = np.array([_logit(score) for score in thresholds], np.float32)
        self._min_score = min_score

    def detect(self, image: Image) -> Detections:
        """The faces of a (H, W, 3) BGR image, best score first; none is an empty result."""
        shape = (image.shape[0], image.shape[1])
        return self.search(image).scan(whole_levels(shape, self.min_face_px))

    def search(self, image: Image) -> MtcnnSearch:
        """One frame to be searched piece by piece."""
        return MtcnnSearch(self._nets, self._limits, self._min_score, FramePyramid(image))


class MtcnnSearch:
    """One frame, of which only the pieces that are asked for are looked at."""

    def __init__(
        self, nets: MtcnnNets, limits: FloatArray, min_score: float, pyramid: FramePyramid
    ) -> None:
        self._nets = nets
        self._limits = limits
        self._min_score = min_score
        self._pyramid = pyramid

    def scan(self, tiles: Sequence[Tile], known: FloatArray | None = None) -> Detections:
        """Faces in these tiles of the pyramid, best score first.

        Args:
            tiles: where to look.
            known: (m, 4) boxes of faces that need not be found again.
        """
        taken = np.zeros((0, 4), np.float32) if known is None else known
        boxes = self.propose(tiles)
        boxes = self.refine(squared(boxes[~covered(boxes, taken, 0.3)]))
        found = self.accept(boxes[~covered(boxes, taken, 0.4)])
        is_new = ~covered(found.boxes, taken, 0.4, overlap="minimum")
        return found.take(is_new & (found.scores >= self._min_score))

    def propose(self, tiles: Sequence[Tile]) -> FloatArray:
        """What P-Net takes for a face. Returns: (n, 4) boxes."""
        levels = [self._cells(tile) for tile in tiles]
        return np.concatenate([np.zeros((0, 4), np.float32), *levels])

    def _cells(self, tile: Tile) -> FloatArray:
        if min(tile.height, tile.width) < CELL_PX:
            return np.zeros((0, 4), np.float32)
        out = self._nets.p(self._pyramid.tile(tile))[0]
        rows, columns = peaks(np.ascontiguousarray(out[..., 0]), self._limits[0])
        corner = np.stack([columns * STRIDE_PX + tile.left, rows * STRIDE_PX + tile.top], axis=1)
        corners = np.hstack([corner + 1, corner + CELL_PX]).astype(np.float32)
        boxes = np.floor(corners / np.float32(tile.scale))
        sides = boxes[:, 2:] - boxes[:, :2]
        return np.asarray(boxes + out[rows, columns, 1:] * np.hstack([sides, sides]), np.float32)

    def refine(self, boxes: FloatArray) -> FloatArray:
        """What R-Net keeps of square boxes, as square boxes. Returns: (n, 4)."""
        boxes = self._visible(boxes)
        if not len(boxes):
            return boxes
        out = self._nets.r(self._pyramid.crops(self._clipped(boxes), 24))
        chosen = np.flatnonzero(out[:, 0] > self._limits[1])
        boxes, out = boxes[chosen], out[chosen]
        keep = non_maximum_suppression(boxes, out[:, 0], 0.7)
        return squared(shifted(boxes[keep], out[keep, 1:5]))

    def accept(self, boxes: FloatArray) -> Detections:
        """What O-Net takes for faces in square boxes, each face once, best score first."""
        found = self.confirm(self._visible(boxes))
        found = found.take(found.scores > 0)
        return found.take(
            non_maximum_suppression(found.boxes, found.scores, 0.7, overlap="minimum")
        )

    def confirm(self, boxes: FloatArray) -> Detections:
        """What O-Net sees in each square box: a score, 0 for no face, its box and landmarks."""
        if not len(boxes):
            return Detections.empty()
        out = self._nets.o(self._pyramid.crops(self._clipped(boxes), 48))
        sides = (boxes[:, 2:] - boxes[:, :2] + 1)[:, None, :]
        points = out[:, 5:].reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = np.asarray(np.trunc(boxes)[:, None, :2] - 1 + points * sides, np.float32)
        scores = np.where(out[:, 0] > self._limits[2], probability(out[:, 0]), 0)
        return Detections(shifted(boxes, out[:, 1:5]), landmarks, scores.astype(np.float32))

    def signatures(self, boxes: FloatArray) -> FloatArray:
        """What the boxes show at 12 by 12 grey pixels, less its mean.

        Returns:
            (n, 144), rows of length 1.
        """
        crops = self._pyramid.crops(self._clipped(boxes), 24).astype(np.float32)
        flat = crops.reshape(-1, 12, 2, 12, 2, 3).mean(axis=(2, 4, 5)).reshape(-1, 144)
        flat -= flat.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(flat, axis=1, keepdims=True)
        return np.asarray(flat / np.maximum(lengths, 1e-6), np.float32)

    def _visible(self, boxes: FloatArray) -> FloatArray:
        """The boxes that show any of the frame."""
        regions = self._clipped(boxes)
        return boxes[(regions[:, 2:] > regions[:, :2]).all(axis=1)]

    def _clipped(self, boxes: FloatArray) -> FloatArray:
        """What facenet-pytorch cuts out: whole pixels, counted from 1, inside the frame."""
        height, width = self._pyramid.shape
        whole = np.trunc(boxes)
        low = np.maximum(whole[:, :2], 1) - 1
        high = np.minimum(whole[:, 2:], (width, height))
        return np.hstack([low, high]).astype(np.float32)


def peaks(logits: FloatArray, limit: float) -> tuple[IntArray, IntArray]:
    """Non-maximum suppression on the grid of P-Net's cells.

    Neighbouring cells overlap by two thirds, all others by less than half; so greedy suppression
    at an overlap of one half means: the best cell stays, its eight neighbours go, and so on.

    Args:
        logits: (h, w) float32.
        limit: cells below it never count.

    Returns:
        Rows (k,) and columns (k,) of the cells that stay.
    """
    left = np.where(logits >= limit, logits, -np.inf).astype(np.float32)
    stays = np.zeros(logits.shape, np.uint8)
    while (left > -np.inf).any():
        best = (left >= cv2.dilate(left, _NEIGHBOURS)) & (left > -np.inf)
        stays |= best.view(np.uint8)
        left[cv2.dilate(best.view(np.uint8), _NEIGHBOURS) > 0] = -np.inf
    rows, columns = np.nonzero(stays)
    return rows, columns


def shifted(boxes: FloatArray, shifts: FloatArray) -> FloatArray:
    """Boxes moved by regressions given in units of their sides. Returns: (n, 4)."""
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    return np.asarray(boxes + shifts * np.hstack([sides, sides]), np.float32)


def probability(logits: FloatArray) -> FloatArray:
    """The softmax of two classes from the difference of their logits.

    >>> probability(np.array([0.0], np.float32)).tolist()
    [0.5]
    """
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def _logit(score: float) -> float:
    return float(np.log(score / (1 - score)))
