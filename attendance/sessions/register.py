"""The register: one row for everybody who was on the roster when the session was opened."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from attendance.db.class_models import (
    AttendanceRecordRow,
    CropRow,
    ReviewRow,
    SessionRosterRow,
)
from attendance.db.models import StudentRow
from attendance.sessions.class_sessions import require_session
from attendance.sessions.models import RegisterRow


def register(tx: Session, session_id: int) -> list[RegisterRow]:
    """Every student of the session, by student number.

    Raises:
        SessionError: no such session.
    """
    require_session(tx, session_id)
    entry, record, review = SessionRosterRow, AttendanceRecordRow, ReviewRow
    query = (
        select(StudentRow, record, review)
        .join(entry, entry.student_id == StudentRow.id)
        .outerjoin(record, _same_student(record))
        .outerjoin(review, _same_student(review))
        .where(entry.session_id == session_id)
        .order_by(StudentRow.number)
    )
    pictured = select(CropRow.student_id).where(CropRow.session_id == session_id)
    shown = set(tx.scalars(pictured.distinct()))
    return [_row(*found, has_crop=found[0].id in shown) for found in tx.execute(query)]


def _same_student(
    table: type[AttendanceRecordRow] | type[ReviewRow],
) -> ColumnElement[bool]:
    entry = SessionRosterRow
    return and_(table.session_id == entry.session_id, table.student_id == entry.student_id)


def _row(
    student: StudentRow,
    found: AttendanceRecordRow | None,
    doubt: ReviewRow | None,
    *,
    has_crop: bool,
) -> RegisterRow:
    is_marked_by_camera = found is not None and found.score is not None
    figures = found if is_marked_by_camera else doubt
    return RegisterRow(
        student_id=student.id,
        number=student.number,
        name=student.name,
        status=found.status if found else None,
        source=found.source if found else None,
        first_seen=found.first_seen if found else None,
        last_seen=found.last_seen if found else None,
        seen_s=found.seen_s if found else 0.0,
        similarity=figures.similarity if figures else None,
        score=figures.score if figures else None,
        in_review=doubt is not None and doubt.settled_at is None,
        note=found.note if found else "",
        is_doubted=found is not None and found.doubted_at is not None,
        has_crop=has_crop,
    )
