"""Why the register says what it says of one student: figures, and the pictures still there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from attendance.core.domain import Decision
from attendance.db.class_models import (
    AttendanceRecordRow,
    ClassSessionRow,
    EvidenceRow,
    NearMissRow,
    ReviewRow,
)
from attendance.db.models import TemplateRow
from attendance.sessions.class_sessions import as_session, require_session
from attendance.sessions.crops import CropKeeper
from attendance.sessions.events import events_about
from attendance.sessions.looks import looks_of
from attendance.sessions.models import Claim, Event, Explanation, KeptLook


def explain(
    tx: Session, session_id: int, student_id: int, crops: CropKeeper | None, at: datetime
) -> Explanation:
    """What a student's row rests on.

    Args:
        tx: to read from.
        session_id: of the register.
        student_id: of the row.
        crops: None shows no pictures.
        at: now; crops whose days are over are not shown, deleted or not.

    Raises:
        SessionError: no such session.
    """
    session = require_session(tx, session_id)
    found = tx.scalar(
        select(AttendanceRecordRow).where(
            AttendanceRecordRow.session_id == session_id,
            AttendanceRecordRow.student_id == student_id,
        )
    )
    review = tx.get(ReviewRow, (session_id, student_id))
    rows = looks_of(tx, session_id, student_id)
    ids = crops.live_ids(tx, session_id, student_id, at) if crops is not None else {}
    return Explanation(
        session=as_session(session),
        student_id=student_id,
        status=found.status if found else None,
        source=found.source if found else None,
        note=found.note if found else "",
        in_review=review is not None and review.settled_at is None,
        claim=_claim(tx, session_id, student_id, found, review),
        doubted_at=found.doubted_at if found else None,
        watched=session.covered_s / max(_window_s(session, at), session.covered_s, 1e-9),
        is_enrolled=_is_enrolled(tx, student_id, session.model_id),
        evidence=tuple(_look(row, ids.get(row.id)) for row in rows),
        events=tuple(_about_one(event) for event in events_about(tx, session_id, student_id)),
    )


def _about_one(event: Event) -> Event:
    """Without the lists of everybody that closing events hold."""
    own = {key: value for key, value in event.payload.items() if not isinstance(value, list)}
    return replace(event, payload=own)


def _claim(
    tx: Session,
    session_id: int,
    student_id: int,
    found: AttendanceRecordRow | None,
    review: ReviewRow | None,
) -> Claim | None:
    """The strongest thing the camera said: a mark, else a doubt, else a near miss."""
    if found is not None and found.score is not None and found.first_seen is not None:
        similarity, margin = found.similarity or 0.0, found.margin or 0.0
        seen = (found.first_seen, found.last_seen or found.first_seen)
        return Claim(Decision.ACCEPT, *seen, similarity, found.score, margin, found.looks)
    near = tx.get(NearMissRow, (session_id, student_id))
    if review is not None:
        at, decision, row = review.opened_at, Decision.REVIEW, review
        return Claim(decision, at, at, row.similarity, row.score, row.margin)
    if near is not None:
        return Claim(Decision.UNKNOWN, near.at, near.at, near.similarity, near.score, near.margin)
    return None


def _window_s(session: ClassSessionRow, at: datetime) -> float:
    return ((session.closed_at or at) - session.opened_at).total_seconds()


def _is_enrolled(tx: Session, student_id: int, model_id: str) -> bool:
    mine = (TemplateRow.student_id == student_id) & (TemplateRow.model_id == model_id)
    return tx.scalar(select(TemplateRow.id).where(mine).limit(1)) is not None


def _look(row: EvidenceRow, crop_id: str | None) -> KeptLook:
    return KeptLook(
        row.at,
        row.similarity,
        row.score,
        row.margin,
        row.quality,
        row.flaw,
        row.second,
        row.decision,
        crop_id,
    )
