"""What strangers score: how often somebody who is not enrolled would be given a name.

The more people are enrolled, the likelier one of them resembles a stranger. A `Background` holds
how often that happens at each size of a roster, measured once on many people, as figures only. A
roster of one's own has other people than the background's, and meets other strangers; how much that
makes is part of the background, and gives the interval that a prediction is made with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, betabinom

from attendance.core.errors import DimensionError

Doubles = npt.NDArray[np.float64]
TINY = 1e-9


@dataclass(frozen=True)
class Background:
    """FPIR by size of roster and threshold, of one model.

    Attributes:
        model_id: whose scores these are.
        margin: the lead over the second person that a name needed.
        strangers: people searched for; no rate below three of them can be spoken of.
        people: the rosters were drawn from.
        sizes: (k,) people on a roster, rising.
        levels: (m,) thresholds of score, rising.
        fpir: (k, m) mean share of the strangers given a name, over rosters.
        spread: (k, m) standard deviation of the share of one roster of other people, among others.
    """

    model_id: str
    margin: float
    strangers: int
    people: int
    sizes: Doubles
    levels: Doubles
    fpir: Doubles
    spread: Doubles

    def __post_init__(self) -> None:
        expected = (len(self.sizes), len(self.levels))
        for name, table in (("fpir", self.fpir), ("spread", self.spread)):
            if table.shape != expected:
                raise DimensionError(f"{name} of a background is {expected}, got {table.shape}")

    @property
    def least_fpir(self) -> float:
        """The smallest rate that so many strangers can speak of (the rule of three)."""
        return 3.0 / max(self.strangers, 1)

    def rate(self, size: int, threshold: float) -> float:
        """Expected share of strangers given a name by a roster of this size."""
        return float(np.interp(threshold, self.levels, self._row(self.fpir, size)))

    def threshold(self, size: int, target: float) -> float:
        """The lowest threshold that is expected to give at most this share a name.

        Raises:
            ValueError: the target is below what the background can speak of.
        """
        if target < self.least_fpir:
            raise ValueError(
                f"{self.strangers} strangers cannot speak of a rate of {target:g}; "
                f"ask for {self.least_fpir:.2g} or more"
            )
        row = np.minimum.accumulate(self._row(self.fpir, size))
        above = np.flatnonzero(row > target)
        if not len(above):
            return float(self.levels[0])
        last = int(above[-1])
        if last == len(row) - 1:
            return float(self.levels[-1])
        ends = np.log(np.maximum(row[[last + 1, last]], TINY))
        return float(np.interp(np.log(target), ends, self.levels[[last + 1, last]]))

    def interval(self, size: int, threshold: float, strangers: int = 0) -> tuple[float, float]:
        """Where the observed share of so many strangers lies, in 95 of 100 rosters.

        Args:
            size: of the roster.
            threshold: of score.
            strangers: who will be seen; 0 for the roster's own rate, over endlessly many.
        """
        mean = self.rate(size, threshold)
        spread = float(np.interp(threshold, self.levels, self._row(self.spread, size)))
        return predicted(mean, spread, strangers)

    def _row(self, table: Doubles, size: int) -> Doubles:
        """A table's row for a size, between two measured ones in proportion.

        Beyond the largest it grows with the number of people, which is too strict rather than
        too lax: two people who resemble the same stranger count twice.
        """
        if size >= self.sizes[-1]:
            return np.asarray(np.minimum(table[-1] * size / self.sizes[-1], 1.0), np.float64)
        after = int(np.searchsorted(self.sizes, size, side="right"))
        if after == 0:
            return np.asarray(table[0], np.float64)
        low, high = self.sizes[after - 1], self.sizes[after]
        share = (size - low) / (high - low)
        return np.asarray((1 - share) * table[after - 1] + share * table[after], np.float64)


def predicted(mean: float, spread: float, strangers: int) -> tuple[float, float]:
    """The 95 % interval of a share whose mean varies from roster to roster.

    The roster's own rate is a beta variable; the count among a number of strangers a binomial one
    on top of it.

    >>> low, high = predicted(0.01, 0.005, 0)
    >>> 0 < low < 0.01 < high < 0.03
    True
    >>> predicted(0.01, 0.005, 100)[1]
    0.04
    """
    mean = min(max(mean, TINY), 1 - TINY)
    variance = min(max(spread**2, TINY**2), 0.99 * mean * (1 - mean))
    total = mean * (1 - mean) / variance - 1
    a, b = mean * total, (1 - mean) * total
    if strangers:
        low, high = betabinom.ppf([0.025, 0.975], strangers, a, b) / strangers
    else:
        low, high = beta.ppf([0.025, 0.975], a, b)
    return float(low), float(high)
