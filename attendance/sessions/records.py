"""Attendance records: what the camera reports and what a person decides.

The machine marks a student once. After that it only adds when and how long the student was seen;
a person's decision it never touches.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from attendance.core.domain import (
    Decision,
    Remark,
    SessionState,
    Sighting,
    Source,
    Status,
)
from attendance.core.errors import SessionError, SessionStateError
from attendance.core.policy import status_at
from attendance.db.class_models import (
    AttendanceRecordRow,
    ClassSessionRow,
    ReviewRow,
    SessionRosterRow,
)
from attendance.sessions.class_sessions import RUNNING, require_session
from attendance.sessions.crops import CropKeeper, forget_crops
from attendance.sessions.events import append_event
from attendance.sessions.looks import keep_best_looks
from attendance.sessions.models import Event
from attendance.sessions.text import clean_text

REASON_LENGTH = 500


def record(
    tx: Session, session_id: int, sighting: Sighting, crops: CropKeeper | None = None
) -> Event | None:
    """Takes in what the pipeline saw.

    Returns:
        The event of a first mark, a first doubt or of a doubted mark that is confirmed; None for
        a repeat, and while paused.

    Raises:
        SessionStateError: the session is closed.
        SessionError: the student was not on the roster when it was opened.
    """
    session = require_running(tx, session_id, sighting.student_id)
    if session.state is SessionState.PAUSED or sighting.decision is Decision.UNKNOWN:
        return None
    student, decision = (session_id, sighting.student_id), sighting.decision
    found = find_record(tx, *student)
    if found is None and _has_double(session, sighting.student_id):
        decision = Decision.REVIEW
    if decision is Decision.REVIEW and found is not None:
        return None
    keep_best_looks(tx, student, decision, sighting.evidence, crops, session.model_id)
    if decision is Decision.REVIEW:
        return _doubt(tx, session_id, sighting)
    if found is None:
        return _arrive(tx, session, sighting)
    return _see_again(tx, found, sighting)


def _has_double(session: ClassSessionRow, student_id: int) -> bool:
    """Whether calibration found somebody whom the camera cannot tell from this student."""
    return any(student_id in pair for pair in session.rules.get("too_alike", ()))


def correct(
    tx: Session,
    session_id: int,
    student_id: int,
    status: Status,
    *,
    reason: str,
    by: str,
    at: datetime,
) -> Event:
    """A person decides, at any time, also after the session was closed.

    Raises:
        SessionError: the student was not on the roster, or the reason is no plain short text.
    """
    require_session(tx, session_id)
    require_on_roster(tx, session_id, student_id)
    reason = clean_text(reason, "a reason", longest=REASON_LENGTH, shortest=0)
    found = find_record(tx, session_id, student_id)
    was = (None, None) if found is None else (found.status.value, found.source.value)
    if found is None:
        found = AttendanceRecordRow(session_id=session_id, student_id=student_id)
        tx.add(found)
    found.status, found.source, found.note = status, Source.HUMAN, reason
    found.doubted_at = None
    if status is Status.ABSENT:
        forget_crops(tx, session_id, student_id)
    _settle_review(tx, session_id, student_id, at)
    payload = {
        "status": status.value,
        "source": Source.HUMAN.value,
        "reason": reason,
        "by": by,
        "was_status": was[0],
        "was_source": was[1],
    }
    return append_event(tx, session_id, "corrected", at, payload, student_id=student_id)


def _arrive(tx: Session, session: ClassSessionRow, sighting: Sighting) -> Event:
    status = status_at(session.opened_at, sighting.at, session.rules["late_after_s"])
    tx.add(
        AttendanceRecordRow(
            session_id=session.id,
            student_id=sighting.student_id,
            status=status,
            source=Source.AUTO,
            first_seen=sighting.at,
            last_seen=sighting.at,
            seen_s=sighting.seen_s,
            similarity=sighting.similarity,
            score=sighting.score,
            margin=sighting.margin,
            looks=sighting.looks,
        )
    )
    _settle_review(tx, session.id, sighting.student_id, sighting.at)
    payload = {"status": status.value, "source": Source.AUTO.value} | figures(sighting)
    student_id = sighting.student_id
    return append_event(tx, session.id, "arrival", sighting.at, payload, student_id=student_id)


def _see_again(tx: Session, found: AttendanceRecordRow, sighting: Sighting) -> Event | None:
    """Adds when and how long; who was marked by hand keeps that mark."""
    found.first_seen = found.first_seen or sighting.at
    found.last_seen = max(found.last_seen or sighting.at, sighting.at)
    found.seen_s += sighting.seen_s
    found.looks += sighting.looks
    if found.score is None or sighting.score > found.score:
        found.similarity, found.score = sighting.similarity, sighting.score
        found.margin = sighting.margin
    if found.doubted_at is None or sighting.at <= found.doubted_at:
        return None
    found.doubted_at = None
    payload, session_id = figures(sighting), found.session_id
    return append_event(
        tx, session_id, "confirmed", sighting.at, payload, student_id=found.student_id
    )


def _doubt(tx: Session, session_id: int, sighting: Sighting) -> Event | None:
    """Opens the student's one review of this session, or keeps its best figures."""
    student_id = sighting.student_id
    review = tx.get(ReviewRow, (session_id, student_id))
    if review is not None:
        if sighting.score > review.score:
            review.similarity, review.score = sighting.similarity, sighting.score
            review.margin = sighting.margin
        return None
    review = ReviewRow(session_id=session_id, student_id=student_id, opened_at=sighting.at)
    review.similarity, review.score = sighting.similarity, sighting.score
    review.margin = sighting.margin
    tx.add(review)
    payload = figures(sighting)
    return append_event(tx, session_id, "review", sighting.at, payload, student_id=student_id)


def _settle_review(tx: Session, session_id: int, student_id: int, at: datetime) -> None:
    review = tx.get(ReviewRow, (session_id, student_id))
    if review is not None and review.settled_at is None:
        review.settled_at = at


def require_running(tx: Session, session_id: int, student_id: int) -> ClassSessionRow:
    """The session, where it still takes in what a camera saw of this student.

    Raises:
        SessionStateError: the session is closed.
        SessionError: the student was not on the roster when it was opened.
    """
    session = require_session(tx, session_id)
    if session.state not in RUNNING:
        raise SessionStateError(f"session {session_id} is closed; nobody is recorded any more")
    require_on_roster(tx, session_id, student_id)
    return session


def require_on_roster(tx: Session, session_id: int, student_id: int) -> None:
    """Raises `SessionError` where the student was not on it when the session was opened."""
    if tx.get(SessionRosterRow, (session_id, student_id)) is None:
        raise SessionError(
            f"student {student_id} was not on the roster when session {session_id} was opened"
        )


def find_record(tx: Session, session_id: int, student_id: int) -> AttendanceRecordRow | None:
    """What the register says of a student, None before anything does."""
    row = AttendanceRecordRow
    return tx.scalar(select(row).where(row.session_id == session_id, row.student_id == student_id))


def figures(fact: Sighting | Remark) -> dict[str, float]:
    """What an event tells of a sighting."""
    return {
        "similarity": fact.similarity,
        "score": fact.score,
        "margin": fact.margin,
    }
