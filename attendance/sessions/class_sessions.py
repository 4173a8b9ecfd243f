"""Looking up class sessions."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from attendance.core.domain import SessionState
from attendance.core.errors import SessionError
from attendance.db.class_models import ClassSessionRow, SessionRosterRow
from attendance.sessions.cameras import as_camera
from attendance.sessions.courses import as_course
from attendance.sessions.models import ClassSession, SessionRules

RUNNING = (SessionState.OPEN, SessionState.PAUSED)


def require_session(tx: Session, session_id: int) -> ClassSessionRow:
    """The session with this id.

    Raises:
        SessionError: there is none.
    """
    row = tx.get(ClassSessionRow, session_id)
    if row is None:
        raise SessionError(f"no class session has the id {session_id}")
    return row


def running_sessions(tx: Session) -> list[ClassSession]:
    """The open and the paused ones, oldest first."""
    query = select(ClassSessionRow).where(ClassSessionRow.state.in_(RUNNING))
    return [as_session(row) for row in tx.scalars(query.order_by(ClassSessionRow.id))]


def recent_sessions(tx: Session, limit: int) -> list[ClassSession]:
    """The newest ones, whatever their state, newest first."""
    query = select(ClassSessionRow).order_by(ClassSessionRow.id.desc()).limit(limit)
    return [as_session(row) for row in tx.scalars(query)]


def students(tx: Session, session_id: int) -> list[int]:
    """The ids of the students the session was opened with, by id.

    Raises:
        SessionError: no such session.
    """
    require_session(tx, session_id)
    entry = SessionRosterRow
    query = select(entry.student_id).where(entry.session_id == session_id)
    return list(tx.scalars(query.order_by(entry.student_id)))


def as_session(row: ClassSessionRow) -> ClassSession:
    """The facts of a row."""
    return ClassSession(
        id=row.id,
        course=as_course(row.course),
        camera=as_camera(row.camera),
        state=row.state,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        covered_s=row.covered_s,
        last_event=row.last_event,
        model_id=row.model_id,
        rules=SessionRules(**row.rules),
        pace=row.pace,
        camera_state=row.camera_state,
        camera_detail=row.camera_detail,
        look_again_at=row.look_again_at,
    )
