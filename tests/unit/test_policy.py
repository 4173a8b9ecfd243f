"""What a time means, and when a register may say that somebody was absent."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core.domain import Status
from attendance.core.policy import needs_instructor, status_at
from tests.fakes import NINE

seconds = st.floats(0, 1e6)


@pytest.mark.parametrize(
    ("after_s", "late_after_s", "expected", "reason"),
    [
        (0, 600, "present", "there from the start"),
        (600, 600, "present", "exactly ten minutes"),
        (600.001, 600, "late", "a millisecond more"),
        (0, 0, "present", "no grace: the first moment"),
        (0.5, 0, "late", "no grace"),
        (-30, 600, "present", "seen before the opening: a clock set back"),
    ],
)
def test_present_or_late(after_s, late_after_s, expected, reason):
    at = NINE + timedelta(seconds=after_s)
    assert status_at(NINE, at, late_after_s).value == expected, reason


@given(seconds, seconds, seconds)
def test_nobody_is_late_who_came_before_somebody_present(one, other, late_after_s):
    early, late = sorted((one, other))
    if status_at(NINE, NINE + timedelta(seconds=late), late_after_s) is Status.PRESENT:
        assert status_at(NINE, NINE + timedelta(seconds=early), late_after_s) is Status.PRESENT


@pytest.mark.parametrize(
    ("covered_s", "window_s", "min_coverage", "expected", "reason"),
    [
        (3600, 3600, 0.8, False, "all of it"),
        (2880, 3600, 0.8, False, "exactly four fifths"),
        (2879, 3600, 0.8, True, "a second less"),
        (0, 3600, 0.8, True, "a camera that never looked"),
        (0, 3600, 0.0, False, "a school that asks for nothing"),
        (10, 0, 0.8, True, "closed in the moment it opened"),
        (10, -60, 0.8, True, "closed before it opened: the clock jumped"),
        (4000, 3600, 0.8, False, "more than there was"),
    ],
)
def test_when_a_person_has_to_decide(covered_s, window_s, min_coverage, expected, reason):
    assert needs_instructor(covered_s, window_s, min_coverage) is expected, reason


@given(seconds, seconds, st.floats(-10, 1e6), st.floats(0, 1))
def test_more_looking_never_needs_more_of_a_person(one, other, window_s, min_coverage):
    less, more = sorted((one, other))
    if not needs_instructor(less, window_s, min_coverage):
        assert not needs_instructor(more, window_s, min_coverage)
