"""Who a session has shown so far, each person once: to count strangers and to know the camera."""

from __future__ import annotations

import numpy as np

from attendance.core.domain import FloatArray

SAME_STRANGER_SIMILARITY = 0.6


class FacesSeen:
    """One embedding of each distinct person; in memory only. Owned by the worker's thread."""

    def __init__(self) -> None:
        self._named: dict[int, FloatArray] = {}
        self._strangers: list[FloatArray] = []

    def add_named(self, student_id: int, embedding: FloatArray) -> None:
        """Somebody who had a name; the newest embedding is kept."""
        self._named[student_id] = embedding

    def add_stranger(self, embedding: FloatArray) -> None:
        """Somebody who is nobody on the roster, once however often their track breaks."""
        alike = [float(embedding @ other) for other in self._strangers]
        if max(alike, default=-1.0) < SAME_STRANGER_SIMILARITY:
            self._strangers.append(embedding)

    def copy(self) -> FacesSeen:
        """The same people, to add some for the moment."""
        other = FacesSeen()
        other._named, other._strangers = dict(self._named), list(self._strangers)
        return other

    @property
    def strangers(self) -> int:
        """Distinct strangers."""
        return len(self._strangers)

    def embeddings(self) -> FloatArray:
        """One row a person. Returns: (n, d) L2-normalised, (0, 0) for nobody."""
        rows = [*self._named.values(), *self._strangers]
        return np.stack(rows) if rows else np.zeros((0, 0), np.float32)
