"""Drift: a fall over weeks is noticed, noise is not."""

import numpy as np
import pytest

from attendance.core.drift import trend

SEEDS = 40
WEEKS, A_WEEK, NOISE = 10, 2, 0.015


def share_noticed(fall: float) -> float:
    """Two sessions a week for ten weeks; the mean of a session scatters by 0.015."""
    weeks = np.arange(WEEKS * A_WEEK + 1) / A_WEEK
    noticed = []
    for seed in range(SEEDS):
        noise = np.random.default_rng(seed).normal(0, NOISE, len(weeks))
        noticed.append(trend(weeks, 0.7 - fall * weeks / WEEKS + noise).is_drift)
    return float(np.mean(noticed))


def test_a_fall_of_five_hundredths_over_ten_weeks_is_noticed():
    assert share_noticed(0.05) >= 0.9


def test_the_same_noise_without_a_fall_is_not():
    assert share_noticed(0.0) <= 0.05


def test_one_dark_day_is_no_drift():
    scores = np.full(12, 0.7)
    scores[-1] = 0.3
    assert not trend(np.arange(12.0), scores).is_drift


@pytest.mark.parametrize(
    ("weeks", "reason"),
    [([], "nothing"), (range(5), "five sessions"), (np.arange(20) / 10, "twenty in two weeks")],
)
def test_too_little_says_nothing(weeks, reason):
    weeks = np.asarray(weeks, np.float64)
    assert trend(weeks, 1 - weeks) is None, reason
