"""Notices drift: the mean genuine score of each session, course by course and camera by camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attendance.calibration.models import DriftNotice
from attendance.core.domain import Source
from attendance.core.drift import Trend, trend
from attendance.db.class_models import AttendanceRecordRow, CameraRow, ClassSessionRow, CourseRow

LEAST_MARKS = 3
WEEK_S = 7 * 24 * 3600.0


@dataclass(frozen=True)
class _Series:
    """Sessions of one course before one camera with one model."""

    course_id: int
    camera_id: int
    trend: Trend


def notices(tx: Session, course_id: int | None) -> list[DriftNotice]:
    """Where genuine scores have been falling; for one course, or for all."""
    series = _all_series(tx)
    falling = [one for one in series if one.trend.is_drift]
    wanted = [one for one in falling if course_id in (None, one.course_id)]
    return [_notice(tx, one, falling) for one in wanted]


def _all_series(tx: Session) -> list[_Series]:
    """The trend of each; of several models, of the one used last."""
    session, record = ClassSessionRow, AttendanceRecordRow
    query = (
        select(
            session.course_id,
            session.camera_id,
            session.model_id,
            session.opened_at,
            func.avg(record.score).label("score"),
        )
        .join(record, record.session_id == session.id)
        .where(record.source == Source.AUTO, record.score.is_not(None))
        .group_by(session.id)
        .having(func.count() >= LEAST_MARKS)
        .order_by(session.opened_at)
    )
    means: dict[tuple[int, int], dict[str, list[tuple[float, float]]]] = {}
    for row in tx.execute(query):
        of_model = means.setdefault((row.course_id, row.camera_id), {})
        points = of_model.pop(row.model_id, [])
        of_model[row.model_id] = [*points, (row.opened_at.timestamp() / WEEK_S, row.score)]
    return [
        _Series(*key, found)
        for key, of_model in means.items()
        for found in [trend(*np.array(list(of_model.values())[-1], np.float64).T)]
        if found is not None
    ]


def _notice(tx: Session, one: _Series, falling: list[_Series]) -> DriftNotice:
    course, camera = tx.get_one(CourseRow, one.course_id), tx.get_one(CameraRow, one.camera_id)
    found = one.trend
    return DriftNotice(
        course=course.code,
        camera=camera.name,
        sessions=found.sessions,
        weeks=found.weeks,
        fall=found.fall,
        low=found.low,
        high=found.high,
        suggestion=_suggestion(one, falling),
    )


def _suggestion(one: _Series, falling: list[_Series]) -> str:
    """Whom several falls have in common is where to look first."""
    others = [other for other in falling if other is not one]
    if any(other.camera_id == one.camera_id for other in others):
        return "Other courses fall before this camera too: clean the lens, check focus and light."
    if any(other.course_id == one.course_id for other in others):
        return "The course falls before other cameras too: enrol its students again."
    return "Check the room's light and the camera's lens first; if they are fine, enrol again."
