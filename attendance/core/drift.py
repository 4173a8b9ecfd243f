"""Whether genuine scores have been falling: a robust line through the means of sessions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import theilslopes

WINDOW_WEEKS = 16.0
LEAST_SESSIONS = 6
LEAST_WEEKS = 4.0
LEAST_FALL = 0.03
CONFIDENCE = 0.95

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trend:
    """A line through session means.

    Attributes:
        sessions: how many it rests on.
        weeks: from the first to the last.
        fall: over those weeks, in score; negative for a rise.
        low, high: the 95 % interval of the fall.
    """

    sessions: int
    weeks: float
    fall: float
    low: float
    high: float

    @property
    def is_drift(self) -> bool:
        """Whether the fall is large enough to matter and too steady to be chance."""
        return self.fall >= LEAST_FALL and self.low > 0


def trend(weeks: Doubles, scores: Doubles) -> Trend | None:
    """Theil and Sen's line: the median of the slopes between all pairs of sessions.

    A single session with a lamp off, or a substitute class, moves it little.

    Args:
        weeks: (n,) when, rising; only the last `WINDOW_WEEKS` count.
        scores: (n,) mean genuine score of each session.

    Returns:
        None for fewer than `LEAST_SESSIONS` sessions, or less than `LEAST_WEEKS` of them.

    >>> found = trend(np.arange(11.0), 0.7 - 0.005 * np.arange(11.0))
    >>> found.is_drift, round(found.fall, 3)
    (True, 0.05)
    >>> trend(np.arange(3.0), np.array([0.7, 0.6, 0.5])) is None
    True
    """
    if not len(weeks):
        return None
    counts = weeks >= weeks[-1] - WINDOW_WEEKS
    x, y = weeks[counts], scores[counts]
    span = float(x[-1] - x[0])
    if len(x) < LEAST_SESSIONS or span < LEAST_WEEKS:
        return None
    slope, _, low, high = theilslopes(y, x, CONFIDENCE)
    return Trend(len(x), span, -float(slope) * span, -float(high) * span, -float(low) * span)
