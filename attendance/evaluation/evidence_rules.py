"""Rules that make one claim of the looks of a track: what the trial of evidence compares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import gaussian_kde

from attendance.config import DecisionConfig
from attendance.core.domain import FloatArray, Gallery
from attendance.core.matching import best_match, camera_score
from attendance.core.metrics import Doubles

GRID = np.linspace(-0.2, 1.0, 241)
MAX_LLR = 8.0
MAX_SAMPLES = 5000


@dataclass(frozen=True)
class Seen:
    """A track before one roster.

    Attributes:
        rows: (n, s) similarity of each look to each student.
        mean_rows: (s,) the same of the mean embedding, by the name of its weights.
        weights: (n,) the weights themselves, by name: `equal`, `height`, `quality`.
    """

    rows: FloatArray
    mean_rows: dict[str, FloatArray]
    weights: dict[str, FloatArray]


@dataclass(frozen=True)
class Claim:
    """Who a track would be, and how strongly; a threshold makes a name of it."""

    student: int
    strength: float


class Scorer:
    """The live decision's scores for the students of one roster."""

    def __init__(self, gallery: Gallery, decision: DecisionConfig) -> None:
        self._gallery = gallery
        self._decision = decision

    def best(self, row: FloatArray) -> Claim:
        """The most alike student of (s,) similarities, by `best_match`."""
        rules = self._decision
        match = best_match(row, self._gallery, rules.baseline, rules.baseline_weight)
        return Claim(-1 if match.student_id is None else match.student_id, match.score)

    def of(self, row: FloatArray, student: int) -> float:
        """The score of one student, whoever is the most alike."""
        rules = self._decision
        others = np.delete(row, student)
        return camera_score(float(row[student]), others, rules.baseline, rules.baseline_weight)


Rule = Callable[[Seen, Scorer], Claim]


def any_look(seen: Seen, scorer: Scorer) -> Claim:
    """The strongest single look."""
    return max((scorer.best(row) for row in seen.rows), key=lambda claim: claim.strength)


def votes(seen: Seen, scorer: Scorer, share: float) -> Claim:
    """As strong as the weakest of the looks that have to agree.

    Args:
        seen: the track.
        scorer: of the roster.
        share: of the looks that must name the same student.
    """
    needed = max(1, int(np.ceil(share * len(seen.rows) - 1e-9)))
    by_student: dict[int, list[float]] = {}
    for claim in (scorer.best(row) for row in seen.rows):
        by_student.setdefault(claim.student, []).append(claim.strength)
    agreed = [
        Claim(student, sorted(found)[-needed])
        for student, found in by_student.items()
        if len(found) >= needed
    ]
    return max(agreed, key=lambda claim: claim.strength, default=Claim(-1, -1.0))


def mean_similarity(seen: Seen, scorer: Scorer, weights: str) -> Claim:
    """The score of the mean of the similarities."""
    each = seen.weights[weights]
    return scorer.best(np.asarray(each @ seen.rows / each.sum(), np.float32))


def mean_embedding(seen: Seen, scorer: Scorer, weights: str) -> Claim:
    """The score of the mean embedding."""
    return scorer.best(seen.mean_rows[weights])


@dataclass(frozen=True)
class Curves:
    """How much likelier a score is of the student than of a stranger, by quality.

    Attributes:
        edges: (k - 1,) rising qualities between the k bins.
        ratios: (k, 241) log-likelihood ratio over `GRID`, never falling.
        correlation: between two looks of one track, in [0, 1].
    """

    edges: Doubles
    ratios: Doubles
    correlation: float

    def ratio(self, scores: Doubles, qualities: Doubles) -> Doubles:
        """Of each look. Returns: (n,)."""
        bins = np.searchsorted(self.edges, qualities, side="right")
        each = [np.interp(scores, GRID, curve) for curve in self.ratios]
        return np.asarray(np.stack(each)[bins, np.arange(len(scores))], np.float64)


def likelihood(seen: Seen, scorer: Scorer, curves: Curves) -> Claim:
    """The sum of the looks' log-likelihood ratios, less what neighbouring looks repeat.

    n looks that correlate by r are worth n / (1 + (n - 1) r) looks of their own.
    """
    student = mean_similarity(seen, scorer, "equal").student
    scores = np.array([scorer.of(row, student) for row in seen.rows])
    total = float(curves.ratio(scores, np.asarray(seen.weights["quality"], np.float64)).sum())
    return Claim(student, total / (1 + (len(scores) - 1) * curves.correlation))


def fit_curves(
    genuine: Sequence[tuple[Doubles, Doubles]],
    impostor: Sequence[tuple[Doubles, Doubles]],
    bins: int,
) -> Curves:
    """Curves from tracks whose truth is known.

    Args:
        genuine: scores and qualities, (n,) each, of each track against its own student.
        impostor: the same of each stranger's track against the student most like it.
        bins: of quality, equally filled by the genuine; fewer where qualities are the same.
    """
    qualities = np.concatenate([quality for _, quality in genuine])
    wanted = np.quantile(qualities, np.arange(1, bins) / bins)
    edges = np.unique(wanted[wanted > qualities.min()])
    pair = (_binned(genuine, edges), _binned(impostor, edges))
    ratios = [_ratio(own, other) for own, other in zip(*pair, strict=True)]
    rough = Curves(edges, np.stack(ratios), 0.0)
    both = [intraclass([rough.ratio(*track) for track in kind]) for kind in (genuine, impostor)]
    return Curves(edges, rough.ratios, float(np.mean(both)))


def _binned(tracks: Sequence[tuple[Doubles, Doubles]], edges: Doubles) -> list[Doubles]:
    scores = np.concatenate([score for score, _ in tracks])
    bins = np.searchsorted(edges, np.concatenate([quality for _, quality in tracks]), side="right")
    return [scores[bins == number] for number in range(len(edges) + 1)]


def _ratio(genuine: Doubles, impostor: Doubles) -> Doubles:
    """Of two kernel density estimates, made to rise. Returns: (241,)."""
    own, other = (
        gaussian_kde(kind[:: max(1, len(kind) // MAX_SAMPLES)])(GRID)
        for kind in (genuine, impostor)
    )
    ratio = np.log(own + 1e-6) - np.log(other + 1e-6)
    peak = (int(np.argmax(other)), int(np.argmax(own)))
    ratio[: peak[0]] = np.minimum(ratio[: peak[0]], ratio[peak[0]])
    ratio[peak[1] :] = np.maximum(ratio[peak[1] :], ratio[peak[1]])
    return np.asarray(np.maximum.accumulate(ratio).clip(-MAX_LLR, MAX_LLR), np.float64)


def intraclass(groups: Sequence[Doubles]) -> float:
    """How alike members of a group are, by one-way analysis of variance (Fisher, 1925).

    >>> intraclass([np.array([1.0, 1.0]), np.array([3.0, 3.0])])
    1.0
    """
    sizes = np.array([len(group) for group in groups], np.float64)
    n, k = sizes.sum(), len(groups)
    if k < 2 or n <= k:
        return 0.0
    means = np.array([group.mean() for group in groups])
    grand = float(np.concatenate(list(groups)).mean())
    between = float((sizes * (means - grand) ** 2).sum()) / (k - 1)
    within = float(sum(((g - m) ** 2).sum() for g, m in zip(groups, means, strict=True))) / (n - k)
    size = (n - (sizes**2).sum() / n) / (k - 1)
    total = between + (size - 1) * within
    return float(np.clip((between - within) / total, 0, 1)) if total > 0 else 0.0
