"""Near misses and withdrawn names: what the camera noticed and marks nobody for."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from attendance.core.domain import Decision, Remark, RemarkKind, SessionState, Source
from attendance.db.class_models import EventRow, NearMissRow, ReviewRow
from attendance.sessions.events import append_event
from attendance.sessions.looks import keep_best_looks
from attendance.sessions.models import Event
from attendance.sessions.records import figures, find_record, require_running


def remark(tx: Session, session_id: int, noticed: Remark) -> Event | None:
    """Takes in what the pipeline noticed.

    Returns:
        The event of a name that was withdrawn for the first time, else None.

    Raises:
        SessionStateError: the session is closed.
        SessionError: the student was not on the roster when it was opened.
    """
    session = require_running(tx, session_id, noticed.student_id)
    if session.state is SessionState.PAUSED:
        return None
    if noticed.kind is RemarkKind.WITHDRAWN:
        return _withdraw(tx, session_id, noticed)
    _keep_near_miss(tx, session_id, noticed, session.model_id)
    return None


def _withdraw(tx: Session, session_id: int, noticed: Remark) -> Event | None:
    """Says that a name was withdrawn; a mark stays until a person looked, or the camera again."""
    found = find_record(tx, session_id, noticed.student_id)
    if found is not None and found.source is not Source.AUTO:
        return None
    is_known = found.doubted_at is not None if found else _is_told(tx, session_id, noticed)
    if is_known:
        return None
    if found is not None:
        found.doubted_at = noticed.at
    payload = figures(noticed) | {"is_marked": found is not None}
    student_id = noticed.student_id
    return append_event(tx, session_id, "doubted", noticed.at, payload, student_id=student_id)


def _is_told(tx: Session, session_id: int, noticed: Remark) -> bool:
    row = EventRow
    query = select(row.number).where(row.session_id == session_id, row.kind == "doubted")
    told = query.where(row.student_id == noticed.student_id).limit(1)
    return tx.scalar(told) is not None


def _keep_near_miss(tx: Session, session_id: int, noticed: Remark, model_id: str) -> None:
    """Keeps the best one of a student whom nothing stronger speaks for; no picture of it."""
    student = (session_id, noticed.student_id)
    if find_record(tx, *student) is not None or tx.get(ReviewRow, student) is not None:
        return
    keep_best_looks(tx, student, Decision.UNKNOWN, noticed.evidence, None, model_id)
    near = tx.get(NearMissRow, student)
    if near is None:
        near = NearMissRow(session_id=session_id, student_id=noticed.student_id, score=-2.0)
        tx.add(near)
    if noticed.score > near.score:
        near.at, near.similarity = noticed.at, noticed.similarity
        near.score, near.margin = noticed.score, noticed.margin
