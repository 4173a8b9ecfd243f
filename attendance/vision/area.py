"""Area resizing of many regions of one image at once, from its integral image.

Each output pixel is the mean of the input pixels its cell touches, exactly as
`torch.nn.functional.interpolate(mode="area")` computes it, which is what facenet-pytorch feeds
its networks. One integral image serves the whole pyramid and every crop, without a loop per box.
"""

from __future__ import annotations

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
        top, bottom = _cells(np.zeros(1, np.intp), np.full(1, self.height), height)
        left, right = _cells(np.zeros(1, np.intp), np.full(1, self.width), width)
        return self._means(top, bottom, left, right)

    def squares(self, regions: IntArray, side: int) -> FloatArray:
        """Each region as a square.

        Args:
            regions: (n, 4) whole pixels xyxy inside the image, none empty.
            side: of the squares in pixels.

        Returns:
            (n, side, side, 3) float32 in 0..255.
        """
        left, right = _cells(regions[:, 0], regions[:, 2], side)
        top, bottom = _cells(regions[:, 1], regions[:, 3], side)
        return self._means(top, bottom, left, right)

    def _means(
        self, top: IntArray, bottom: IntArray, left: IntArray, right: IntArray
    ) -> FloatArray:
        """Means of cells given by their (n, rows) and (n, columns) edges."""
        rows_low, rows_high = top[:, :, None], bottom[:, :, None]
        columns_low, columns_high = left[:, None, :], right[:, None, :]
        sums = self._sums
        total = sums[rows_high, columns_high] - sums[rows_low, columns_high]
        total -= sums[rows_high, columns_low]
        total += sums[rows_low, columns_low]
        count = (rows_high - rows_low) * (columns_high - columns_low)
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
