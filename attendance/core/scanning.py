"""Where to look for faces nobody follows yet: the image pyramid, cut into tiles.

P-Net sees a face of 12 pixels. A pyramid of ever smaller pictures brings every size there; tiles
of about equal cost let a camera's pictures share one scan, each searching the tiles that are due.
Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks", 2016, section II-A.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CELL_PX = 12
STRIDE_PX = 2
PYRAMID_FACTOR = 0.709
TILE_PX = 50_000


@dataclass(frozen=True)
class Tile:
    """A part of one level of the pyramid.

    Attributes:
        scale: of the level, relative to the frame.
        top, left: its corner in pixels of the level, even.
        height, width: in pixels of the level.
    """

    scale: float
    top: int
    left: int
    height: int
    width: int


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


def level_size(shape: tuple[int, int], scale: float) -> tuple[int, int]:
    """Height and width of a level, as facenet-pytorch rounds them.

    >>> level_size((1080, 1920), 0.3)
    (325, 577)
    """
    return int(shape[0] * scale + 1), int(shape[1] * scale + 1)


def cells(length: int) -> int:
    """How many of P-Net's cells lie along so many pixels; the last may want one pixel more.

    >>> cells(10), cells(12), cells(13), cells(14)
    (0, 1, 2, 2)
    """
    return max(0, (length - CELL_PX + 1) // STRIDE_PX + 1)


def whole_levels(shape: tuple[int, int], min_face_px: int) -> list[Tile]:
    """The pyramid, a tile a level."""
    scales = pyramid_scales(shape, min_face_px)
    return [Tile(scale, 0, 0, *level_size(shape, scale)) for scale in scales]


def tiled_levels(shape: tuple[int, int], scales: Sequence[float]) -> list[Tile]:
    """These levels in tiles of about `TILE_PX` pixels that miss no cell and repeat none.

    >>> [(tile.top, tile.height) for tile in tiled_levels((1080, 1920), [0.3])]
    [(0, 88), (78, 90), (158, 88), (236, 89)]
    """
    tiles = []
    for scale in scales:
        height, width = level_size(shape, scale)
        wide = max(1, round(width / (4 * TILE_PX) ** 0.5))
        high = max(1, round(height * width / wide / TILE_PX))
        for top, rows in _parts(height, high):
            tiles += [
                Tile(scale, top, left, rows, columns) for left, columns in _parts(width, wide)
            ]
    return tiles


def _parts(length: int, count: int) -> list[tuple[int, int]]:
    """Starts and lengths that share no position of a cell."""
    shared = CELL_PX - STRIDE_PX
    positions = max(1, -(-(length - shared) // STRIDE_PX))
    count = min(count, positions)
    edges = [positions * i // count * STRIDE_PX for i in range(count + 1)]
    ends = [min(edge + shared, length) for edge in edges[1:]]
    ends[-1] = length
    return [(start, end - start) for start, end in zip(edges[:-1], ends, strict=True)]
