"""Are all people served alike? The groups a folder names, each at the one threshold for all.

A system has one threshold; what differs between groups at their own thresholds is nobody's
experience. So the threshold holds FAR 1e-3 over all pairs, and what each group has of it is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attendance.core import metrics
from attendance.core.metrics import Doubles, Integers
from attendance.evaluation.all_pairs import AllPairs, compare_all
from attendance.evaluation.embedding import EmbeddedPhotos
from attendance.evaluation.protocols import group_of, person_of
from attendance.evaluation.simulated_classes import PeopleSamples, Rate


@dataclass(frozen=True)
class GroupFigures:
    """One group, its people compared among themselves.

    Attributes:
        val: accepted share of its same-person pairs.
        far: accepted share of its different-person pairs; where more are accepted than were kept
            of them (3 %), at least that.
    """

    group: str
    n_people: int
    n_photos: int
    n_undetected: int
    val: Rate
    far: Rate


def by_group(
    embedded: EmbeddedPhotos, threshold: float, replicates: int
) -> tuple[GroupFigures, ...]:
    """Every group at one threshold, none where the folder names no groups.

    Args:
        embedded: photos of all groups.
        threshold: the lowest accepted similarity.
        replicates: of the bootstrap over people.
    """
    groups = np.array([group_of(path) for path in embedded.paths])
    names = [str(name) for name in np.unique(groups) if name]
    return tuple(_figures(n, embedded, groups == n, threshold, replicates) for n in names)


def _figures(
    name: str, embedded: EmbeddedPhotos, mask: metrics.Bools, threshold: float, replicates: int
) -> GroupFigures:
    rows = np.flatnonzero(mask)
    people = [person_of(embedded.paths[row]) for row in rows]
    owners = np.asarray(np.unique(people, return_inverse=True)[1], np.intp)
    everything = compare_all(embedded.embeddings[rows], owners, embedded.found[rows])
    n_people = len(everything.photos_each)

    def rates(drawn: Integers) -> Doubles:
        return _rates(everything, threshold, drawn.astype(np.float64))

    value = rates(np.ones(n_people, np.intp))
    samples = metrics.bootstrap_people(rates, n_people, replicates)
    val, far = (
        PeopleSamples(value[[i]], samples[:, [i]]).rates(n)[0]
        for i, n in enumerate((everything.n_same, everything.n_cross))
    )
    n_undetected = int((~embedded.found[rows]).sum())
    return GroupFigures(name, n_people, len(rows), n_undetected, val, far)


def _rates(everything: AllPairs, threshold: float, weights: Doubles) -> Doubles:
    """Accepted share of same- and of different-person pairs. Returns: (2,)."""
    own = weights[everything.genuine_people]
    same = metrics.rate(float(own[everything.genuine >= threshold].sum()), float(own.sum()))
    photos = weights * everything.photos_each
    cross = (photos.sum() ** 2 - (photos**2).sum()) / 2
    people = everything.tail_people[everything.tail >= threshold]
    accepted = weights[people[:, 0]] * weights[people[:, 1]]
    return np.array([same, metrics.rate(float(accepted.sum()), float(cross))])
