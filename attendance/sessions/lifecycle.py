"""A class session while it runs: opened, paused, resumed, and what its camera does."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from attendance.core.domain import CameraState, SessionState
from attendance.core.errors import (
    CameraBusyError,
    EmptyCourseError,
    SessionError,
    SessionStateError,
)
from attendance.db.class_models import (
    CameraRow,
    ClassSessionRow,
    SessionRosterRow,
)
from attendance.sessions.class_sessions import RUNNING, as_session, require_session
from attendance.sessions.courses import require_course, roster
from attendance.sessions.events import append_event
from attendance.sessions.models import ClassSession, Event, SessionRules

PACES = ("live", "fast")


def open_session(
    tx: Session,
    course_id: int,
    camera_id: int,
    *,
    at: datetime,
    model_id: str,
    rules: SessionRules,
    pace: str,
    by: str,
) -> ClassSession:
    """Opens a session with the roster of that day, as it is in the course's time zone.

    Raises:
        EmptyCourseError: nobody is on the roster.
        CameraBusyError: another session has the camera.
        SessionError: no such course, camera or pace.
    """
    if pace not in PACES:
        raise SessionError(f"a session's pace is one of {PACES}, got {pace!r}")
    course = require_course(tx, course_id)
    student_ids = roster(tx, course_id, at.astimezone(ZoneInfo(course.timezone)).date())
    if not student_ids:
        raise EmptyCourseError(f"nobody is on the roster of {course.code}; add students first")
    _require_free_camera(tx, camera_id)
    row = ClassSessionRow(
        course_id=course_id,
        camera_id=camera_id,
        state=SessionState.OPEN,
        opened_at=at,
        model_id=model_id,
        rules=asdict(rules),
        pace=pace,
    )
    tx.add(row)
    tx.flush()
    tx.add_all(SessionRosterRow(session_id=row.id, student_id=student) for student in student_ids)
    payload = {"course_id": course_id, "camera_id": camera_id, "students": len(student_ids)}
    append_event(tx, row.id, "opened", at, payload | {"by": by})
    return as_session(row)


def pause(tx: Session, session_id: int, at: datetime, by: str) -> ClassSession:
    """Stops looking for a while.

    Raises:
        SessionStateError: the session is not open.
    """
    return _move(tx, session_id, SessionState.OPEN, SessionState.PAUSED, ("paused", at, by))


def resume(tx: Session, session_id: int, at: datetime, by: str) -> ClassSession:
    """Looks again.

    Raises:
        SessionStateError: the session is not paused.
    """
    return _move(tx, session_id, SessionState.PAUSED, SessionState.OPEN, ("resumed", at, by))


def camera_changed(
    tx: Session, session_id: int, state: CameraState, detail: str, at: datetime
) -> Event | None:
    """Notes what became of the camera; None where nothing changed or the session is over."""
    row = require_session(tx, session_id)
    is_same = (row.camera_state, row.camera_detail) == (state, detail)
    if is_same or row.state not in RUNNING:
        return None
    row.camera_state, row.camera_detail = state, detail
    if state in {CameraState.ENDED, CameraState.STOPPED}:
        row.look_again_at = None
    return append_event(tx, session_id, "camera", at, {"state": state.value, "detail": detail})


def add_coverage(tx: Session, row: ClassSessionRow, seconds: float) -> None:
    """Counts time in which the camera did look; a paused or closed session takes none."""
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"covered seconds are finite and not negative, got {seconds}")
    if row.state is SessionState.OPEN:
        row.covered_s += seconds
    tx.flush()


def _require_free_camera(tx: Session, camera_id: int) -> None:
    """Says who has it; the unique index behind would only say that somebody has."""
    camera = tx.get(CameraRow, camera_id)
    if camera is None:
        raise SessionError(f"no camera has the id {camera_id}")
    session = ClassSessionRow
    query = select(session).where(session.camera_id == camera_id, session.state.in_(RUNNING))
    holder = tx.scalar(query)
    if holder is not None:
        raise CameraBusyError(
            f"{camera.name} is in use by session {holder.id} of {holder.course.code}; "
            "close that one or choose another camera"
        )


def _move(
    tx: Session,
    session_id: int,
    expected: SessionState,
    wished: SessionState,
    event: tuple[str, datetime, str],
) -> ClassSession:
    kind, at, by = event
    row = require_session(tx, session_id)
    if row.state is not expected:
        raise SessionStateError(
            f"session {session_id} is {row.state.value}, not {expected.value}: it cannot be {kind}"
        )
    row.state, row.look_again_at = wished, None
    append_event(tx, session_id, kind, at, {"by": by})
    return as_session(row)
