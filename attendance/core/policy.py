"""The rules of a class session: what a time means and when a register may be believed."""

from __future__ import annotations

from datetime import datetime, timedelta

from attendance.core.domain import Status


def status_at(opened_at: datetime, at: datetime, late_after_s: float) -> Status:
    """Present up to and including the late limit, late after it.

    >>> from datetime import UTC
    >>> nine = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    >>> status_at(nine, nine + timedelta(minutes=10), 600.0).value
    'present'
    >>> status_at(nine, nine + timedelta(minutes=10, seconds=1), 600.0).value
    'late'
    """
    return Status.LATE if at - opened_at > timedelta(seconds=late_after_s) else Status.PRESENT


def needs_instructor(covered_s: float, window_s: float, min_coverage: float) -> bool:
    """Whether the camera looked too little for a register to say absent.

    A window that is not positive (a clock that jumped) proves nothing, so it needs a person too.

    >>> needs_instructor(79.0, 100.0, 0.8), needs_instructor(80.0, 100.0, 0.8)
    (True, False)
    >>> needs_instructor(0.0, -5.0, 0.8)
    True
    """
    return window_s <= 0 or covered_s < min_coverage * window_s
