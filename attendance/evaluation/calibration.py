"""What the templates of a roster say about the decision: `attendance calibrate`.

Everybody on the roster is looked for with one photo held back, and once more with all their photos
held back, as the stranger they would be then. How strangers fare with a roster of this size comes
from the shipped background; the roster's own people may only make the threshold stricter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import beta

from attendance.calibration.in_force import raised
from attendance.config import DecisionConfig
from attendance.core import metrics
from attendance.core.errors import AttendanceError
from attendance.core.impostors import Background, Doubles
from attendance.evaluation.alike import Pair, alike_pairs, is_too_alike
from attendance.evaluation.searches import Enrolment, Searches
from attendance.evaluation.separation import Separation

STEP = 0.01
MOST = 0.95
NEAR_PAIRS = 5


@dataclass(frozen=True)
class PoseCost:
    """What a student's own photo is missed by with so many other photos enrolled.

    Attributes:
        templates: photos enrolled, flips not counted.
        missed: share of the searches that gave no name, or another one.
        n: searches.
    """

    templates: int
    missed: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class CalibrationReport:
    """Figures of `attendance calibrate`.

    Attributes:
        n_students: with templates; `n_photos` of them.
        target_fpir: asked for.
        needed: the threshold that holds it at this size of roster.
        threshold: in force from now on: never below the configured one, nor one that the
            roster's own people do not hold.
        eer: equal error rate of single photos on the score.
        fnir: share of the photos, each held back in turn, that get no name or another one.
        fpir: expected at `threshold`; `fpir_low`, `fpir_high` are 95 % of rosters of other people.
        expected_false_accepts: a session, with `strangers` unknown people; 95 % `false_low` to
            `false_high`.
        own_named: share of the roster's people who are named when all their photos are held back.
        own_limit: the most that was to be expected of it, 97.5 %.
        fewer_poses: what fewer photos would cost.
        too_alike: pairs the camera cannot tell apart; the nearest others are in `near`.
        separations: how well each embedder tells these students apart; `separates_best` says in
            words which one does it best.
    """

    model_id: str
    student_ids: tuple[int, ...]
    n_students: int
    n_photos: int
    target_fpir: float
    needed: float
    threshold: float
    review_threshold: float
    margin: float
    eer: float
    fnir: float
    fpir: float
    fpir_low: float
    fpir_high: float
    strangers: int
    expected_false_accepts: float
    false_low: float
    false_high: float
    own_named: float
    own_limit: float
    fewer_poses: tuple[PoseCost, ...]
    too_alike: tuple[Pair, ...]
    near: tuple[Pair, ...]
    background_strangers: int
    background_people: int
    background: Background = field(repr=False, metadata={"json": False})
    genuine: Doubles = field(repr=False, metadata={"json": False})
    impostor: Doubles = field(repr=False, metadata={"json": False})
    separations: tuple[Separation, ...] = ()
    separates_best: str = ""


def calibrated(
    enrolment: Enrolment,
    background: Background,
    decision: DecisionConfig,
    target_fpir: float,
    strangers: int,
) -> CalibrationReport:
    """The operating point of a roster.

    Args:
        enrolment: its templates.
        background: of the same model.
        decision: the configured decision; its threshold is the least.
        target_fpir: share of unknown people who may be given a name.
        strangers: unknown people a session is assumed to see.

    Raises:
        AttendanceError: the background is of another model or cannot speak of such a rate.
    """
    if background.model_id != enrolment.model_id:
        raise AttendanceError(
            f"the background is of {background.model_id}, the templates of {enrolment.model_id}"
        )
    ids, size = enrolment.student_ids, len(enrolment.student_ids)
    try:
        needed = background.threshold(size, target_fpir)
    except ValueError as error:
        raise AttendanceError(str(error)) from error
    searches = Searches(enrolment, decision)
    genuine, impostor = searches.genuine(), searches.impostor()
    least = max(decision.threshold, needed)
    pairs = alike_pairs(ids, searches, least, decision)
    alike = [pair for pair in pairs if is_too_alike(pair)]
    doubles = {ids.index(one) for pair in alike for one in (pair.first, pair.second)}
    threshold = _held_by_own(searches, impostor, background, least, doubles)
    fpir = background.interval(size, threshold)
    false = background.interval(size, threshold, strangers)
    rate = background.rate(size, threshold)
    return CalibrationReport(
        model_id=enrolment.model_id,
        student_ids=enrolment.student_ids,
        n_students=size,
        n_photos=len(searches.probes),
        target_fpir=target_fpir,
        needed=round(needed, 3),
        threshold=threshold,
        review_threshold=raised(decision.model_dump(), threshold)["review_threshold"],
        margin=decision.margin,
        eer=metrics.eer(genuine[:, 0], impostor[:, 0]),
        fnir=missed(genuine, threshold, decision.margin),
        fpir=rate,
        fpir_low=fpir[0],
        fpir_high=fpir[1],
        strangers=strangers,
        expected_false_accepts=strangers * rate,
        false_low=strangers * false[0],
        false_high=strangers * false[1],
        own_named=named_people(impostor, searches, threshold, decision.margin, doubles),
        own_limit=own_limit(background, size, threshold),
        fewer_poses=_fewer_poses(searches, threshold, decision.margin),
        too_alike=tuple(alike),
        near=tuple(pair for pair in pairs if pair not in alike)[:NEAR_PAIRS],
        background_strangers=background.strangers,
        background_people=background.people,
        background=background,
        genuine=genuine[:, 0],
        impostor=impostor[:, 0],
    )


def missed(found: Doubles, threshold: float, margin: float) -> float:
    """Share of searches without the right name. Args: found: (n, 2) score and lead."""
    is_named = (found[:, 0] >= threshold) & (found[:, 1] >= margin)
    return metrics.rate(int((~is_named).sum()), len(found))


def _held_by_own(
    searches: Searches, found: Doubles, background: Background, least: float, doubles: set[int]
) -> float:
    """The lowest threshold from `least` on that the roster's own people hold.

    Each of them, with no photo enrolled, is a stranger to the others; they may be no closer to each
    other than the background lets expect. `doubles`, who are reviewed anyway, do not count.
    """
    for level in np.arange(least, MOST, STEP):
        named = named_people(found, searches, level, background.margin, doubles)
        if named <= own_limit(background, searches.size, level):
            return round(float(level), 3)
    return MOST


def named_people(
    found: Doubles, searches: Searches, threshold: float, margin: float, doubles: set[int]
) -> float:
    """Share of the people who get another one's name, each weighing the same.

    Args:
        found: (p, 2) score and lead of each photo as a stranger's.
        searches: whose photos these are.
        threshold: of score that a name takes.
        margin: the lead it takes.
        doubles: places of people who are left out.
    """
    is_named = (found[:, 0] >= threshold) & (found[:, 1] >= margin)
    counts = np.bincount(searches.owners, minlength=searches.size)
    named = np.bincount(searches.owners, is_named, searches.size)
    named[list(doubles)] = 0
    return float((named / np.maximum(counts, 1)).mean())


def own_limit(background: Background, size: int, threshold: float) -> float:
    """The most of a roster's own people that may pass for another, in 97.5 of 100 rosters."""
    return background.interval(max(size - 1, 1), threshold, size)[1]


def _fewer_poses(searches: Searches, threshold: float, margin: float) -> tuple[PoseCost, ...]:
    costs = []
    for templates in (4, 3, 2, 1):
        found = searches.with_fewer(templates)
        if len(found):
            share = missed(found, threshold, margin)
            low, high = _interval(share, searches.size)
            costs.append(PoseCost(templates, share, low, high, len(found)))
    return tuple(costs)


def _interval(share: float, people: int) -> tuple[float, float]:
    """95 % of a share, as if each person were one trial: their photos stand or fall together."""
    low, high = beta.ppf([0.025, 0.975], share * people + 0.5, (1 - share) * people + 0.5)
    return float(low), float(high)
