"""Students who look too much alike for the camera to tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from attendance.calibration.in_force import raised
from attendance.config import DecisionConfig
from attendance.evaluation.searches import Searches


@dataclass(frozen=True)
class Pair:
    """Two students and how near they come to each other.

    Attributes:
        similarity: the highest between a photo of one and a template of the other.
        doubtful: photos of either that the other one's templates could have made, of `photos`.
    """

    first: int
    second: int
    similarity: float
    doubtful: int
    photos: int


def is_too_alike(pair: Pair) -> bool:
    """Whether a third of the photos of two students could as well be the other's."""
    return pair.doubtful * 3 >= pair.photos


def alike_pairs(
    student_ids: tuple[int, ...], searches: Searches, threshold: float, decision: DecisionConfig
) -> list[Pair]:
    """Pairs of students who come near each other, the nearest first.

    A photo is doubtful for a pair where the other one's templates alone would have earned it a
    review, and the own ones do not lead by the margin that a name needs.
    """
    review = raised(decision.model_dump(), threshold)["review_threshold"]
    n, baseline = searches.size, decision.baseline
    level = baseline + review * (1 - baseline)
    own = searches.rows[np.arange(len(searches.owners)), searches.owners]
    is_doubtful = (searches.rows >= level) & (own[:, None] - searches.rows < decision.margin)
    pairs = []
    for i, j in combinations(range(n), 2):
        to_j, to_i = searches.owners == i, searches.owners == j
        doubtful = int(is_doubtful[to_j, j].sum() + is_doubtful[to_i, i].sum())
        highest = max(searches.rows[to_j, j].max(), searches.rows[to_i, i].max())
        first, second = student_ids[i], student_ids[j]
        photos = int(to_j.sum() + to_i.sum())
        pairs.append(Pair(first, second, float(highest), doubtful, photos))
    return sorted(pairs, key=lambda pair: (-pair.doubtful / pair.photos, -pair.similarity))
