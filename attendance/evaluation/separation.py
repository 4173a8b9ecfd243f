"""How well an embedder tells the people of a roster apart, and which of several does it best.

Every photo is compared with the templates of each student, itself held back: the own student's
similarity is genuine, everybody else's an impostor's. d' is how far the two kinds lie apart, in
standard deviations; it needs no threshold, so embedders with different scales can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from attendance.config import DecisionConfig
from attendance.core import metrics
from attendance.core.cohort import centred
from attendance.core.domain import FloatArray
from attendance.core.impostors import Background, Doubles
from attendance.evaluation.searches import LEAST_STUDENTS, Enrolment, Searches, enrolment_of
from attendance.evaluation.tables import Row, percent
from attendance.registry import NewTemplate

DRAWS = 400


@dataclass(frozen=True)
class Separation:
    """What one embedder makes of a roster.

    Attributes:
        n_students: with templates; `n_genuine` and `n_impostor` comparisons.
        d_prime: (mean genuine - mean impostor) / root of the mean of both variances; 95 % `low` to
            `high` over students.
        eer: equal error rate of the similarities.
        threshold: of score, for the rate of unknown people asked for at this size of roster; None
            where strangers were never measured for the embedder.
        fnir: share of the photos that get no name or another one there; None likewise.
        draws: d' with the students drawn again, the same ones for every embedder.
    """

    model_id: str
    n_students: int
    n_genuine: int
    n_impostor: int
    d_prime: float
    low: float
    high: float
    eer: float
    threshold: float | None
    fnir: float | None
    draws: Doubles = field(repr=False, metadata={"json": False})

    @property
    def name(self) -> str:
        """The embedder's name, without the digest of its space."""
        return self.model_id.rpartition("-")[0] or self.model_id


def separations(
    templates: Mapping[str, Mapping[int, Sequence[NewTemplate]]],
    shifts: Mapping[str, FloatArray],
    backgrounds: Callable[[str], Background | None],
    decision: DecisionConfig,
    target_fpir: float,
) -> list[Separation]:
    """Every embedder on the students who have templates of all of them: others do not compare.

    Args:
        templates: of each embedder's model_id, of each student.
        shifts: what the faces of the camera share, by model_id, where that is known.
        backgrounds: of a model_id.
        decision: how scores are made, and the lead a name takes.
        target_fpir: share of unknown people who may be given a name.

    Returns:
        None of an embedder whose students have one photo each: nothing is genuine then.
    """
    used = {model_id: own for model_id, own in templates.items() if any(own.values())}
    having = [{who for who, rows in own.items() if rows} for own in used.values()]
    shared = set.intersection(*having) if having else set()
    if len(shared) < LEAST_STUDENTS:
        return []
    found = []
    for model_id, own in used.items():
        enrolment = enrolment_of({who: own[who] for who in sorted(shared)}, model_id)
        if model_id in shifts:
            moved = centred(enrolment.embeddings, shifts[model_id])
            enrolment = replace(enrolment, embeddings=moved)
        found.append(separation_of(enrolment, backgrounds(model_id), decision, target_fpir))
    return [one for one in found if one.n_genuine]


def separation_of(
    enrolment: Enrolment,
    background: Background | None,
    decision: DecisionConfig,
    target_fpir: float,
) -> Separation:
    """How well the templates of a roster are told apart by the embedder that made them.

    Args:
        enrolment: of two students or more.
        background: of the same model; None where there is none.
        decision: how scores are made, and the lead a name takes.
        target_fpir: share of unknown people who may be given a name.
    """
    searches = Searches(enrolment, decision)
    is_own = np.eye(searches.size, dtype=np.bool_)[searches.owners]
    has_another = searches.rows > -1
    genuine, impostor = searches.rows[is_own & has_another], searches.rows[~is_own]
    draws = _redrawn(searches)
    low, high = np.nanquantile(draws, [0.025, 0.975]) if len(genuine) else (np.nan, np.nan)
    threshold = _threshold(background, searches.size, target_fpir)
    found = searches.genuine()
    is_named = (found[:, 0] >= (threshold or 0)) & (found[:, 1] >= decision.margin)
    return Separation(
        model_id=enrolment.model_id,
        n_students=searches.size,
        n_genuine=len(genuine),
        n_impostor=len(impostor),
        d_prime=d_prime(genuine, impostor),
        low=float(low),
        high=float(high),
        eer=metrics.eer(genuine, impostor) if len(genuine) else float("nan"),
        threshold=threshold,
        fnir=None if threshold is None else float(1 - is_named.mean()),
        draws=draws,
    )


def d_prime(genuine: metrics.Floats, impostor: metrics.Floats) -> float:
    """How far two kinds of similarities lie apart, in standard deviations; nan without both.

    >>> round(d_prime(np.array([0.8, 1.0]), np.array([-0.1, 0.1])), 6)
    9.0
    """
    if not len(genuine) or not len(impostor):
        return float("nan")
    spread = np.sqrt((np.var(genuine) + np.var(impostor)) / 2)
    return float((np.mean(genuine) - np.mean(impostor)) / max(spread, 1e-9))


def verdict(found: Sequence[Separation]) -> str:
    """Which embedder separates best, in words; empty for none."""
    if not found:
        return ""
    best, *others = sorted(found, key=lambda one: one.d_prime, reverse=True)
    if not others:
        return (
            f"{best.name} separates with d' {best.d_prime:.1f}; these students have templates of "
            "no other embedder to compare with."
        )
    second = others[0]
    low, high = np.nanquantile(best.draws - second.draws, [0.025, 0.975])
    figures = (
        f"d' {best.d_prime:.1f} against {second.d_prime:.1f} of {second.name} (95 % of the "
        f"difference over {best.n_students} students: {low:.1f} to {high:.1f})"
    )
    if not low > 0:
        return f"No embedder separates better by more than chance: {best.name} {figures}."
    return f"{best.name} separates best on this roster: {figures}."


def separation_rows(found: Sequence[Separation], target_fpir: float) -> list[Row]:
    """The figures of each as name, value and what it is of."""
    rows = []
    for one in found:
        missed = "strangers were never measured for it"
        if one.fnir is not None:
            missed = (
                f"misses {percent(one.fnir)} of the photos at {one.threshold:.2f}, the threshold "
                f"for FPIR {percent(target_fpir)}"
            )
        of = (
            f"95 %: {one.low:.1f} to {one.high:.1f}; equal error rate {percent(one.eer)}; "
            f"{missed}; {one.n_genuine} genuine, {one.n_impostor} impostor comparisons"
        )
        rows.append((f"{one.name} separates, d'", f"{one.d_prime:.1f}", of))
    return rows


def _threshold(background: Background | None, size: int, target_fpir: float) -> float | None:
    if background is None or target_fpir < background.least_fpir:
        return None
    return round(background.threshold(size, target_fpir), 3)


def _redrawn(searches: Searches) -> Doubles:
    """Values of d' with students drawn again; nan where a draw has nothing to compare."""
    rows, n = searches.rows.astype(np.float64), searches.size
    own = np.eye(n, dtype=np.bool_)
    known = rows > -1
    sums = [np.zeros((n, n)) for _ in range(3)]
    for power, table in enumerate(sums):
        np.add.at(table, searches.owners, np.where(known, rows**power, 0.0))
    draw = np.random.default_rng(0)
    found = []
    for _ in range(DRAWS):
        times = np.bincount(draw.integers(n, size=n), minlength=n).astype(np.float64)
        found.append(_weighted(sums, np.diag(times), np.outer(times, times) * ~own))
    return np.array(found, np.float64)


def _weighted(sums: Sequence[Doubles], genuine: Doubles, impostor: Doubles) -> float:
    """The d' from the sums of powers 0, 1 and 2 of each pair of students, weighted."""
    kinds = []
    for weights in (genuine, impostor):
        count, first, second = (float((table * weights).sum()) for table in sums)
        if not count:
            return float("nan")
        kinds.append((first / count, second / count - (first / count) ** 2))
    (right, right_spread), (wrong, wrong_spread) = kinds
    spread = float(np.sqrt(max((right_spread + wrong_spread) / 2, 1e-18)))
    return (right - wrong) / spread
