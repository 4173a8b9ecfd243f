"""What every view stands on: the school it serves, the time now, and lookups that answer 404."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NoReturn, cast
from zoneinfo import ZoneInfo

from flask import abort, current_app

from attendance.bootstrap import utc_now as now
from attendance.core.errors import SessionError, UnknownStudentError

if TYPE_CHECKING:
    from attendance.bootstrap import School
    from attendance.registry import Student
    from attendance.sessions import ClassSession, Course

__all__ = [
    "INSTRUCTOR",
    "current_school",
    "find_course",
    "find_session",
    "find_student",
    "now",
    "today_in",
]

INSTRUCTOR = "instructor"
"""Who acts, until there are accounts."""


def current_school() -> School:
    """The school this application was made for."""
    return cast("School", current_app.extensions["school"])


def today_in(timezone: str) -> date:
    """The date it is now in a room's zone."""
    return now().astimezone(ZoneInfo(timezone)).date()


def find_session(session_id: int) -> ClassSession:
    """The class session, or a 404 page with the reason."""
    try:
        return current_school().sessions.get(session_id)
    except SessionError as error:
        _not_found(error)


def find_course(code: str) -> Course:
    """The course with this code, or a 404 page with the reason."""
    try:
        return current_school().sessions.find_course(code)
    except SessionError as error:
        _not_found(error)


def find_student(number: str) -> Student:
    """The student with this number, or a 404 page with the reason."""
    try:
        return current_school().registry.find_student(number)
    except UnknownStudentError as error:
        _not_found(error)


def _not_found(error: Exception) -> NoReturn:
    abort(404, description=str(error))
