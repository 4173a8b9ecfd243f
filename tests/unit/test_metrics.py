"""Figures of merit against numbers worked out by hand, and the laws they obey."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core import metrics

NAN = math.nan
SCORES = st.lists(st.integers(-100, 100), min_size=1, max_size=40)


def arrays(*lists: list[float]) -> list[np.ndarray]:
    return [np.array(values, np.float64) for values in lists]


@pytest.mark.parametrize(
    ("genuine", "impostor", "expected", "reason"),
    [
        ([0.9, 0.8], [0.1, 0.2], 0.0, "apart: some threshold makes no error"),
        ([0.1, 0.2], [0.8, 0.9], 1.0, "the wrong way round: any threshold errs on all of a kind"),
        ([0.9, 0.3], [0.1, 0.5], 0.5, "one of two on the wrong side, both ways"),
        ([0.9, 0.8, 0.7, 0.3], [0.0, 0.1, 0.2, 0.4], 0.25, "one of four each way"),
        ([0.5], [0.5], 0.5, "indistinguishable: half of the line between (0, 1) and (1, 0)"),
        ([], [0.1], NAN, "no genuine: no rate"),
        ([0.9], [], NAN, "no impostors: no rate"),
    ],
)
def test_eer(genuine: list[float], impostor: list[float], expected: float, reason: str) -> None:
    assert metrics.eer(*arrays(genuine, impostor)) == pytest.approx(expected, nan_ok=True), reason


@pytest.mark.parametrize(
    ("impostor", "far", "accepted", "reason"),
    [
        ([0.1, 0.2, 0.3, 0.4], 0.25, 1, "a quarter of four is one"),
        ([0.1, 0.2, 0.3, 0.4], 0.3, 1, "1.2 allowed means one"),
        ([0.1, 0.2, 0.3, 0.4], 0.0, 0, "none allowed"),
        ([0.1, 0.2, 0.3, 0.4], 0.01, 0, "too few impostors to resolve it: none"),
        ([0.1, 0.4, 0.4, 0.4], 0.25, 0, "three alike cannot be told apart: none, never three"),
        ([0.1, 0.2], 1.0, 2, "all allowed"),
        ([0.1] * 10, 0.3, 0, "0.3 x 10 is three, but all ten are alike"),
    ],
)
def test_threshold_at_far(impostor: list[float], far: float, accepted: int, reason: str) -> None:
    (scores,) = arrays(impostor)
    assert int((scores >= metrics.threshold_at_far(scores, far)).sum()) == accepted, reason


def test_a_threshold_needs_impostors() -> None:
    assert math.isnan(metrics.threshold_at_far(np.zeros(0), 0.1))
    assert math.isnan(metrics.val_at_far(np.ones(3), np.zeros(0), 0.1))
    assert math.isnan(metrics.val_at_far(np.zeros(0), np.ones(3), 0.1))


@given(SCORES, st.floats(0, 1))
def test_the_threshold_holds_its_far_and_is_the_lowest_that_does(
    impostor: list[int], far: float
) -> None:
    scores = np.array(impostor, np.float64)
    threshold = metrics.threshold_at_far(scores, far)
    assert (scores >= threshold).mean() <= far + 1e-9
    refused = scores[scores < threshold]
    if len(refused):
        assert (scores >= refused.max()).mean() > far


@given(SCORES, SCORES)
def test_a_roc_runs_from_nothing_to_everything_and_never_back(
    genuine: list[int], impostor: list[int]
) -> None:
    curve = metrics.roc(np.array(genuine, np.float64), np.array(impostor, np.float64))
    assert (curve.far[0], curve.val[0], curve.far[-1], curve.val[-1]) == (0, 0, 1, 1)
    assert (np.diff(curve.far) >= 0).all()
    assert (np.diff(curve.val) >= 0).all()
    assert (np.diff(curve.thresholds) < 0).all()


@given(SCORES, SCORES, st.sampled_from([0.0, 0.1, 0.5]))
def test_even_weights_weigh_like_none(genuine: list[int], impostor: list[int], far: float) -> None:
    kept = np.sort(np.array(impostor, np.float64))[::-1]
    ones = (np.ones(len(genuine)), np.ones(len(kept)))
    weighted = metrics.weighted_val_at_far(
        (np.array(genuine, np.float64), ones[0]), (kept, ones[1]), float(len(kept)), [far]
    )
    expected = metrics.val_at_far(np.array(genuine, np.float64), kept, far)
    assert weighted[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("genuine_weights", "tail_weights", "total", "expected", "reason"),
    [
        ([1, 1], [1, 1], 10, 1.0, "a tenth of ten is one: 0.5 passes, 0.4 is refused"),
        ([1, 1], [2, 1], 10, 0.5, "the 0.5 drawn twice is more than a tenth: above 0.5"),
        ([3, 1], [2, 1], 10, 0.75, "the 0.9 drawn three times"),
        ([1, 1], [0, 0], 10, 1.0, "nobody of the tail drawn: its end is the limit"),
        ([0, 0], [1, 1], 10, NAN, "no genuine drawn"),
        ([1, 1], [0, 0], 0, NAN, "no impostors drawn"),
    ],
)
def test_weighted_val_at_far(
    genuine_weights: list[int],
    tail_weights: list[int],
    total: float,
    expected: float,
    reason: str,
) -> None:
    genuine = (np.array([0.9, 0.45]), np.array(genuine_weights, np.float64))
    tail = (np.array([0.5, 0.4]), np.array(tail_weights, np.float64))
    found = metrics.weighted_val_at_far(genuine, tail, total, [0.1])[0]
    assert found == pytest.approx(expected, nan_ok=True), reason


@pytest.mark.parametrize(
    ("similarities", "is_same", "expected", "reason"),
    [
        ([0.9, 0.7, 0.3, 0.1], [1, 1, 0, 0], 0.5, "half-way across the gap"),
        ([0.9, 0.5, 0.4, 0.1], [1, 0, 1, 0], 0.25, "one error at 0.25 and 0.7: the lower"),
        ([0.9, 0.7, 0.5, 0.4, 0.1], [0, 1, 0, 1, 0], 0.6, "two errors at 0.25, 0.6 and 0.95"),
        ([0.8, 0.4], [1, 1], 0.4, "all genuine: accept everything"),
        ([0.8, 0.4], [0, 0], 0.800001, "all impostors: just above everything"),
        ([0.6, 0.6, -1.0], [1, 1, 0], -0.2, "a missed face is one more refusal"),
    ],
)  # fmt: skip
def test_best_threshold(
    similarities: list[float], is_same: list[int], expected: float, reason: str
) -> None:
    found = metrics.best_threshold(np.array(similarities), np.array(is_same, np.bool_))
    assert found == pytest.approx(expected), reason


@given(st.lists(st.tuples(st.integers(-9, 9), st.booleans()), min_size=1, max_size=30))
def test_no_other_threshold_is_more_accurate(pairs: list[tuple[int, bool]]) -> None:
    scores = np.array([score for score, _ in pairs], np.float64)
    is_same = np.array([same for _, same in pairs])
    best = metrics.counts_at(scores, is_same, metrics.best_threshold(scores, is_same)).accuracy
    others = [metrics.counts_at(scores, is_same, level / 2).accuracy for level in range(-19, 20)]
    assert best == pytest.approx(max(others))


@pytest.mark.parametrize(
    ("threshold", "accuracy", "precision", "recall", "f1", "reason"),
    [
        (0.5, 0.75, 1.0, 0.5, 2 / 3, "one genuine refused"),
        (0.0, 0.75, 2 / 3, 1.0, 0.8, "one impostor accepted"),
        (1.0, 0.5, NAN, 0.0, 0.0, "nothing accepted: precision is of nothing"),
        (-1.0, 0.5, 0.5, 1.0, 2 / 3, "everything accepted"),
    ],
)
def test_counts(
    threshold: float, accuracy: float, precision: float, recall: float, f1: float, reason: str
) -> None:
    similarities = np.array([0.9, 0.1, 0.2, -0.5])
    counts = metrics.counts_at(similarities, np.array([True, True, False, False]), threshold)
    found = (counts.accuracy, counts.precision, counts.recall, counts.f1)
    assert found == pytest.approx((accuracy, precision, recall, f1), nan_ok=True), reason


def test_counts_of_nothing_are_rates_of_nothing() -> None:
    counts = metrics.counts_at(np.zeros(0), np.zeros(0, np.bool_), 0.5)
    assert np.isnan([counts.accuracy, counts.precision, counts.recall, counts.f1]).all()


def test_each_fold_is_judged_with_the_threshold_of_the_others() -> None:
    """Fold 1 alone would choose 0.25 and be perfect; fold 0's threshold, 0.5, costs it one pair."""
    similarities = np.array([0.9, 0.1, 0.4, 0.1])
    is_same = np.array([True, False, True, False])
    found = metrics.cross_validated(similarities, is_same, np.array([0, 0, 1, 1]))
    assert found.thresholds.tolist() == [0.25, 0.5]
    assert found.accuracies.tolist() == [1.0, 0.5]


def test_what_cannot_be_chosen_or_drawn_is_refused() -> None:
    nothing = np.zeros(0)
    with pytest.raises(ValueError, match="no comparisons"):
        metrics.best_threshold(nothing, nothing.astype(np.bool_))
    with pytest.raises(ValueError, match="two folds, got 1"):
        metrics.cross_validated(np.ones(2), np.ones(2, np.bool_), np.zeros(2, np.intp))
    with pytest.raises(ValueError, match="at least one person"):
        metrics.bootstrap_people(lambda drawn: drawn.astype(np.float64), 0)


@pytest.mark.parametrize(
    ("mated", "nonmated", "fpir", "expected", "reason"),
    [
        ([0.9, 0.6], [0.5, 0.2], 0.0, 0.0, "both above every stranger"),
        ([0.9, 0.4], [0.5, 0.2], 0.0, 0.5, "one below the best stranger"),
        ([0.9, 0.4], [0.5, 0.2], 0.5, 0.0, "one stranger of two may be named"),
        ([0.9, -np.inf], [0.5, 0.2], 1.0, 0.5, "another name first is a miss at any threshold"),
        ([0.9, -1.0], [0.5, 0.2], 0.0, 0.5, "a missed face is a miss"),
        ([], [0.5], 0.0, NAN, "nobody enrolled was searched for"),
        ([0.9], [], 0.0, NAN, "no strangers"),
    ],
)
def test_fnir_at_fpir(
    mated: list[float], nonmated: list[float], fpir: float, expected: float, reason: str
) -> None:
    fnir, _ = metrics.fnir_at_fpir(*arrays(mated, nonmated), fpir)
    assert fnir == pytest.approx(expected, nan_ok=True), reason


def test_a_bootstrap_draws_as_many_people_as_there_are_and_repeats_itself() -> None:
    draws = metrics.bootstrap_people(lambda drawn: drawn.astype(np.float64), 7, replicates=50)
    assert (draws.sum(axis=1) == 7).all()
    again = metrics.bootstrap_people(lambda drawn: drawn.astype(np.float64), 7, replicates=50)
    assert (draws == again).all()


def test_the_bootstrap_interval_of_a_share_is_the_textbook_one() -> None:
    """Half of 400 people: 0.5 plus and minus 1.96 * sqrt(0.25 / 400) = 0.049."""
    is_hit = np.arange(400) < 200
    samples = metrics.bootstrap_people(
        lambda drawn: np.array([drawn[is_hit].sum() / drawn.sum()]), 400, replicates=2000
    )
    low, high = metrics.interval(samples)
    assert (low[0], high[0]) == (pytest.approx(0.451, abs=0.006), pytest.approx(0.549, abs=0.006))


def test_an_interval_leaves_replicates_without_an_answer_out() -> None:
    low, high = metrics.interval(np.array([[NAN], [0.2], [0.2]]))
    assert (low[0], high[0]) == (pytest.approx(0.2), pytest.approx(0.2))
    assert np.isnan(metrics.interval(np.full((3, 2), NAN))).all()
