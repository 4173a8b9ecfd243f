"""Small tiles of the pyramid side by side on one sheet, so that a call of P-Net is worth its cost.

A call costs about as much as ten thousand pixels do; half of a pyramid's levels are smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from attendance.core.domain import IntArray
from attendance.core.scanning import CELL_PX, STRIDE_PX, Tile, cells

SMALL_PX = 60_000


@dataclass(frozen=True, eq=False)
class Sheet:
    """Tiles and where they lie; one tile alone fills its sheet.

    Attributes:
        height, width: in pixels.
        tiles: what lies on it.
        corners: (n, 2) top and left of each tile, even.
        owners: (rows, columns) the tile that each of P-Net's cells looks at, -1 for none.
    """

    height: int
    width: int
    tiles: tuple[Tile, ...]
    corners: IntArray
    owners: IntArray


@lru_cache(maxsize=256)
def on_sheets(tiles: tuple[Tile, ...]) -> list[Sheet]:
    """The small tiles on one sheet, every other on its own; those without a cell on none."""
    searched = [tile for tile in tiles if min(tile.height, tile.width) >= CELL_PX]
    small = [tile for tile in searched if tile.height * tile.width <= SMALL_PX]
    if len(small) < 2:
        return [alone(tile) for tile in searched]
    large = [tile for tile in searched if tile.height * tile.width > SMALL_PX]
    return [*map(alone, large), _packed(small)]


def alone(tile: Tile) -> Sheet:
    """A tile that fills its sheet."""
    owners = np.zeros((cells(tile.height), cells(tile.width)), int)
    return Sheet(tile.height, tile.width, (tile,), np.zeros((1, 2), int), owners)


def _packed(tiles: Sequence[Tile]) -> Sheet:
    """Tiles in columns, the highest first; an edge is repeated once, so sides become even."""
    ordered = sorted(tiles, key=lambda tile: (-tile.height, -tile.width))
    height = _even(ordered[0].height)
    columns: list[list[int]] = []
    corners = []
    for tile in ordered:
        rows, wide = _even(tile.height), _even(tile.width)
        column = next((c for c in columns if c[1] >= wide and c[2] + rows <= height), None)
        if column is None:
            left = columns[-1][0] + columns[-1][1] if columns else 0
            column = [left, wide, 0]
            columns.append(column)
        corners.append((column[2], column[0]))
        column[2] += rows
    width = columns[-1][0] + columns[-1][1]
    owners = np.full((cells(height), cells(width)), -1)
    for i, (tile, (top, left)) in enumerate(zip(ordered, corners, strict=True)):
        row, column_ = top // STRIDE_PX, left // STRIDE_PX
        owners[row : row + cells(tile.height), column_ : column_ + cells(tile.width)] = i
    return Sheet(height, width, tuple(ordered), np.array(corners), owners)


def _even(length: int) -> int:
    """The next even number that leaves a pixel for the repeated edge."""
    return length + 2 - length % 2
