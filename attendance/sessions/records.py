"""Attendance records: what the camera reports and what a person decides.

The machine marks a student once. After that it only adds when and how long the student was seen;
a person's decision it never touches.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from attendance.core.domain import (
    Decision,
    LookEvidence,
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
    EvidenceRow,
    ReviewRow,
    SessionRosterRow,
)
from attendance.sessions.class_sessions import RUNNING, require_session
from attendance.sessions.events import append_event
from attendance.sessions.models import Event
from attendance.sessions.text import clean_text

KEPT_LOOKS = 5
REASON_LENGTH = 500


def record(tx: Session, session_id: int, sighting: Sighting) -> Event | None:
    """Takes in what the pipeline saw.

    Returns:
        The event of a first mark or a first doubt; None for a repeat, and while paused.

    Raises:
        SessionStateError: the session is closed.
        SessionError: the student was not on the roster when it was opened.
    """
    session = require_session(tx, session_id)
    if session.state not in RUNNING:
        raise SessionStateError(f"session {session_id} is closed; nobody is recorded any more")
    _require_on_roster(tx, session_id, sighting.student_id)
    if session.state is SessionState.PAUSED or sighting.decision is Decision.UNKNOWN:
        return None
    found = _find_record(tx, session_id, sighting.student_id)
    if sighting.decision is Decision.REVIEW:
        return _doubt(tx, session_id, sighting) if found is None else None
    _keep_best_looks(tx, session_id, sighting.student_id, sighting.evidence)
    if found is None:
        return _arrive(tx, session, sighting)
    _see_again(found, sighting)
    return None


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
    _require_on_roster(tx, session_id, student_id)
    reason = clean_text(reason, "a reason", longest=REASON_LENGTH, shortest=0)
    found = _find_record(tx, session_id, student_id)
    was = (None, None) if found is None else (found.status.value, found.source.value)
    if found is None:
        found = AttendanceRecordRow(session_id=session_id, student_id=student_id)
        tx.add(found)
    found.status, found.source, found.note = status, Source.HUMAN, reason
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


def best_looks(tx: Session, session_id: int, student_id: int) -> list[LookEvidence]:
    """The looks kept of a student in a session, best score first."""
    rows = _looks(tx, session_id, student_id)
    looks = [LookEvidence(r.at, r.similarity, r.score, r.margin, r.quality) for r in rows]
    return sorted(looks, key=_worth, reverse=True)


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
        )
    )
    _settle_review(tx, session.id, sighting.student_id, sighting.at)
    payload = {"status": status.value, "source": Source.AUTO.value} | _figures(sighting)
    student_id = sighting.student_id
    return append_event(tx, session.id, "arrival", sighting.at, payload, student_id=student_id)


def _see_again(found: AttendanceRecordRow, sighting: Sighting) -> None:
    """Adds when and how long; who was marked by hand keeps that mark."""
    found.first_seen = found.first_seen or sighting.at
    found.last_seen = max(found.last_seen or sighting.at, sighting.at)
    found.seen_s += sighting.seen_s
    if found.score is None or sighting.score > found.score:
        found.similarity, found.score = sighting.similarity, sighting.score
        found.margin = sighting.margin


def _doubt(tx: Session, session_id: int, sighting: Sighting) -> Event | None:
    """Opens the student's one review of this session, or keeps its best figures."""
    student_id = sighting.student_id
    _keep_best_looks(tx, session_id, student_id, sighting.evidence)
    review = tx.get(ReviewRow, (session_id, student_id))
    if review is not None:
        if sighting.score > review.score:
            review.similarity, review.score = sighting.similarity, sighting.score
            review.margin = sighting.margin
        return None
    figures = _figures(sighting)
    review = ReviewRow(session_id=session_id, student_id=student_id, opened_at=sighting.at)
    review.similarity, review.score = sighting.similarity, sighting.score
    review.margin = sighting.margin
    tx.add(review)
    return append_event(tx, session_id, "review", sighting.at, figures, student_id=student_id)


def _settle_review(tx: Session, session_id: int, student_id: int, at: datetime) -> None:
    review = tx.get(ReviewRow, (session_id, student_id))
    if review is not None and review.settled_at is None:
        review.settled_at = at


def _keep_best_looks(
    tx: Session, session_id: int, student_id: int, looks: Sequence[LookEvidence]
) -> None:
    if not looks:
        return
    rows = {row.at: row for row in _looks(tx, session_id, student_id)}
    for look in looks:
        if look.at not in rows:
            rows[look.at] = _look_row(session_id, student_id, look)
    kept = sorted(rows.values(), key=_worth, reverse=True)[:KEPT_LOOKS]
    for row in rows.values():
        if row in kept:
            tx.add(row)
        elif row in tx:
            tx.delete(row)


def _look_row(session_id: int, student_id: int, look: LookEvidence) -> EvidenceRow:
    return EvidenceRow(
        session_id=session_id,
        student_id=student_id,
        at=look.at,
        similarity=look.similarity,
        score=look.score,
        margin=look.margin,
        quality=look.quality,
    )


def _require_on_roster(tx: Session, session_id: int, student_id: int) -> None:
    if tx.get(SessionRosterRow, (session_id, student_id)) is None:
        raise SessionError(
            f"student {student_id} was not on the roster when session {session_id} was opened"
        )


def _find_record(tx: Session, session_id: int, student_id: int) -> AttendanceRecordRow | None:
    row = AttendanceRecordRow
    return tx.scalar(select(row).where(row.session_id == session_id, row.student_id == student_id))


def _looks(tx: Session, session_id: int, student_id: int) -> Sequence[EvidenceRow]:
    row = EvidenceRow
    query = select(row).where(row.session_id == session_id, row.student_id == student_id)
    return tx.scalars(query).all()


def _worth(look: LookEvidence | EvidenceRow) -> tuple[float, float]:
    return look.score, look.quality


def _figures(sighting: Sighting) -> dict[str, float]:
    return {
        "similarity": sighting.similarity,
        "score": sighting.score,
        "margin": sighting.margin,
    }
