"""Who has come in: a scan of the whole frame, shared out over many, and a sweep on demand."""

from __future__ import annotations

import numpy as np

from attendance.core.domain import Detections, FloatArray, Frame, joined
from attendance.core.following import FaceSearch
from attendance.core.geometry import covered
from attendance.core.promises import Submit, UnderWay, at_once
from attendance.core.scanning import PYRAMID_FACTOR, Tile, pyramid_scales, tiled_levels

KNOWN_OVERLAP = 0.4
STALE_S = 1.0


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
        submit: has a search done, here and now or in a thread.
    """

    def __init__(self, min_face_px: int, every_s: float, submit: Submit = at_once) -> None:
        self._submit = submit
        self._asked: tuple[UnderWay[tuple[Detections, Detections]], float] | None = None
        self._frames = 0
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

    def find(
        self, search: FaceSearch, frame: Frame, known: FloatArray, *, is_slow: bool
    ) -> Detections:
        """The newcomers that are ready by now, best score first.

        Has this frame searched where its turn has come, unless an earlier one still is; what that
        one finds is told in the frame after.

        Args:
            search: the frame, opened.
            frame: the same.
            known: (n, 4) boxes of the faces that are followed.
            is_slow: whether to wait for this frame's search, as the next frame is far off.
        """
        self._frames += 1
        self._plan((frame.image.shape[0], frame.image.shape[1]))
        found = self._collect(frame.t_s, known, is_slow=False)
        if self._asked is None:
            self._ask(search, frame.t_s, known)
        known = np.concatenate([known, found.boxes])
        return joined(found, self._collect(frame.t_s, known, is_slow=is_slow))

    def _ask(self, search: FaceSearch, t_s: float, known: FloatArray) -> None:
        tiles = self._rota.due(self._tiles, t_s)
        finer = [self._sweep.pop()] if self._sweep else []
        if tiles or finer:
            promise = self._submit(lambda: _searched(search, tiles, finer, known))
            self._asked = (UnderWay(promise, self._frames), t_s)

    def forget(self) -> None:
        """Take no interest in what an earlier frame may show, as after a camera was away."""
        self._asked = None

    def _collect(self, t_s: float, known: FloatArray, *, is_slow: bool) -> Detections:
        """What was found and is not known meanwhile; what is too old to be there is left."""
        if self._asked is None or not self._asked[0].is_due(self._frames, is_slow=is_slow):
            return Detections.empty()
        (asked, asked_s), self._asked = self._asked, None
        if t_s - asked_s > STALE_S:
            return Detections.empty()
        found, small = (_unknown(faces, known) for faces in asked.promise.result())
        self.swept_faces += len(small)
        return joined(found, small)

    def _plan(self, shape: tuple[int, int]) -> None:
        """Cut the pyramid anew for another size of frame, and the two levels of a sweep."""
        scales = pyramid_scales(shape, self._min_face_px)
        if shape != self._shape:
            self._shape, self._tiles, self._sweep = shape, tiled_levels(shape, scales), []
        if self._wants_sweep:
            finer = [scales[0] * 2, scales[0] * 2 * PYRAMID_FACTOR] if scales else []
            self._sweep = tiled_levels(shape, finer)
            self._wants_sweep = False


def _searched(
    search: FaceSearch, tiles: list[Tile], finer: list[Tile], known: FloatArray
) -> tuple[Detections, Detections]:
    """Newcomers in the tiles, and those in a sweep's finer ones."""
    found = search.scan(tiles, known) if tiles else Detections.empty()
    if not finer:
        return found, Detections.empty()
    return found, search.scan(finer, np.concatenate([known, found.boxes]))


def _unknown(faces: Detections, known: FloatArray) -> Detections:
    return faces.take(~covered(faces.boxes, known, KNOWN_OVERLAP))
