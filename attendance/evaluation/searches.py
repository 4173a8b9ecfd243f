"""Every photo of a roster's enrolment looked for among the others, itself held back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from attendance.config import DecisionConfig
from attendance.core.domain import FloatArray, Gallery, IntArray, Match
from attendance.core.errors import AttendanceError
from attendance.core.impostors import Doubles
from attendance.core.matching import best_match
from attendance.registry import NewTemplate

LEAST_STUDENTS = 2


@dataclass(frozen=True)
class Enrolment:
    """The templates of a roster as parallel arrays.

    Attributes:
        student_ids: (s,) who has templates.
        embeddings: (m, d) float32, L2-normalised.
        owners: (m,) index into `student_ids`.
        photos: (m,) numbers photos; a photo and its flip share one.
        is_probe: (m,) not a flip: what may be looked for with.
    """

    model_id: str
    student_ids: tuple[int, ...]
    embeddings: FloatArray
    owners: IntArray
    photos: IntArray
    is_probe: npt.NDArray[np.bool_]

    @property
    def gallery(self) -> Gallery:
        """The same, as the pipeline holds it."""
        return Gallery(self.model_id, self.student_ids, self.embeddings, self.owners)


def enrolment_of(templates: Mapping[int, Sequence[NewTemplate]], model_id: str) -> Enrolment:
    """The templates of students as arrays; who has none is left out.

    Raises:
        AttendanceError: fewer than two students have templates.
    """
    students = [student for student, own in templates.items() if own]
    if len(students) < LEAST_STUDENTS:
        raise AttendanceError(
            f"{len(students)} students of this course are enrolled; a calibration compares people "
            f"with each other and takes {LEAST_STUDENTS} or more: enrol them first"
        )
    rows = [(i, t) for i, student in enumerate(students) for t in templates[student]]
    photos = dict.fromkeys((i, t.sample_key) for i, t in rows)
    keys = {photo: number for number, photo in enumerate(photos)}
    return Enrolment(
        model_id,
        tuple(students),
        np.stack([t.embedding for _, t in rows]),
        np.array([i for i, _ in rows], np.intp),
        np.array([keys[i, t.sample_key] for i, t in rows], np.intp),
        np.array([not t.is_flip for _, t in rows], np.bool_),
    )


class Searches:
    """Every photo of an enrolment looked for among the others.

    Args:
        enrolment: the roster's templates.
        decision: how scores are made.
    """

    def __init__(self, enrolment: Enrolment, decision: DecisionConfig) -> None:
        self._all = enrolment
        self._decision = decision
        self.probes = np.flatnonzero(enrolment.is_probe)
        self.owners = enrolment.owners[self.probes]
        raw = enrolment.embeddings[self.probes] @ enrolment.embeddings.T
        self._raw = np.where(self._same_photo(), -1.0, raw)
        n = len(enrolment.student_ids)
        columns = [self._raw[:, enrolment.owners == i].max(axis=1) for i in range(n)]
        self.rows = np.stack(columns, axis=1).astype(np.float32)
        """(p, s): of each photo to each student, its own photo held back; -1 without another."""
        self._gallery, self._nobody = _of_places(n), _of_places(n - 1)

    @property
    def size(self) -> int:
        """How many students."""
        return len(self._all.student_ids)

    def _same_photo(self) -> npt.NDArray[np.bool_]:
        return np.asarray(np.equal.outer(self._all.photos[self.probes], self._all.photos))

    def genuine(self) -> Doubles:
        """Score and lead of the right person, -1 where another comes first. Returns: (p, 2)."""
        pairs = zip(self.rows, self.owners.tolist(), strict=True)
        found = [self._own(row, owner) for row, owner in pairs]
        return np.array(found, np.float64).reshape(-1, 2)

    def impostor(self) -> Doubles:
        """Score and lead of the nearest other, all own photos held back. Returns: (p, 2)."""
        found = []
        for row, owner in zip(self.rows, self.owners.tolist(), strict=True):
            match = self._match(np.delete(row, owner), self._nobody)
            found.append((match.score, match.margin))
        return np.array(found, np.float64).reshape(-1, 2)

    def with_fewer(self, templates: int) -> Doubles:
        """`genuine` with only so many own photos enrolled, every choice of them. Returns: (k, 2).

        The others keep all of theirs.
        """
        photos, found = self._all.photos, []
        for place, owner in enumerate(self.owners.tolist()):
            own = np.flatnonzero(self._all.owners == owner)
            others = set(photos[own].tolist()) - {int(photos[self.probes[place]])}
            for chosen in combinations(sorted(others), templates):
                row = self.rows[place].copy()
                row[owner] = self._raw[place, own[np.isin(photos[own], chosen)]].max()
                found.append(self._own(row, owner))
        return np.array(found, np.float64).reshape(-1, 2)

    def _own(self, row: FloatArray, owner: int) -> tuple[float, float]:
        match = self._match(row, self._gallery)
        is_right = match.student_id == owner and row[owner] > -1
        return (match.score, match.margin) if is_right else (-1.0, 0.0)

    def _match(self, row: FloatArray, gallery: Gallery) -> Match:
        return best_match(row, gallery, self._decision.baseline, self._decision.baseline_weight)


def _of_places(count: int) -> Gallery:
    """A gallery whose students are called by their places: rows are matched, not templates."""
    places = np.arange(count)
    return Gallery("", tuple(range(count)), np.zeros((count, 1), np.float32), places)
