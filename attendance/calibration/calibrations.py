"""Operating points and cohorts as the rest of the program sees them: one call, one transaction."""

from __future__ import annotations

from datetime import datetime

from attendance.calibration import cohorts, drift, points
from attendance.calibration.models import DriftNotice, OperatingPoint, StoredCohort
from attendance.core.cohort import Cohort
from attendance.db.engine import Database


class Calibrations:
    """What calibration keeps. Threads and processes may share a school.

    What a call returns is on the disk. Every call that changes something raises
    `StorageFullError` where the disk is full.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep_point(self, point: OperatingPoint) -> OperatingPoint:
        """Keeps an operating point; from now on it is the newest. Returns: it with its id."""
        with self._db.write() as tx:
            return points.keep(tx, point)

    def point(self, course_id: int, camera_id: int | None, model_id: str) -> OperatingPoint | None:
        """The newest that fits: made for this camera or for any, and for this model."""
        with self._db.read() as tx:
            return points.newest(tx, course_id, camera_id, model_id)

    def points(self) -> dict[str, OperatingPoint]:
        """The last one made for each course, for whatever camera and model, by course code."""
        with self._db.read() as tx:
            return points.newest_of_courses(tx)

    def keep_cohort(self, camera_id: int, cohort: Cohort, *, at: datetime) -> StoredCohort | None:
        """Keeps what a camera has seen so far as its next version.

        Returns:
            None, and nothing kept, for fewer than `cohorts.LEAST_PEOPLE` people or where the
            newest version has seen as much.
        """
        with self._db.write() as tx:
            return cohorts.keep(tx, camera_id, cohort, at)

    def cohort(
        self, camera_id: int, model_id: str, version: int | None = None
    ) -> StoredCohort | None:
        """A version of a camera's cohort, the newest for None; None where there is none."""
        with self._db.read() as tx:
            return cohorts.find(tx, camera_id, model_id, version)

    def cohort_version(self, camera_id: int, model_id: str) -> tuple[int, int, int] | None:
        """The newest version, its tracks and its people, without reading its figures."""
        with self._db.read() as tx:
            return cohorts.newest_version(tx, camera_id, model_id)

    def drift(self, course_id: int | None = None) -> list[DriftNotice]:
        """Where genuine scores have been falling, for one course or for all."""
        with self._db.read() as tx:
            return drift.notices(tx, course_id)
