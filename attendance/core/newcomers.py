"""Who has come in: a scan of the whole frame, shared out over many, and a sweep on demand."""

from __future__ import annotations

import numpy as np

from attendance.core.domain import Detections, FloatArray, Frame
from attendance.core.following import FaceSearch
from attendance.core.scanning import PYRAMID_FACTOR, Tile, pyramid_scales, tiled_levels


class Rota:
    """Deals tiles out over frames, so that each has its turn once in `every_s`.

    A camera of thirty frames a second searches an eighth of the pyramid a frame; one of two
    frames a second, or the first frame of all, searches the whole. Owned by the worker's thread.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._tiles: list[Tile] = []
        self._next = 0
        self._owed = 0.0
        self._last_s = 0.0

    def due(self, tiles: list[Tile], t_s: float) -> list[Tile]:
        """The tiles to search in the frame of this time.

        Args:
            tiles: of the whole scan; another list, as after a change of size, starts anew.
            t_s: the frame's time.
        """
        if tiles is not self._tiles:
            self._tiles, self._next, self._owed = tiles, 0, float(len(tiles))
        else:
            self._owed += (t_s - self._last_s) / self._every_s * len(tiles)
        self._last_s = t_s
        count = min(int(self._owed + 1e-6), len(tiles))
        chosen = [tiles[(self._next + i) % len(tiles)] for i in range(count)]
        self._owed = min(self._owed - count, 1.0)
        self._next = (self._next + count) % max(1, len(tiles))
        return chosen


class Newcomers:
    """Searches the frames of one camera for faces nobody follows. Owned by the worker's thread.

    Args:
        min_face_px: the smallest face looked for; a sweep looks for half of it.
        every_s: seconds in which the whole frame is searched.
    """

    def __init__(self, min_face_px: int, every_s: float) -> None:
        self._min_face_px = min_face_px
        self._rota = Rota(every_s)
        self._shape = (0, 0)
        self._tiles: list[Tile] = []
        self._wants_sweep = False
        self._sweep: list[Tile] = []
        self.swept_faces = 0

    @property
    def is_sweeping(self) -> bool:
        """Whether a sweep is asked for or goes on."""
        return self._wants_sweep or bool(self._sweep)

    def look_again(self) -> None:
        """Ask for one sweep, a tile a frame; while one goes on, it is the one."""
        if not self.is_sweeping:
            self._wants_sweep = True
            self.swept_faces = 0

    def find(self, search: FaceSearch, frame: Frame, known: FloatArray) -> Detections:
        """The newcomers in what is searched of this frame, best score first.

        Args:
            search: the frame, opened.
            frame: the same.
            known: (n, 4) boxes of the faces that are followed.
        """
        self._plan((frame.image.shape[0], frame.image.shape[1]))
        tiles = self._rota.due(self._tiles, frame.t_s)
        found = search.scan(tiles, known) if tiles else Detections.empty()
        if not self._sweep:
            return found
        small = search.scan([self._sweep.pop()], np.concatenate([known, found.boxes]))
        self.swept_faces += len(small)
        return Detections(
            np.concatenate([found.boxes, small.boxes]),
            np.concatenate([found.landmarks, small.landmarks]),
            np.concatenate([found.scores, small.scores]),
        )

    def _plan(self, shape: tuple[int, int]) -> None:
        """Cut the pyramid anew for another size of frame, and the two levels of a sweep."""
        scales = pyramid_scales(shape, self._min_face_px)
        if shape != self._shape:
            self._shape, self._tiles, self._sweep = shape, tiled_levels(shape, scales), []
        if self._wants_sweep:
            finer = [scales[0] * 2, scales[0] * 2 * PYRAMID_FACTOR] if scales else []
            self._sweep = tiled_levels(shape, finer)
            self._wants_sweep = False
