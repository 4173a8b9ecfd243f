"""From looks to a verdict: never one frame, never the nearest name at any price."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from attendance.core.domain import (
    Decision,
    FloatArray,
    Look,
    LookEvidence,
    Match,
    Verdict,
)
from attendance.core.matching import CameraGallery, best_match

KEPT_LOOKS = 5
WINDOW_LOOKS = 20
CONTRADICTIONS = 2


@dataclass(frozen=True)
class DecisionRules:
    """When a face gets a name; the fields are those of `config.yaml`, section `decision`."""

    threshold: float
    review_threshold: float
    margin: float
    min_looks: int
    min_span_s: float
    baseline: float
    baseline_weight: float


class TrackEvidence:
    """The looks of one track against one gallery.

    Similarities are averaged over the newest `WINDOW_LOOKS` looks, weighted by quality, before
    anything is compared with a threshold: averaging takes the noise of single frames away, and
    strangers who brush the threshold in one frame do not do so on average.

    A name may be withdrawn: `CONTRADICTIONS` looks in a row that speak for somebody else, or for
    nobody, say that another face has taken this one's place. The earlier looks are then forgotten.
    """

    def __init__(self, gallery: CameraGallery, rules: DecisionRules) -> None:
        self._gallery = gallery
        self._rules = rules
        self._looks: deque[tuple[Look, FloatArray]] = deque(maxlen=WINDOW_LOOKS)
        self._doubts: list[tuple[Look, FloatArray]] = []
        self._first_t_s: float | None = None

    def __len__(self) -> int:
        return len(self._looks)

    @property
    def last_look_s(self) -> float:
        """When the newest look was taken, minus infinity before the first."""
        return self._looks[-1][0].t_s if self._looks else -np.inf

    def add(self, look: Look) -> bool:
        """Take one more look into account.

        Returns:
            Whether it withdrew the name: the looks count from `began_s` anew.
        """
        row = self._gallery.rows(look.embedding[None])[0]
        self._doubts = [*self._doubts, (look, row)] if self._contradicts(row) else []
        is_withdrawn = len(self._doubts) == CONTRADICTIONS
        if is_withdrawn:
            self._start_again()
        else:
            self._looks.append((look, row))
        if self._first_t_s is None:
            self._first_t_s = look.t_s
        return is_withdrawn

    @property
    def began_s(self) -> float:
        """When the first look that counts was taken, plus infinity before it."""
        return np.inf if self._first_t_s is None else self._first_t_s

    @property
    def is_doubted(self) -> bool:
        """Whether the newest look spoke against the name."""
        return bool(self._doubts)

    @property
    def newest_is_like_nobody(self) -> bool:
        """Whether the newest look, taken alone, speaks for nobody of the gallery."""
        newest = self._match(self._looks[-1][1]) if self._looks else None
        return newest is None or newest.score < self._rules.review_threshold

    def _contradicts(self, row: FloatArray) -> bool:
        named = self.verdict()
        if named.decision is not Decision.ACCEPT:
            return False
        own = self._match(row)
        return own.student_id != named.student_id or own.score < self._rules.review_threshold

    def _start_again(self) -> None:
        self._looks.clear()
        self._looks.extend(self._doubts)
        self._first_t_s = self._doubts[0][0].t_s
        self._doubts = []

    def mean_embedding(self) -> FloatArray:
        """The direction all looks share. Returns: (d,) L2-normalised; needs one look."""
        total = np.sum([look.embedding * look.quality for look, _ in self._looks], axis=0)
        return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), np.float32)

    def is_sufficient(self) -> bool:
        """Whether there are enough looks, spread over enough time, to say anything at all."""
        if len(self._looks) < self._rules.min_looks or self._first_t_s is None:
            return False
        return self.last_look_s - self._first_t_s >= self._rules.min_span_s

    def verdict(self) -> Verdict:
        """What the looks so far say; unknown without a candidate until they suffice."""
        if not self.is_sufficient() or not len(self._gallery):
            return Verdict(Decision.UNKNOWN, looks=len(self._looks))
        match = self._match(self._mean_row())
        return Verdict(
            decide(match, self._rules),
            match.student_id,
            match.similarity,
            match.score,
            match.margin,
            len(self._looks),
            self._best_looks(match),
        )

    def _mean_row(self) -> FloatArray:
        weights = np.array([max(look.quality, 1e-3) for look, _ in self._looks], np.float32)
        rows = np.stack([row for _, row in self._looks])
        return np.asarray(np.tensordot(weights, rows, 1) / weights.sum(), np.float32)

    def _match(self, row: FloatArray) -> Match:
        rules = self._rules
        return best_match(row, self._gallery.gallery, rules.baseline, rules.baseline_weight)

    def _best_looks(self, match: Match) -> tuple[LookEvidence, ...]:
        """The looks that speak most for the candidate, best first."""
        looks = [
            LookEvidence(
                look.at,
                own.similarity,
                own.score,
                own.margin,
                look.quality,
                own.similarity - own.margin if len(self._gallery) > 1 else -1.0,
                look.crop,
                look.flaw,
            )
            for look, own in ((look, self._match(row)) for look, row in self._looks)
            if own.student_id == match.student_id
        ]
        return tuple(sorted(looks, key=lambda look: -look.score)[:KEPT_LOOKS])


def decide(match: Match, rules: DecisionRules) -> Decision:
    """Accept, review or unknown, without gaps.

    >>> rules = DecisionRules(0.5, 0.4, 0.1, 3, 1.0, 0.2, 2.0)
    >>> [decide(Match(1, 0.9, margin, score), rules).value
    ...  for score, margin in ((0.5, 0.1), (0.5, 0.05), (0.45, 0.3), (0.39, 0.3))]
    ['accept', 'review', 'review', 'unknown']
    """
    if match.student_id is None or match.score < rules.review_threshold:
        return Decision.UNKNOWN
    is_clear = match.score >= rules.threshold and match.margin >= rules.margin
    return Decision.ACCEPT if is_clear else Decision.REVIEW
