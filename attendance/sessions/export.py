"""Attendance logs: one row a student and session, in the time zone of the course."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from attendance.core.domain import SessionState, Source, Status
from attendance.db.class_models import ClassSessionRow
from attendance.sessions.class_sessions import as_session, require_session
from attendance.sessions.models import ClassSession, RegisterRow
from attendance.sessions.register import register

BYTE_ORDER_MARK = "\ufeff"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class ExportRow:
    """One student in one session; times are aware, in the course's time zone.

    Attributes:
        status: None while the session runs and nothing is known yet.
        state: of the session, so that an open register is not taken for a final one.
        note: the reason of the last correction.
    """

    course_code: str
    course_name: str
    session_id: int
    opened_at: datetime
    closed_at: datetime | None
    student_no: str
    name: str
    status: Status | None
    source: Source | None
    first_seen: datetime | None
    last_seen: datetime | None
    minutes_seen: float
    state: SessionState
    note: str


def session_ids(
    tx: Session, course_id: int | None, from_date: date | None, to_date: date | None
) -> list[int]:
    """The sessions opened on these days, both included, as the course's time zone counts them."""
    query = select(ClassSessionRow).order_by(ClassSessionRow.opened_at, ClassSessionRow.id)
    if course_id is not None:
        query = query.where(ClassSessionRow.course_id == course_id)
    return [
        row.id
        for row in tx.scalars(query)
        if _is_between(row.opened_at, row.course.timezone, from_date, to_date)
    ]


def session_rows(tx: Session, session_id: int) -> list[ExportRow]:
    """The rows of one session, by student number."""
    session = as_session(require_session(tx, session_id))
    return [_export_row(session, row) for row in register(tx, session_id)]


def write_csv(rows: Iterable[ExportRow], file: TextIO) -> int:
    """Writes a CSV a spreadsheet opens as it is: UTF-8 with a byte order mark, times in ISO 8601.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front. Open the file
    with `encoding="utf-8", newline=""`.

    Returns:
        How many rows were written, the header not counted.
    """
    file.write(BYTE_ORDER_MARK)
    writer = csv.writer(file)
    writer.writerow([field.name for field in fields(ExportRow)])
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 (the count is the answer)
        writer.writerow([_cell(value) for value in _values(row)])
    return count


def _is_between(
    opened_at: datetime, timezone: str, from_date: date | None, to_date: date | None
) -> bool:
    day = opened_at.astimezone(ZoneInfo(timezone)).date()
    return (from_date is None or from_date <= day) and (to_date is None or day <= to_date)


def _export_row(session: ClassSession, row: RegisterRow) -> ExportRow:
    zone = ZoneInfo(session.course.timezone)
    return ExportRow(
        course_code=session.course.code,
        course_name=session.course.name,
        session_id=session.id,
        opened_at=session.opened_at.astimezone(zone),
        closed_at=_in_zone(session.closed_at, zone),
        student_no=row.number,
        name=row.name,
        status=row.status,
        source=row.source,
        first_seen=_in_zone(row.first_seen, zone),
        last_seen=_in_zone(row.last_seen, zone),
        minutes_seen=round(row.seen_s / 60, 1),
        state=session.state,
        note=row.note,
    )


def _in_zone(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    return None if at is None else at.astimezone(zone)


def _values(row: ExportRow) -> list[Any]:
    return [getattr(row, field.name) for field in fields(row)]


def _cell(value: Any) -> str:
    """A value as a spreadsheet may read it.

    >>> _cell("=1+1"), _cell(None), _cell(2.5)
    ("'=1+1", '', '2.5')
    """
    if value is None:
        return ""
    text = value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
