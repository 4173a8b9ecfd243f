"""The numbered events of a session: what screens catch up from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from attendance.db.class_models import ClassSessionRow, EventRow
from attendance.sessions.models import Event

CLOSING_KINDS = ("closed", "needs_instructor", "settled")


def append_event(
    tx: Session,
    session_id: int,
    kind: str,
    at: datetime,
    payload: dict[str, Any],
    *,
    student_id: int | None = None,
) -> Event:
    """Adds the next event; its number is taken in the same transaction as what it tells."""
    session = ClassSessionRow
    number = tx.scalars(
        update(session)
        .where(session.id == session_id)
        .values(last_event=session.last_event + 1)
        .returning(session.last_event)
    ).one()
    row = EventRow(
        session_id=session_id,
        number=number,
        kind=kind,
        at=at,
        student_id=student_id,
        payload=payload,
    )
    tx.add(row)
    return _as_event(row)


def events_after(tx: Session, session_id: int, number: int, limit: int) -> list[Event]:
    """The events after that number, oldest first, `limit` at most."""
    query = (
        select(EventRow)
        .where(EventRow.session_id == session_id, EventRow.number > number)
        .order_by(EventRow.number)
        .limit(limit)
    )
    return [_as_event(row) for row in tx.scalars(query)]


def events_about(tx: Session, session_id: int, student_id: int) -> list[Event]:
    """A student's own events and those that closed the session, oldest first."""
    query = (
        select(EventRow)
        .where(EventRow.session_id == session_id)
        .where(or_(EventRow.student_id == student_id, EventRow.kind.in_(CLOSING_KINDS)))
        .order_by(EventRow.number)
    )
    return [_as_event(row) for row in tx.scalars(query)]


def _as_event(row: EventRow) -> Event:
    return Event(row.session_id, row.number, row.kind, row.at, row.student_id, row.payload)
