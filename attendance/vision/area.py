"""Area resizing of many regions of one image at once, from its integral image.

Each output pixel is the mean of the input pixels its cell touches, exactly as
`torch.nn.functional.interpolate(mode="area")` computes it, which is what facenet-pytorch feeds
its networks. One integral image serves the whole pyramid and every crop, without a loop per box.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from attendance.core.domain import FloatArray, Image, IntArray

_INT32_SAFE_PIXELS = (2**31 - 1) // 255


class AreaSampler:
    """Resizes regions of one image.

    Args:
        image: (H, W, 3) uint8.
    """

    def __init__(self, image: Image) -> None:
        self.height, self.width = image.shape[:2]
        fits = self.height * self.width <= _INT32_SAFE_PIXELS
        self._sums = cv2.integral(image, sdepth=cv2.CV_32S if fits else cv2.CV_64F)

    def whole(self, height: int, width: int) -> FloatArray:
        """The whole image at this size. Returns: (1, height, width, 3) float32 in 0..255."""
        zero = np.zeros(1, np.intp)
        (top,), (bottom,) = _cells(zero, np.full(1, self.height), height)
        (left,), (right,) = _cells(zero, np.full(1, self.width), width)
        bands = self._sums[bottom] - self._sums[top]
        total = np.take(bands, right, axis=1) - np.take(bands, left, axis=1)
        return _means(total, (bottom - top)[:, None] * (right - left))[None]

    def squares(self, regions: IntArray, side: int) -> FloatArray:
        """Each region as a square.

        Args:
            regions: (n, 4) whole pixels xyxy inside the image, none empty.
            side: of the squares in pixels.

        Returns:
            (n, side, side, 3) float32 in 0..255.
        """
        left, right = (edge[:, None, :] for edge in _cells(regions[:, 0], regions[:, 2], side))
        top, bottom = (edge[:, :, None] for edge in _cells(regions[:, 1], regions[:, 3], side))
        total = self._corner(bottom, right) - self._corner(top, right)
        total -= self._corner(bottom, left)
        total += self._corner(top, left)
        return _means(total, (bottom - top) * (right - left))

    def _corner(self, rows: IntArray, columns: IntArray) -> Any:
        """Sums up to pixels; one flat index, which numpy looks up several times as fast as two."""
        flat = self._sums.reshape(-1, 3)
        return np.take(flat, rows * self._sums.shape[1] + columns, axis=0)


def _means(total: Any, count: IntArray) -> FloatArray:
    return np.asarray(total / count[..., None].astype(np.float32), np.float32)


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
