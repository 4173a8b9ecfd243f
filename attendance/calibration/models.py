"""What calibration keeps and hands out: frozen facts, copied from the rows of one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from attendance.core.cohort import Cohort


@dataclass(frozen=True)
class OperatingPoint:
    """What `attendance calibrate` found for a course, and perhaps one camera.

    Attributes:
        id: 0 until it is stored.
        camera_id: None for whatever camera looks.
        cohort_version: of the camera's cohort that was in use, None without one.
        thresholds: `threshold`, `review_threshold` and `margin`, as in `config.yaml`.
        target_fpir: the share of unknown people that may be given a name.
        strangers: unknown people a session is assumed to see.
        expected_false_accepts: names wrongly given a session, with so many strangers.
        students: whose templates it was made from, by id.
        too_alike: pairs of student ids that the camera cannot tell apart.
        figures: everything the report shows, as JSON values.
    """

    course_id: int
    camera_id: int | None
    model_id: str
    cohort_version: int | None
    thresholds: dict[str, float]
    target_fpir: float
    strangers: int
    expected_false_accepts: float
    students: tuple[int, ...]
    too_alike: tuple[tuple[int, int], ...]
    made_at: datetime
    figures: dict[str, Any] = field(default_factory=dict, repr=False)
    id: int = 0


@dataclass(frozen=True)
class StoredCohort:
    """A camera's cohort as it stood after one session; versions count from 1 and stay.

    A session that names a version can be decided again with exactly what it was decided with.
    """

    version: int
    made_at: datetime
    cohort: Cohort


@dataclass(frozen=True)
class DriftNotice:
    """Genuine scores of a course before one camera have been falling.

    Attributes:
        course: its code.
        camera: its name.
        sessions: how many the trend rests on.
        weeks: from the first of them to the last.
        fall: over those weeks, in score; positive.
        low, high: its 95 % interval.
        suggestion: what to do about it, for the instructor.
    """

    course: str
    camera: str
    sessions: int
    weeks: float
    fall: float
    low: float
    high: float
    suggestion: str

    @property
    def words(self) -> str:
        """The notice as a person reads it."""
        return (
            f"{self.course} before {self.camera}: faces have grown less alike to their enrolment "
            f"photos, by {self.fall:.2f} in score over {self.weeks:.0f} weeks "
            f"({self.sessions} sessions, 95 % interval {self.low:.2f} to {self.high:.2f}). "
            f"{self.suggestion}"
        )
