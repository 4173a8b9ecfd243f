"""Keeping operating points, and finding the one that is in force."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from attendance.calibration.models import OperatingPoint
from attendance.db.calibration_models import OperatingPointRow
from attendance.db.class_models import CourseRow

COPIED = (
    "course_id",
    "camera_id",
    "model_id",
    "cohort_version",
    "thresholds",
    "target_fpir",
    "strangers",
    "expected_false_accepts",
    "made_at",
    "figures",
)


def keep(tx: Session, point: OperatingPoint) -> OperatingPoint:
    """Adds a point. Returns: it with its id."""
    row = OperatingPointRow(
        students=list(point.students),
        too_alike=[list(pair) for pair in point.too_alike],
        **{name: getattr(point, name) for name in COPIED},
    )
    tx.add(row)
    tx.flush()
    return _as_point(row)


def newest(
    tx: Session, course_id: int, camera_id: int | None, model_id: str
) -> OperatingPoint | None:
    """The newest point of this course and model made for this camera, or for any camera.

    A point of the camera itself goes before one for any camera, however old it is: only it knows
    the camera's light and lens.
    """
    row = OperatingPointRow
    query = (
        select(row)
        .where(row.course_id == course_id, row.model_id == model_id)
        .where(or_(row.camera_id == camera_id, row.camera_id.is_(None)))
        .order_by(row.camera_id.is_(None), row.id.desc())
        .limit(1)
    )
    found = tx.scalar(query)
    return None if found is None else _as_point(found)


def newest_of_courses(tx: Session) -> dict[str, OperatingPoint]:
    """The last one made for each course, for whatever camera and model, by course code."""
    query = (
        select(CourseRow.code, OperatingPointRow)
        .join(CourseRow, CourseRow.id == OperatingPointRow.course_id)
        .order_by(OperatingPointRow.id)
    )
    return {code: _as_point(row) for code, row in tx.execute(query)}


def _as_point(row: OperatingPointRow) -> OperatingPoint:
    return OperatingPoint(
        students=tuple(row.students),
        too_alike=tuple((int(pair[0]), int(pair[1])) for pair in row.too_alike),
        id=row.id,
        **{name: getattr(row, name) for name in COPIED},
    )
