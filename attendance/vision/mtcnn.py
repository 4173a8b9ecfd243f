"""MTCNN: three small networks, each discarding what the one before let through.

Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks", 2016; weights and thresholds of facenet-pytorch, whose detections ours are held against
(tests/integration/test_parity.py). Everything between the networks is arrays: no loop runs per
candidate, and a box that lies on a face already found is not looked at again.

A photo is resized exactly as facenet-pytorch does it, a frame of a video as fast as may be; what
that changes is in docs/decisions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from attendance.core.domain import Detections, FloatArray, Image, IntArray, joined
from attendance.core.geometry import Bools, covered, non_maximum_suppression, squared
from attendance.core.scanning import CELL_PX, STRIDE_PX, Tile, whole_levels
from attendance.core.sheets import Sheet, alone, on_sheets
from attendance.vision.area import AreaSampler
from attendance.vision.frame_pyramid import FramePyramid

Rows = Callable[[Image], FloatArray]
HEAP_OVERLAP = 0.4
SURE_AT_ONCE = 0.76
SIGNATURE_PX = 12
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


class Sampler(Protocol):
    """One picture at many sizes."""

    shape: tuple[int, int]

    def tile(self, tile: Tile) -> Image:
        """A tile of a level of the pyramid. Returns: (1, height, width, 3) uint8."""
        ...

    def crops(self, regions: FloatArray, side: int) -> Image:
        """Regions (n, 4) of whole pixels as squares. Returns: (n, side, side, 3) uint8."""
        ...


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
        """The faces of a (H, W, 3) BGR photo, best score first; none is an empty result."""
        return self._searched(AreaSampler(image), is_exact=True).scan(self._levels(image))

    def detect_fast(self, image: Image) -> Detections:
        """The same for a frame of a video."""
        return self.search(image).scan(self._levels(image))

    def search(self, image: Image) -> MtcnnSearch:
        """One frame of a video, to be searched piece by piece."""
        return self._searched(FramePyramid(image))

    def _levels(self, image: Image) -> list[Tile]:
        return whole_levels((image.shape[0], image.shape[1]), self.min_face_px)

    def _searched(self, sampler: Sampler, *, is_exact: bool = False) -> MtcnnSearch:
        return MtcnnSearch(self._nets, self._limits, self._min_score, sampler, is_exact)


class MtcnnSearch:
    """One picture, of which only the pieces that are asked for are looked at.

    Args:
        nets: the three networks.
        limits: (3,) logits that the stages accept.
        min_score: faces below are left out of a scan's result.
        sampler: the picture.
        is_exact: suppress floored boxes and ask O-Net about every one as facenet-pytorch does,
            not cells of the grid and the best of a heap.
    """

    def __init__(
        self,
        nets: MtcnnNets,
        limits: FloatArray,
        min_score: float,
        sampler: Sampler,
        is_exact: bool,
    ) -> None:
        self._is_exact = is_exact
        self._nets = nets
        self._limits = limits
        self._min_score = min_score
        self._sampler = sampler

    def scan(self, tiles: Sequence[Tile], known: FloatArray | None = None) -> Detections:
        """Faces in these tiles of the pyramid, best score first.

        Args:
            tiles: where to look.
            known: (m, 4) boxes of faces that need not be found again.
        """
        taken = np.zeros((0, 4), np.float32) if known is None else known
        boxes = self.propose(tiles)
        boxes, logits = self.refine(squared(boxes[~covered(boxes, taken, 0.3)]))
        is_free = ~covered(boxes, taken, 0.4)
        found = self.accept(boxes[is_free], logits[is_free])
        is_new = ~covered(found.boxes, taken, 0.4, overlap="minimum")
        return found.take(is_new & (found.scores >= self._min_score))

    def propose(self, tiles: Sequence[Tile]) -> FloatArray:
        """What P-Net takes for a face. Returns: (n, 4) boxes."""
        sheets = map(alone, tiles) if self._is_exact else on_sheets(tuple(tiles))
        found = [self._on_sheet(sheet) for sheet in sheets]
        return np.concatenate([np.zeros((0, 4), np.float32), *found])

    def _on_sheet(self, sheet: Sheet) -> FloatArray:
        """The boxes of P-Net's cells on a sheet. Returns: (n, 4)."""
        if not sheet.owners.size:
            return np.zeros((0, 4), np.float32)
        out = self._nets.p(self._picture(sheet))[0]
        logits = np.where(sheet.owners < 0, -np.inf, out[..., 0]).astype(np.float32)
        limit = self._limits[0]
        rows, columns = np.nonzero(logits >= limit) if self._is_exact else peaks(logits, limit)
        owners = sheet.owners[rows, columns]
        starts = np.array([(tile.top, tile.left) for tile in sheet.tiles]) - sheet.corners
        scales = np.array([tile.scale for tile in sheet.tiles], np.float32)
        corner = STRIDE_PX * np.stack([rows, columns], axis=1) + starts[owners]
        corners = np.hstack([corner[:, ::-1] + 1, corner[:, ::-1] + CELL_PX]).astype(np.float32)
        boxes = np.floor(corners / scales[owners, None])
        shifts = out[rows, columns, 1:]
        if self._is_exact:
            keep = non_maximum_suppression(boxes, logits[rows, columns], 0.5)
            boxes, shifts = boxes[keep], shifts[keep]
        sides = boxes[:, 2:] - boxes[:, :2]
        return np.asarray(boxes + shifts * np.hstack([sides, sides]), np.float32)

    def _picture(self, sheet: Sheet) -> Image:
        """A sheet of the picture. Returns: (1, height, width, 3) uint8."""
        tiles = [self._sampler.tile(tile) for tile in sheet.tiles]
        if len(tiles) == 1:
            return tiles[0]
        picture = np.zeros((1, sheet.height, sheet.width, 3), np.uint8)
        for tile, (top, left) in zip(tiles, sheet.corners, strict=True):
            whole = cv2.copyMakeBorder(tile[0], 0, 1, 0, 1, cv2.BORDER_REPLICATE)
            picture[0, top : top + whole.shape[0], left : left + whole.shape[1]] = whole
        return picture

    def refine(self, boxes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What R-Net keeps of square boxes, as square boxes (n, 4), and its logits (n,)."""
        boxes = self._visible(boxes)
        if not len(boxes):
            return boxes, boxes[:, 0]
        out = self._nets.r(self._sampler.crops(self._clipped(boxes), 24))
        chosen = np.flatnonzero(out[:, 0] > self._limits[1])
        boxes, out = boxes[chosen], out[chosen]
        keep = non_maximum_suppression(boxes, out[:, 0], 0.7)
        boxes, out = squared(shifted(boxes[keep], out[keep, 1:5])), out[keep]
        is_visible = self._is_visible(boxes)
        return boxes[is_visible], out[is_visible, 0]

    def accept(self, boxes: FloatArray, logits: FloatArray) -> Detections:
        """What O-Net takes for faces, each face once, best score first.

        Args:
            boxes: (n, 4) square boxes.
            logits: (n,) of R-Net.
        """
        found = self.confirm(boxes) if self._is_exact else self._best_of_heaps(boxes, logits)
        found = found.take(found.scores > 0)
        return found.take(
            non_maximum_suppression(found.boxes, found.scores, 0.7, overlap="minimum")
        )

    def _best_of_heaps(self, boxes: FloatArray, logits: FloatArray) -> Detections:
        """O-Net's opinion of the best box of each heap, of the others where that was no face.

        R-Net leaves about eight boxes a face. What is a face is asked about once more, on the box
        that O-Net itself has drawn: a third of the work for the same faces, and as sure. What it
        takes for none there must have been `SURE_AT_ONCE`.
        """
        first = non_maximum_suppression(boxes, logits, HEAP_OVERLAP)
        found = self.confirm(boxes[first])
        faces = np.concatenate([boxes[first], found.boxes])[np.tile(found.scores > 0, 2)]
        rest = np.setdiff1d(np.arange(len(boxes)), first)
        rest = rest[~covered(boxes[rest], faces, HEAP_OVERLAP)]
        found = joined(found, self.confirm(boxes[rest]))
        found = found.take(found.scores > 0)
        again = self.confirm(squared(found.boxes))
        is_surer = again.scores > found.scores
        stands = (again.scores > 0) | (found.scores >= SURE_AT_ONCE)
        return joined(found, again).take((np.arange(len(found)) + is_surer * len(found))[stands])

    def confirm(self, boxes: FloatArray) -> Detections:
        """What O-Net sees in each square box: a score, 0 for no face, its box and landmarks."""
        if not len(boxes):
            return Detections.empty()
        out = self._nets.o(self._sampler.crops(self._clipped(boxes), 48))
        sides = (boxes[:, 2:] - boxes[:, :2] + 1)[:, None, :]
        points = out[:, 5:].reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = np.asarray(boxes[:, None, :2] - 1 + points * sides, np.float32)
        scores = np.where(out[:, 0] > self._limits[2], probability(out[:, 0]), 0)
        return Detections(shifted(boxes, out[:, 1:5]), landmarks, scores.astype(np.float32))

    def signatures(self, boxes: FloatArray) -> FloatArray:
        """What the boxes show at 12 by 12 grey pixels, less its mean.

        Returns:
            (n, 144), rows of length 1.
        """
        crops = self._sampler.crops(self._clipped(boxes), 2 * SIGNATURE_PX).astype(np.float32)
        flat = crops.reshape(len(boxes), SIGNATURE_PX, 2, SIGNATURE_PX, 2, 3).sum(axis=(2, 4, 5))
        flat = flat.reshape(len(boxes), SIGNATURE_PX**2)
        flat -= flat.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(flat, axis=1, keepdims=True)
        return np.asarray(flat / np.maximum(lengths, 1e-6), np.float32)

    def _visible(self, boxes: FloatArray) -> FloatArray:
        return boxes[self._is_visible(boxes)]

    def _is_visible(self, boxes: FloatArray) -> Bools:
        """Which boxes show any of the picture. Returns: (n,)."""
        regions = self._clipped(boxes)
        return np.asarray((regions[:, 2:] > regions[:, :2]).all(axis=1))

    def _clipped(self, boxes: FloatArray) -> FloatArray:
        """What facenet-pytorch cuts out: whole pixels, counted from 1, inside the frame."""
        height, width = self._sampler.shape
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
