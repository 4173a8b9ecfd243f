"""Closing a register: everybody on the roster ends with a status and a source.

A pause counts as time in which the camera did not look: who came during a long break was seen by
nobody, so the register then asks a person instead of saying absent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from attendance.core.domain import SessionState, Source, Status
from attendance.core.errors import SessionStateError
from attendance.core.policy import needs_instructor
from attendance.db.class_models import AttendanceRecordRow, ReviewRow, SessionRosterRow
from attendance.sessions.class_sessions import RUNNING, as_session, require_session
from attendance.sessions.events import append_event
from attendance.sessions.models import ClassSession


def close(tx: Session, session_id: int, at: datetime, by: str) -> ClassSession:
    """Gives everybody on the roster a status. A paused session can be closed as well.

    An open doubt ends unresolved. Everybody else not seen is absent if the camera did look, and
    unresolved until a person settles it if it did not.

    Raises:
        SessionStateError: the session is closed already.
    """
    row = require_session(tx, session_id)
    if row.state not in RUNNING:
        raise SessionStateError(f"session {session_id} is closed already")
    window_s = (at - row.opened_at).total_seconds()
    is_unsure = needs_instructor(row.covered_s, window_s, row.rules["min_coverage"])
    doubtful, unseen = _without_record(tx, session_id)
    rest = Status.UNRESOLVED if is_unsure else Status.ABSENT
    _add_records(tx, session_id, doubtful, Status.UNRESOLVED, Source.AUTO)
    _add_records(tx, session_id, unseen, rest, Source.ROSTER)
    row.state = SessionState.NEEDS_INSTRUCTOR if is_unsure else SessionState.CLOSED
    row.closed_at, row.look_again_at = at, None
    payload = {
        "absent": [] if is_unsure else unseen,
        "unresolved": unseen if is_unsure else [],
        "review": doubtful,
        "covered_s": row.covered_s,
        "window_s": window_s,
        "by": by,
    }
    append_event(tx, session_id, row.state.value, at, payload)
    return as_session(row)


def settle(tx: Session, session_id: int, at: datetime, by: str) -> ClassSession:
    """A person takes the rest of an uncertain register as absent; open doubts stay open.

    Raises:
        SessionStateError: the session does not wait for an instructor.
    """
    row = require_session(tx, session_id)
    if row.state is not SessionState.NEEDS_INSTRUCTOR:
        raise SessionStateError(f"session {session_id} does not wait for an instructor")
    record = AttendanceRecordRow
    query = select(record).where(
        record.session_id == session_id,
        record.status == Status.UNRESOLVED,
        record.source == Source.ROSTER,
    )
    settled = list(tx.scalars(query.order_by(record.student_id)))
    for found in settled:
        found.status, found.source = Status.ABSENT, Source.HUMAN
    row.state = SessionState.CLOSED
    payload = {"absent": [found.student_id for found in settled], "by": by}
    append_event(tx, session_id, "settled", at, payload)
    return as_session(row)


def _without_record(tx: Session, session_id: int) -> tuple[list[int], list[int]]:
    """Students of the snapshot nobody has marked: those in doubt, and those not seen at all."""
    entry, record, review = SessionRosterRow, AttendanceRecordRow, ReviewRow
    marked = select(record.student_id).where(record.session_id == session_id)
    query = select(entry.student_id).where(
        entry.session_id == session_id, entry.student_id.not_in(marked)
    )
    students = list(tx.scalars(query.order_by(entry.student_id)))
    doubts = set(tx.scalars(select(review.student_id).where(review.session_id == session_id)))
    return (
        [student for student in students if student in doubts],
        [student for student in students if student not in doubts],
    )


def _add_records(
    tx: Session, session_id: int, student_ids: Iterable[int], status: Status, source: Source
) -> None:
    tx.add_all(
        AttendanceRecordRow(
            session_id=session_id, student_id=student_id, status=status, source=source
        )
        for student_id in student_ids
    )
