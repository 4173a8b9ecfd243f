"""Where newcomers are looked for: every cell of the pyramid once, and each in its time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core.domain import Detections, Frame
from attendance.core.newcomers import Newcomers, Rota
from attendance.core.scanning import (
    CELL_PX,
    STRIDE_PX,
    TILE_PX,
    level_size,
    pyramid_scales,
    tiled_levels,
    whole_levels,
)
from tests.fakes import NINE, FakeSearch

shapes = st.tuples(st.integers(1, 1500), st.integers(1, 2500))
sizes = st.integers(20, 200)


def cells(tile):
    """Corners of the cells that P-Net answers for in a tile, in pixels of its level."""
    rows = range(0, max(0, tile.height - CELL_PX + STRIDE_PX), STRIDE_PX)
    columns = range(0, max(0, tile.width - CELL_PX + STRIDE_PX), STRIDE_PX)
    return [(tile.scale, tile.top + row, tile.left + column) for row in rows for column in columns]


@given(shapes, sizes)
def test_tiles_search_every_cell_of_the_pyramid_once(shape, min_face_px):
    scales = pyramid_scales(shape, min_face_px)[-3:]
    whole = [cell for tile in whole_levels(shape, min_face_px)[-3:] for cell in cells(tile)]
    tiled = [cell for tile in tiled_levels(shape, scales) for cell in cells(tile)]
    assert sorted(tiled) == sorted(whole)


@given(shapes, sizes)
def test_tiles_lie_inside_their_level_and_cost_about_the_same(shape, min_face_px):
    for tile in tiled_levels(shape, pyramid_scales(shape, min_face_px)):
        height, width = level_size(shape, tile.scale)
        assert tile.top >= 0
        assert tile.top + tile.height <= height
        assert tile.left >= 0
        assert tile.left + tile.width <= width
        assert tile.height * tile.width < 2 * TILE_PX


@pytest.mark.parametrize(
    ("shape", "levels", "reason"),
    [
        ((1, 1), 0, "a single pixel holds no face"),
        ((39, 1000), 0, "lower than the smallest face"),
        ((40, 40), 1, "just one face"),
        ((1080, 1920), 10, "forty pixels up to the whole height"),
    ],
)
def test_a_pyramid_reaches_from_the_smallest_face_to_the_frame(shape, levels, reason):
    assert len(pyramid_scales(shape, 40)) == levels, reason


def times(count, fps):
    return [n / fps for n in range(count)]


TILES = tiled_levels((1080, 1920), pyramid_scales((1080, 1920), 40))


def test_the_first_frame_is_searched_whole():
    assert sorted(Rota(0.25).due(TILES, 5.0), key=TILES.index) == TILES


@pytest.mark.parametrize("fps", [2, 7, 15, 30, 60])
def test_every_tile_has_its_turn_in_time_at_any_frame_rate(fps):
    rota = Rota(0.25)
    newest = dict.fromkeys(TILES, 0.0)
    for t_s in times(10 * fps, fps):
        for tile in rota.due(TILES, t_s):
            newest[tile] = t_s
        assert t_s - min(newest.values()) <= 0.25 + 1 / fps + 1e-6


def test_no_frame_of_a_fast_camera_is_searched_whole_but_the_first():
    rota = Rota(0.25)
    counts = [len(rota.due(TILES, t_s)) for t_s in times(90, 30)]
    assert counts[0] == len(TILES)
    assert max(counts[1:]) <= len(TILES) / 0.25 / 30 + 1
    assert sum(counts[1:]) == pytest.approx(89 / 30 / 0.25 * len(TILES), abs=2)


def test_a_pause_is_no_reason_to_search_twice():
    rota = Rota(0.25)
    rota.due(TILES, 0.0)
    assert len(rota.due(TILES, 60.0)) == len(TILES)
    assert len(rota.due(TILES, 60.0)) <= 1


class Tally(FakeSearch):
    """Counts the tiles that were asked for."""

    def __init__(self):
        super().__init__(Detections.empty())
        self.tiles = []

    def scan(self, tiles, known=None):
        self.tiles += tiles
        return super().scan(tiles, known)


def test_a_sweep_searches_once_for_faces_half_as_high_and_a_tile_a_frame():
    newcomers, search = Newcomers(40, 0.25), Tally()
    nobody = np.zeros((0, 4), np.float32)
    frame = Frame(1, np.zeros((1080, 1920, 3), np.uint8), 0.0, NINE)
    newcomers.look_again()
    newcomers.look_again()
    frames = 0
    while newcomers.is_sweeping:
        newcomers.find(search, frame, nobody, is_slow=False)
        frames += 1
    finer = [tile for tile in search.tiles if tile.scale > 12 / 40]
    assert len(finer) == len(set(finer)) == frames
    assert {round(tile.scale, 3) for tile in finer} == {0.6, 0.425}
    assert newcomers.swept_faces == 0


def test_another_size_of_frame_is_planned_anew():
    newcomers, search = Newcomers(40, 0.25), Tally()
    nobody = np.zeros((0, 4), np.float32)
    for n, shape in enumerate([(480, 640, 3), (1080, 1920, 3), (1, 640, 3)]):
        search.tiles.clear()
        frame = Frame(n, np.zeros(shape, np.uint8), n / 30, NINE)
        newcomers.find(search, frame, nobody, is_slow=False)
        expected = tiled_levels(shape[:2], pyramid_scales(shape[:2], 40))
        assert sorted(search.tiles, key=repr) == sorted(expected, key=repr)
