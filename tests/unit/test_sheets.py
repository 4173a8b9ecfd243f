"""Small tiles share a sheet: every cell is still looked at once, and sees its own tile only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core.scanning import (
    CELL_PX,
    STRIDE_PX,
    Tile,
    cells,
    pyramid_scales,
    tiled_levels,
    whole_levels,
)
from attendance.core.sheets import SMALL_PX, on_sheets
from attendance.vision.mtcnn import Mtcnn, MtcnnNets

shapes = st.tuples(st.integers(1, 1500), st.integers(1, 2500))
sizes = st.integers(20, 200)
sides = st.integers(1, 240)
tiles = st.lists(st.builds(Tile, st.just(0.3), st.just(0), st.just(0), sides, sides), max_size=12)


def assert_every_cell_is_there_once(given_tiles):
    sheets = on_sheets(tuple(given_tiles))
    searched = [tile for tile in given_tiles if min(tile.height, tile.width) >= CELL_PX]
    assert sorted(map(repr, searched)) == sorted(repr(t) for s in sheets for t in s.tiles)
    for sheet in sheets:
        assert sheet.owners.shape == (cells(sheet.height), cells(sheet.width))
        for i, (tile, (top, left)) in enumerate(zip(sheet.tiles, sheet.corners, strict=True)):
            rows, columns = np.nonzero(sheet.owners == i)
            expected = np.indices((cells(tile.height), cells(tile.width))).reshape(2, -1)
            assert (rows - top // STRIDE_PX == expected[0]).all()
            assert (columns - left // STRIDE_PX == expected[1]).all()
            assert top % STRIDE_PX == left % STRIDE_PX == 0


@given(shapes, sizes)
def test_a_pyramid_on_sheets_keeps_every_cell(shape, min_face_px):
    assert_every_cell_is_there_once(whole_levels(shape, min_face_px))
    assert_every_cell_is_there_once(tiled_levels(shape, pyramid_scales(shape, min_face_px)))


@given(tiles)
def test_any_tiles_on_sheets_keep_every_cell(given_tiles):
    assert_every_cell_is_there_once(given_tiles)


@given(tiles)
def test_tiles_on_a_sheet_leave_room_for_a_repeated_edge(given_tiles):
    for sheet in on_sheets(tuple(given_tiles)):
        if len(sheet.tiles) == 1:
            continue
        painted = np.zeros((sheet.height, sheet.width), int)
        for tile, (top, left) in zip(sheet.tiles, sheet.corners, strict=True):
            painted[top : top + tile.height + 1, left : left + tile.width + 1] += 1
            assert top + tile.height + 1 <= sheet.height
            assert left + tile.width + 1 <= sheet.width
        assert painted.max() == 1


@pytest.mark.parametrize(
    ("shape", "sheets", "reason"),
    [
        ((1080, 1920), 3, "two large levels alone, eight small ones together"),
        ((720, 1280), 2, "the largest level alone"),
        ((240, 320), 1, "all together"),
        ((40, 40), 1, "one level"),
        ((39, 40), 0, "too low for a face"),
    ],
)
def test_calls_for_a_whole_pyramid(shape, sheets, reason):
    assert len(on_sheets(tuple(whole_levels(shape, 40)))) == sheets, reason
    assert SMALL_PX < 325 * 577


class Plain:
    """A sampler whose tiles show how bright a face would be: each level its own value."""

    shape = (480, 640)

    def tile(self, tile):
        return np.full((1, tile.height, tile.width, 3), int(100 * tile.scale), np.uint8)


def mean_net(image):
    """P-Net's shape of output: the logit is how far a cell sees one colour only."""
    whole = image[0].astype(np.float32)
    rows, columns = cells(whole.shape[0]), cells(whole.shape[1])
    padded = np.pad(whole, ((0, 1), (0, 1), (0, 0)), mode="edge")
    out = np.zeros((1, rows, columns, 5), np.float32)
    for row in range(rows):
        for column in range(columns):
            cell = padded[
                STRIDE_PX * row : STRIDE_PX * row + CELL_PX,
                STRIDE_PX * column : STRIDE_PX * column + CELL_PX,
            ]
            out[0, row, column, 0] = 5 if np.ptp(cell) == 0 else -5
    return out


def test_no_cell_of_a_tile_sees_another_tile(monkeypatch):
    search = Mtcnn(MtcnnNets(mean_net, None, None)).search(np.zeros((480, 640, 3), np.uint8))
    monkeypatch.setattr(search, "_sampler", Plain())
    tiles = tuple(whole_levels((480, 640), 40))
    (sheet,) = on_sheets(tiles)
    assert len(sheet.tiles) == len(tiles)
    logits = mean_net(search._picture(sheet))[0, ..., 0]
    assert (logits[sheet.owners >= 0] == 5).all()
