"""Backgrounds: the scores are the decision's own, and the interval knows other people."""

import numpy as np
import pytest

from attendance.config import DecisionConfig
from attendance.core.domain import Gallery
from attendance.core.matching import best_match
from attendance.evaluation.background import Crowd, matched_rows, measure_background
from attendance.evaluation.calibration_check import check_calibration, honesty_rows
from attendance.evaluation.protocols import ProtocolError

DECISION = DecisionConfig()
D = 32


@pytest.mark.parametrize(("people", "weight"), [(1, 2.0), (2, 2.0), (30, 2.0), (1, 0.0), (30, 0.0)])
def test_many_rows_at_once_score_as_the_decision_scores_each(people, weight):
    rows = np.random.default_rng(0).uniform(-0.5, 0.9, (40, people)).astype(np.float32)
    decision = DECISION.model_copy(update={"baseline_weight": weight})
    empty = np.zeros((people, 1), np.float32)
    gallery = Gallery("", tuple(range(people)), empty, np.arange(people))
    each = [best_match(row, gallery, decision.baseline, weight) for row in rows]
    expected = [(match.score, match.margin) for match in each]
    assert np.allclose(matched_rows(rows, decision), expected, atol=1e-5)


def crowd(people, families, draw):
    """Strangers who each resemble one of so many families; so do the people enrolled."""
    kinds = draw.normal(size=(families, D))
    rows = kinds[draw.integers(families, size=people + 200)] + draw.normal(size=(people + 200, D))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return Crowd(rows[:people, None], rows[:people], rows[people:])


def test_the_interval_holds_rosters_of_other_people():
    """Its story: it knew how rosters of the same people differ, and others lay outside of it."""
    draw = np.random.default_rng(3)
    pool = crowd(240, 12, draw)
    inside = []
    for _ in range(4):
        order, seen = draw.permutation(240), draw.permutation(200)
        known, other = order[:120], order[120:]
        own = Crowd(pool.templates[known], pool.probes[known], pool.strangers[seen[:100]])
        background = measure_background(own, "m", DECISION, sizes=[20])
        rows = pool.strangers[seen[100:]] @ pool.templates[:, 0].T
        level = background.threshold(20, 0.05)
        low, high = background.interval(20, level, 100)
        for _ in range(10):
            score, lead = matched_rows(rows[:, draw.choice(other, 20, False)], DECISION).T
            observed = ((score >= level) & (lead >= DECISION.margin)).mean()
            inside.append(low <= observed <= high)
    assert np.mean(inside) >= 0.93


def checked(sizes, targets=(0.05, 0.04)):
    pool = crowd(40, 12, np.random.default_rng(3))
    twice = Crowd(np.repeat(pool.templates, 2, axis=1), pool.probes, pool.strangers)
    background = measure_background(twice, "m", DECISION, sizes=[5, 10])
    return check_calibration(twice, background, DECISION, targets=targets, sizes=sizes, n_rosters=3)


def test_every_size_is_checked_at_every_rate_asked_for():
    report = checked([5, 10])
    asked = [(case.target_fpir, case.roster_size) for case in report.cases]
    assert asked == [(0.05, 5), (0.05, 10), (0.04, 5), (0.04, 10)]
    assert all(case.low <= case.predicted <= case.high for case in report.cases)
    assert len(honesty_rows(report)) == 1 + 4 * len(asked)


def test_a_roster_of_more_people_than_there_are_is_refused():
    with pytest.raises(ProtocolError, match=r"rosters of 50 .* 40 people"):
        checked([50])
