"""Area resizing of many regions of one photo at once, from its integral image.

Each output pixel is the mean of the input pixels its cell touches, as
`torch.nn.functional.interpolate(mode="area")` computes it, which is what facenet-pytorch feeds
its networks: detections on photos equal its own. One integral image serves the whole pyramid and
every crop. `frame_pyramid` is the cheaper way that live video takes.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from attendance.core.domain import FloatArray, Image, IntArray
from attendance.core.scanning import Tile, level_size

_INT32_SAFE_PIXELS = (2**31 - 1) // 255
_CROPS_A_CALL = 512
_NO_FRACTIONS = np.empty(0, np.uint16)


class AreaSampler:
    """Resizes regions of one photo.

    Args:
        image: (H, W, 3) uint8.
    """

    def __init__(self, image: Image) -> None:
        self.shape: tuple[int, int] = (image.shape[0], image.shape[1])
        fits = self.shape[0] * self.shape[1] <= _INT32_SAFE_PIXELS
        self._sums = cv2.integral(image, sdepth=cv2.CV_32S if fits else cv2.CV_64F)

    def tile(self, tile: Tile) -> Image:
        """A tile of a level of the pyramid. Returns: (1, height, width, 3) uint8."""
        height, width = level_size(self.shape, tile.scale)
        rows = slice(tile.top, tile.top + tile.height)
        columns = slice(tile.left, tile.left + tile.width)
        zero = np.zeros(1, np.intp)
        top, bottom = (edge[0, rows] for edge in _cells(zero, zero + self.shape[0], height))
        left, right = (edge[0, columns] for edge in _cells(zero, zero + self.shape[1], width))
        bands = np.take(self._sums, bottom, axis=0)
        bands -= np.take(self._sums, top, axis=0)
        total = np.take(bands, right, axis=1)
        total -= np.take(bands, left, axis=1)
        return _means(total, (bottom - top)[:, None] * (right - left))[None]

    def crops(self, regions: FloatArray, side: int) -> Image:
        """Each region as a square.

        Args:
            regions: (n, 4) whole pixels xyxy inside the photo, none empty.
            side: of the squares in pixels.

        Returns:
            (n, side, side, 3) uint8.
        """
        crops = np.empty((len(regions), side, side, 3), np.uint8)
        for start in range(0, len(regions), _CROPS_A_CALL):
            part = slice(start, start + _CROPS_A_CALL)
            crops[part] = self._squares(regions[part].astype(np.intp), side)
        return crops

    def _squares(self, regions: IntArray, side: int) -> Image:
        left, right = (edge[:, None, :] for edge in _cells(regions[:, 0], regions[:, 2], side))
        top, bottom = (edge[:, :, None] for edge in _cells(regions[:, 1], regions[:, 3], side))
        total = self._corner(bottom, right)
        total -= self._corner(top, right)
        total -= self._corner(bottom, left)
        total += self._corner(top, left)
        return _means(total, (bottom - top) * (right - left))

    def _corner(self, rows: IntArray, columns: IntArray) -> Any:
        """Sums up to pixels. Returns: (n, side, side, 3)."""
        shape = np.broadcast_shapes(rows.shape, columns.shape)
        places = np.empty((*shape, 2), np.int16)
        places[..., 0], places[..., 1] = columns, rows
        flat = places.reshape(shape[0], -1, 2)
        sums = cv2.remap(self._sums, flat, _NO_FRACTIONS, cv2.INTER_NEAREST)
        return sums.reshape(*shape, 3)


def _means(total: Any, count: IntArray) -> Image:
    means = total * (1 / count[..., None]).astype(np.float32)
    means += np.float32(0.5)
    return np.asarray(means, np.float32).astype(np.uint8)


def _cells(low: IntArray, high: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """First and past-the-last pixel of each of `count` cells per range. Returns: two (n, count).

    >>> [edge.tolist() for edge in _cells(np.array([0]), np.array([5]), 2)]
    [[[0, 2]], [[3, 5]]]
    """
    steps = np.arange(count)
    length = (high - low)[:, None]
    first = steps * length // count
    last = -(-(steps + 1) * length // count)
    return low[:, None] + first, low[:, None] + last
