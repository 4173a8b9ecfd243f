"""Courses and their rosters, day by day."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from attendance.core.errors import SessionError, UnknownStudentError
from attendance.db.class_models import CourseRow, RosterEntryRow
from attendance.db.models import StudentRow
from attendance.sessions.models import Course
from attendance.sessions.text import clean_text


def add_course(tx: Session, code: str, name: str, timezone: str) -> Course:
    """A new course.

    Raises:
        SessionError: the code is taken, a text is empty or too long, or the time zone unknown.
    """
    code = clean_text(code, "a course code", longest=50)
    name = clean_text(name, "a course name", longest=200)
    if tx.scalar(select(CourseRow.id).where(CourseRow.code == code)) is not None:
        raise SessionError(f"a course with the code {code} exists already")
    row = CourseRow(code=code, name=name, timezone=_zone(timezone))
    tx.add(row)
    tx.flush()
    return as_course(row)


def all_courses(tx: Session) -> list[Course]:
    """Every course, by code."""
    return [as_course(row) for row in tx.scalars(select(CourseRow).order_by(CourseRow.code))]


def find_course(tx: Session, code: str) -> Course:
    """The course with this code.

    Raises:
        SessionError: there is none.
    """
    row = tx.scalar(
        select(CourseRow).where(CourseRow.code == unicodedata.normalize("NFC", code).strip())
    )
    if row is None:
        raise SessionError(f"no course has the code {code}")
    return as_course(row)


def require_course(tx: Session, course_id: int) -> CourseRow:
    """The course with this id.

    Raises:
        SessionError: there is none.
    """
    row = tx.get(CourseRow, course_id)
    if row is None:
        raise SessionError(f"no course has the id {course_id}")
    return row


def add_to_roster(
    tx: Session, course_id: int, student_ids: Iterable[int], from_date: date | None
) -> None:
    """Puts students on a roster from a day on; None for as long as the course exists.

    Raises:
        SessionError: no such course.
        UnknownStudentError: no such student; nobody was added.
    """
    require_course(tx, course_id)
    for student_id in dict.fromkeys(student_ids):
        if tx.get(StudentRow, student_id) is None:
            raise UnknownStudentError(f"no student has the id {student_id}")
        lasting = _lasting_entry(tx, course_id, student_id)
        if lasting is None:
            entry = RosterEntryRow(course_id=course_id, student_id=student_id, from_date=from_date)
            tx.add(entry)
        elif lasting.from_date is not None:
            lasting.from_date = None if from_date is None else min(lasting.from_date, from_date)


def remove_from_roster(tx: Session, course_id: int, student_id: int, to_date: date) -> None:
    """Ends a student's place on a roster; `to_date` is the last day on it.

    Raises:
        SessionError: the student is not on it.
    """
    lasting = _lasting_entry(tx, course_id, student_id)
    if lasting is None:
        raise SessionError(f"student {student_id} is not on the roster of course {course_id}")
    if lasting.from_date is not None and to_date < lasting.from_date:
        tx.delete(lasting)
    else:
        lasting.to_date = to_date


def roster(tx: Session, course_id: int, on: date) -> list[int]:
    """The ids of the students on the roster that day, by student number."""
    entry = RosterEntryRow
    query = (
        select(StudentRow.id)
        .join(entry, entry.student_id == StudentRow.id)
        .where(entry.course_id == course_id)
        .where(or_(entry.from_date.is_(None), entry.from_date <= on))
        .where(or_(entry.to_date.is_(None), entry.to_date >= on))
        .distinct()
        .order_by(StudentRow.number)
    )
    return list(tx.scalars(query))


def as_course(row: CourseRow) -> Course:
    """The facts of a row."""
    return Course(row.id, row.code, row.name, row.timezone)


def _lasting_entry(tx: Session, course_id: int, student_id: int) -> RosterEntryRow | None:
    entry = RosterEntryRow
    query = select(entry).where(
        entry.course_id == course_id, entry.student_id == student_id, entry.to_date.is_(None)
    )
    return tx.scalar(query)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise SessionError(f"no time zone is called {name!r}; try Asia/Seoul or UTC") from None
