"""Figures of merit for comparisons and searches: scores in, rates out.

A comparison is accepted when its similarity is at least the threshold. Rates are fractions in
[0, 1]; a rate over nothing is nan, never 0 or 1, and makes every rate built on it nan. FAR and
VAL are Schroff et al.'s, "FaceNet", 2015, section 4: the share of different-person and of
same-person pairs that are accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Roc:
    """A receiver operating characteristic, from the strictest threshold to the laxest.

    Attributes:
        thresholds: (k,) falling, the first one accepts nothing.
        far: (k,) accepted share of the impostors, rising.
        val: (k,) accepted share of the genuine, rising.
    """

    thresholds: Doubles
    far: Doubles
    val: Doubles


@dataclass(frozen=True)
class Counts:
    """Accepted and refused comparisons at one threshold."""

    true_accepts: int
    false_accepts: int
    true_rejects: int
    false_rejects: int

    @property
    def accuracy(self) -> float:
        """Share of comparisons decided rightly."""
        right = self.true_accepts + self.true_rejects
        return rate(right, right + self.false_accepts + self.false_rejects)

    @property
    def precision(self) -> float:
        """Share of the accepted that are genuine; nan where nothing was accepted."""
        return rate(self.true_accepts, self.true_accepts + self.false_accepts)

    @property
    def recall(self) -> float:
        """Share of the genuine that were accepted; nan without genuine ones."""
        return rate(self.true_accepts, self.true_accepts + self.false_rejects)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; nan where there was nothing to find."""
        wrong = self.false_accepts + self.false_rejects
        return rate(2 * self.true_accepts, 2 * self.true_accepts + wrong)


@dataclass(frozen=True)
class CrossValidation:
    """One threshold and accuracy a fold, the threshold chosen on the other folds."""

    accuracies: Doubles
    thresholds: Doubles


def rate(part: float, whole: float) -> float:
    """A share; nan of nothing.

    >>> rate(1, 4), rate(0, 0)
    (0.25, nan)
    """
    return part / whole if whole else float("nan")


def counts_at(similarities: Floats, is_same: Bools, threshold: float | Doubles) -> Counts:
    """What a threshold does to comparisons.

    Args:
        similarities: (n,).
        is_same: (n,) whether both sides are one person.
        threshold: the lowest accepted similarity, one for all or (n,) one for each.

    >>> counts_at(np.array([0.9, 0.2, 0.6]), np.array([True, True, False]), 0.5)
    Counts(true_accepts=1, false_accepts=1, true_rejects=0, false_rejects=1)
    """
    accepted = similarities >= threshold
    true_accepts, accepts = int((accepted & is_same).sum()), int(accepted.sum())
    genuine, n = int(is_same.sum()), len(similarities)
    false_accepts, false_rejects = accepts - true_accepts, genuine - true_accepts
    return Counts(true_accepts, false_accepts, n - genuine - false_accepts, false_rejects)


def roc(genuine: Floats, impostor: Floats) -> Roc:
    """Both rates at every threshold that makes a difference.

    Args:
        genuine: (n,) similarities of same-person comparisons.
        impostor: (m,) similarities of different-person comparisons.

    Returns:
        k = 1 + the number of distinct similarities; a rate over nothing is nan.

    >>> curve = roc(np.array([0.9, 0.5]), np.array([0.5, 0.1]))
    >>> curve.thresholds.tolist(), curve.far.tolist(), curve.val.tolist()
    ([inf, 0.9, 0.5, 0.1], [0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0])
    """
    distinct = np.unique(np.concatenate([genuine, impostor]).astype(np.float64))[::-1]
    thresholds = np.concatenate([[np.inf], distinct])
    far, val = (accepted_share(kind, thresholds) for kind in (impostor, genuine))
    return Roc(thresholds, far, val)


def accepted_share(similarities: Floats, thresholds: npt.ArrayLike) -> Doubles:
    """The share of similarities at or above each threshold. Returns: (k,), nan without any.

    >>> accepted_share(np.array([0.2, 0.4, 0.6]), [0.4, 0.7]).round(3).tolist()
    [0.667, 0.0]
    """
    levels = np.atleast_1d(np.asarray(thresholds, np.float64))
    n = len(similarities)
    if not n:
        return np.full(levels.shape, np.nan)
    below = np.searchsorted(np.sort(similarities.astype(np.float64)), levels, side="left")
    return np.asarray((n - below) / n, np.float64)


def eer(genuine: Floats, impostor: Floats) -> float:
    """Equal error rate: where as many genuine are refused as impostors are accepted.

    Between two thresholds it is read off the straight line that joins their points of the curve.

    >>> eer(np.array([0.9, 0.8, 0.3, 0.7]), np.array([0.1, 0.2, 0.4, 0.0]))
    0.25
    >>> eer(np.array([0.9]), np.array([]))
    nan
    """
    if not len(genuine) or not len(impostor):
        return float("nan")
    curve = roc(genuine, impostor)
    gap = curve.far - (1 - curve.val)
    after = int(np.argmax(gap >= 0))
    step = gap[after] - gap[after - 1]
    share = -gap[after - 1] / step
    return float(curve.far[after - 1] + share * (curve.far[after] - curve.far[after - 1]))


def threshold_at_far(impostor: Floats, far: float) -> float:
    """The lowest threshold that accepts at most this share of impostors.

    With fewer than 1 / far impostors that means none of them: quote n beside it.

    Args:
        impostor: (m,) similarities of different-person comparisons.
        far: in [0, 1].

    Returns:
        Just above the highest similarity that must be refused; -inf where none must be, nan
        without impostors.

    >>> round(threshold_at_far(np.array([0.1, 0.2, 0.3, 0.4]), 0.25), 6)
    0.3
    """
    m = len(impostor)
    if not m:
        return float("nan")
    allowed = int(far * m + 1e-9)
    if allowed >= m:
        return float("-inf")
    refused = np.partition(impostor.astype(np.float64), m - 1 - allowed)[m - 1 - allowed]
    return float(np.nextafter(refused, np.inf))


def val_at_far(genuine: Floats, impostor: Floats, far: float) -> float:
    """Share of the genuine accepted at the threshold that holds this FAR.

    >>> val_at_far(np.array([0.9, 0.35]), np.array([0.1, 0.4]), 0.0)
    0.5
    """
    threshold = threshold_at_far(impostor, far)
    return float("nan") if np.isnan(threshold) else float(accepted_share(genuine, threshold)[0])


def weighted_val_at_far(
    genuine: tuple[Floats, Floats],
    impostor_tail: tuple[Floats, Floats],
    impostor_weight: float,
    fars: Sequence[float],
) -> Doubles:
    """VAL at FAR where comparisons count with weights, as a bootstrap over people needs.

    Args:
        genuine: (n,) similarities and their (n,) weights.
        impostor_tail: the (t,) highest similarities, falling, and their (t,) weights. A FAR
            that reaches below the tail is answered at its end, which understates VAL.
        impostor_weight: of all impostors, those below the tail included.
        fars: (k,) each in [0, 1].

    Returns:
        (k,), nan where the weights leave no comparison of one kind.

    >>> weighted_val_at_far(
    ...     (np.array([0.9, 0.3]), np.array([3, 1])), (np.array([0.4, 0.2]), np.array([1, 1])), 10, [0.0, 0.1]
    ... ).tolist()
    [0.75, 1.0]
    """  # noqa: E501
    total = genuine[1].sum()
    similarities, weights = impostor_tail
    if not total or not impostor_weight or not len(similarities):
        return np.full(len(fars), np.nan)
    accepted = np.cumsum(weights) / impostor_weight
    refused = np.searchsorted(accepted, np.asarray(fars) + 1e-12, side="right")
    is_whole = accepted[-1] > 1 - 1e-9
    levels = np.append(similarities, -np.inf if is_whole else similarities[-1])[refused]
    shares = [genuine[1][genuine[0] > level].sum() / total for level in levels]
    return np.array(shares, np.float64)


def best_threshold(similarities: Floats, is_same: Bools) -> float:
    """The threshold with the highest accuracy, half-way between two neighbouring similarities.

    Of several equally good ones it is the middle one, so that chance moves it least.

    Raises:
        ValueError: there are no comparisons.

    >>> round(best_threshold(np.array([0.9, 0.3, 0.1]), np.array([True, False, False])), 3)
    0.6
    """
    if not len(similarities):
        raise ValueError("a threshold cannot be chosen on no comparisons")
    levels, inverse = np.unique(similarities.astype(np.float64), return_inverse=True)
    gain = np.bincount(inverse, np.where(is_same, 1, -1), len(levels))
    accuracy_from = np.append(np.cumsum(gain[::-1])[::-1], 0)
    best = np.flatnonzero(accuracy_from == accuracy_from.max())
    edges = np.concatenate([[levels[0]], (levels[1:] + levels[:-1]) / 2, [levels[-1] + 1e-6]])
    return float(edges[best[(len(best) - 1) // 2]])


def cross_validated(similarities: Floats, is_same: Bools, folds: Integers) -> CrossValidation:
    """LFW's protocol: each fold is judged with the threshold that is best on all others.

    Args:
        similarities: (n,).
        is_same: (n,).
        folds: (n,) the fold of each comparison.

    Raises:
        ValueError: there are fewer than two folds.
    """
    names = np.unique(folds)
    if len(names) < 2:
        raise ValueError(f"cross-validation takes at least two folds, got {len(names)}")
    masks = [folds == name for name in names]
    thresholds = [best_threshold(similarities[~mask], is_same[~mask]) for mask in masks]
    accuracies = [
        counts_at(similarities[mask], is_same[mask], threshold).accuracy
        for mask, threshold in zip(masks, thresholds, strict=True)
    ]
    return CrossValidation(np.array(accuracies), np.array(thresholds))


def fnir_at_fpir(mated: Floats, nonmated: Floats, fpir: float) -> tuple[float, float]:
    """Open-set search: the share of enrolled people missed while strangers are held off.

    Args:
        mated: (n,) score of the right person where first in the list, -inf where not.
        nonmated: (m,) highest score of each search for somebody who is not enrolled.
        fpir: the share of those that may be given a name.

    Returns:
        FNIR and the threshold; both nan without strangers, FNIR nan without enrolled probes.

    >>> fnir, threshold = fnir_at_fpir(np.array([0.9, -np.inf, 0.6]), np.array([0.5, 0.2]), 0.0)
    >>> round(fnir, 3), round(threshold, 3)
    (0.333, 0.5)
    """
    threshold = threshold_at_far(nonmated, fpir)
    if np.isnan(threshold):
        return float("nan"), threshold
    found = int(((mated >= threshold) & np.isfinite(mated)).sum())
    return rate(len(mated) - found, len(mated)), threshold


def bootstrap_people(
    statistic: Callable[[Integers], Doubles], n_people: int, replicates: int = 1000, seed: int = 0
) -> Doubles:
    """A statistic over samples of people drawn with replacement.

    People, not comparisons, are what a figure varies with: all comparisons of one person stand
    or fall together.

    Args:
        statistic: takes how often each person was drawn, (n_people,), and gives (k,).
        n_people: in the data.
        replicates: samples drawn.
        seed: of the draw.

    Returns:
        (replicates, k).

    Raises:
        ValueError: there is nobody to draw from.
    """
    if n_people < 1:
        raise ValueError("a bootstrap takes at least one person")
    draw = np.random.default_rng(seed)
    even = np.full(n_people, 1 / n_people)
    return np.stack([statistic(draw.multinomial(n_people, even)) for _ in range(replicates)])


def interval(samples: Doubles, level: float = 0.95) -> tuple[Doubles, Doubles]:
    """The middle of bootstrap samples (replicates, k), nan left out. Returns: low and high (k,).

    >>> low, high = interval(np.linspace(0, 1, 1001)[:, None], 0.9)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.05], [0.95])
    """
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    usable = samples[~np.isnan(samples).any(axis=1)]
    if not len(usable):
        return np.full(samples.shape[1], np.nan), np.full(samples.shape[1], np.nan)
    low, high = np.quantile(usable, tails, axis=0)
    return low, high
