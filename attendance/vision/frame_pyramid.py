"""One frame at many sizes: levels for the scan, crops for the networks behind it.

The frame is halved again and again, each time by exact averages of four pixels; whatever size is
wanted is then sampled from the half that is at least as fine and less than twice as fine. So no
pixel is averaged twice as often as needed, and no crop is cut in a loop of its own.
"""

from __future__ import annotations

import threading

import cv2
import numpy as np

from attendance.core.domain import FloatArray, Image
from attendance.core.scanning import Tile, level_size

_CROPS_A_CALL = 16_000


class FramePyramid:
    """One frame; any thread may ask for pieces of it.

    Args:
        image: (H, W, 3) uint8; not copied.
    """

    def __init__(self, image: Image) -> None:
        self.shape: tuple[int, int] = (image.shape[0], image.shape[1])
        self._halves: list[Image] = [image]
        self._halving = threading.Lock()

    def tile(self, tile: Tile) -> Image:
        """A tile of a level. Returns: (1, height, width, 3) uint8."""
        height, width = level_size(self.shape, tile.scale)
        half = self._half(int(max(0.0, np.floor(-np.log2(tile.scale)))))
        rows = half.shape[0] / height
        columns = half.shape[1] / width
        top, bottom = round(tile.top * rows), round((tile.top + tile.height) * rows)
        left, right = round(tile.left * columns), round((tile.left + tile.width) * columns)
        part = half[top : max(bottom, top + 1), left : max(right, left + 1)]
        size = (tile.width, tile.height)
        return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_LINEAR), np.uint8)[None]

    def crops(self, regions: FloatArray, side: int) -> Image:
        """Each region as a square.

        Args:
            regions: (n, 4) float32 xyxy pixels of the frame.
            side: of the squares in pixels.

        Returns:
            (n, side, side, 3) uint8.
        """
        crops = np.empty((len(regions), side, side, 3), np.uint8)
        sizes = (regions[:, 2:] - regions[:, :2]).min(axis=1, initial=np.inf)
        depths = np.floor(np.log2(np.maximum(sizes / side, 1))).astype(int)
        for depth in np.unique(depths):
            chosen = np.flatnonzero(depths == depth)
            for start in range(0, len(chosen), _CROPS_A_CALL):
                rows = chosen[start : start + _CROPS_A_CALL]
                crops[rows] = self._sampled(int(depth), regions[rows], side)
        return crops

    def _sampled(self, depth: int, regions: FloatArray, side: int) -> Image:
        half = self._half(depth)
        scale = np.array([half.shape[1] / self.shape[1], half.shape[0] / self.shape[0]] * 2)
        low, high = np.split((regions * scale).astype(np.float32), 2, axis=1)
        steps = (np.arange(side, dtype=np.float32) + 0.5) / side
        x, y = (
            low[:, i, None] + steps * (high[:, i, None] - low[:, i, None]) - np.float32(0.5)
            for i in (0, 1)
        )
        shape = (len(regions), side, side)
        columns = np.broadcast_to(x[:, None, :], shape).reshape(len(regions), -1)
        rows = np.broadcast_to(y[:, :, None], shape).reshape(len(regions), -1)
        pixels = cv2.remap(half, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(pixels, np.uint8).reshape(*shape, 3)

    def _half(self, depth: int) -> Image:
        """The frame halved so many times, as far as there is a pixel left."""
        with self._halving:
            while len(self._halves) <= depth and min(self._halves[-1].shape[:2]) > 1:
                last = self._halves[-1]
                size = (last.shape[1] // 2, last.shape[0] // 2)
                self._halves.append(
                    np.asarray(cv2.resize(last, size, interpolation=cv2.INTER_AREA), np.uint8)
                )
        return self._halves[min(depth, len(self._halves) - 1)]
