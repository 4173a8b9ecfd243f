"""Predicting false accepts: larger rosters, stricter thresholds, intervals that hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.calibration.in_force import carried_over, in_force
from attendance.core.cohort import caution
from attendance.core.impostors import Background, predicted

LEVELS = np.round(np.arange(0.1, 0.91, 0.02), 2)
SIZES = np.array([1, 5, 30, 90], np.float64)
KNOWN = (1, 10**6, 10**6)
CONFIGURED = {"threshold": 0.52, "review_threshold": 0.42, "margin": 0.1}
TAIL = np.exp(-15 * (LEVELS - 0.1))
FPIR = 1 - (1 - 0.2 * TAIL[None]) ** SIZES[:, None]
BACKGROUND = Background("m", 0.1, 1000, 200, SIZES, LEVELS, FPIR, 0.3 * FPIR)
sizes = st.integers(1, 400)


@given(sizes, st.floats(0.004, 0.2))
def test_the_threshold_holds_what_was_asked_for(size, target):
    assert BACKGROUND.rate(size, BACKGROUND.threshold(size, target)) <= target * 1.05


@given(sizes, sizes)
def test_a_larger_roster_never_takes_a_lower_threshold(one, other):
    small, large = sorted((one, other))
    assert BACKGROUND.threshold(small, 0.01) <= BACKGROUND.threshold(large, 0.01) + 1e-9


def test_a_rate_that_so_few_strangers_cannot_speak_of_is_refused():
    with pytest.raises(ValueError, match=r"1000 strangers .* ask for 0\.003"):
        BACKGROUND.threshold(30, 0.001)


@pytest.mark.parametrize(("strangers", "most"), [(50, 1.0), (800, 0.98)])
def test_counts_drawn_as_predicted_lie_in_the_interval_as_often_as_it_says(strangers, most):
    """Of few strangers only whole ones can be named, so the interval is wider than it need be."""
    mean, spread, draw = 0.02, 0.008, np.random.default_rng(0)
    total = mean * (1 - mean) / spread**2 - 1
    rates = draw.beta(mean * total, (1 - mean) * total, 2000)
    shares = draw.binomial(strangers, rates) / strangers
    low, high = predicted(mean, spread, strangers)
    assert 0.94 <= ((shares >= low) & (shares <= high)).mean() <= most


def test_staff_is_asked_more_often_until_a_camera_is_known():
    by_people = [
        in_force(CONFIGURED, BACKGROUND, range(30), None, known)
        for known in (None, (1, 5, 5), (2, 40, 30), KNOWN)
    ]
    thresholds = [found.thresholds["threshold"] for found in by_people]
    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[0] == pytest.approx(thresholds[-1] * (1 + caution(0, 30)), rel=0.01)
    assert len({found.thresholds["review_threshold"] for found in by_people}) == 1
    assert "asked more often" in by_people[0].cohort_words
    assert "30 people (version 2)" in by_people[2].cohort_words  # however often each was seen


def test_a_school_that_never_calibrated_gets_a_threshold_for_its_size():
    small = in_force(CONFIGURED, BACKGROUND, range(2), None, KNOWN)
    large = in_force(CONFIGURED, BACKGROUND, range(300), None, KNOWN)
    assert small.thresholds["threshold"] == 0.52  # the settings are the least
    assert large.thresholds["threshold"] > 0.52
    apart = large.thresholds["threshold"] - large.thresholds["review_threshold"]
    assert apart == pytest.approx(0.1)
    assert "attendance calibrate --course X" in large.advice("X")


def test_a_model_nobody_has_measured_goes_by_the_settings_and_says_so():
    found = in_force(CONFIGURED, None, range(30), None, KNOWN)
    assert found.thresholds == CONFIGURED
    assert "not known for this model" in found.expectation_words


def test_settings_mean_as_many_strangers_for_another_model():
    """Its scores are lower all over: 0.52 would have named nobody, strangers and students alike."""
    lower = Background("other", 0.1, 1000, 200, SIZES, LEVELS - 0.1, FPIR, 0.3 * FPIR)
    found = carried_over(CONFIGURED, BACKGROUND, lower)
    assert found["threshold"] == pytest.approx(0.42, abs=0.005)
    assert found["review_threshold"] == pytest.approx(found["threshold"] - 0.1)
    assert carried_over(CONFIGURED, BACKGROUND, BACKGROUND) == CONFIGURED
    assert carried_over(CONFIGURED, BACKGROUND, None) == CONFIGURED


def test_settings_stricter_than_what_was_measured_stay_as_much_above_it():
    """No step: a school that asks for a little more must not find nobody named any longer."""
    lower = Background("other", 0.1, 1000, 200, SIZES, LEVELS - 0.1, FPIR, 0.3 * FPIR)
    settings = np.round(np.arange(0.5, 0.9, 0.01), 2)
    carried = [
        carried_over(
            CONFIGURED | {"threshold": asked, "review_threshold": asked - 0.1}, BACKGROUND, lower
        )
        for asked in settings.tolist()
    ]
    found = np.array([each["threshold"] for each in carried])
    assert found == pytest.approx(settings - 0.1, abs=0.006)
