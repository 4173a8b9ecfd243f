"""Courses and their rosters: who belongs where, and who is enrolled."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attendance.core.errors import AttendanceError, UnknownStudentError
from attendance.registry import Student
from web.context import current_school, find_course, find_student, today_in
from web.problems import status_code
from web.today import course_cards

blueprint = Blueprint("courses", __name__, url_prefix="/courses")


@blueprint.get("")
def show_all() -> str:
    """Every course."""
    return _list_page(problem="")


@blueprint.post("")
def add() -> ResponseReturnValue:
    """Add a course."""
    form = request.form
    try:
        course = current_school().sessions.add_course(
            form.get("code", "").strip(), form.get("name", "").strip(), form.get("timezone", "UTC")
        )
    except AttendanceError as error:
        return _list_page(problem=str(error)), status_code(error)
    return redirect(url_for("courses.show", code=course.code), code=303)


@blueprint.get("/<code>")
def show(code: str) -> str:
    """A course's roster."""
    return _roster_page(code, problem="")


@blueprint.post("/<code>/students")
def add_student(code: str) -> ResponseReturnValue:
    """Put a student on the roster, a new one or one the school knows."""
    course = find_course(code)
    number, name = request.form.get("number", "").strip(), request.form.get("name", "").strip()
    try:
        student = _known_or_new(number, name)
        today = today_in(course.timezone)
        current_school().sessions.add_to_roster(course.id, [student.id], from_date=today)
    except AttendanceError as error:
        return _roster_page(code, problem=str(error)), status_code(error)
    flash(f"{student.name} is on the roster. Next: five photos.", "success")
    return redirect(url_for("courses.show", code=code), code=303)


@blueprint.post("/<code>/students/<number>/remove")
def remove_student(code: str, number: str) -> ResponseReturnValue:
    """Take a student off the roster from today on; past registers stay."""
    course, student = find_course(code), find_student(number)
    yesterday = today_in(course.timezone) - timedelta(days=1)
    current_school().sessions.remove_from_roster(course.id, student.id, to_date=yesterday)
    flash(f"{student.name} is off the roster. Past registers stay as they are.", "success")
    return redirect(url_for("courses.show", code=code), code=303)


def _known_or_new(number: str, name: str) -> Student:
    """The student with this number; a name that does not fit is an error, not a rename."""
    registry = current_school().registry
    try:
        student = registry.find_student(number)
    except UnknownStudentError:
        return registry.add_student(number, name)
    if name and name != student.name:
        return registry.add_student(number, name)
    return student


def _list_page(problem: str) -> str:
    school = current_school()
    return render_template(
        "courses.html",
        cards=course_cards(),
        timezones=sorted(available_timezones()),
        default_timezone=school.config.session.timezone,
        problem=problem,
        form=request.form,
    )


def _roster_page(code: str, problem: str) -> str:
    school, course = current_school(), find_course(code)
    roster = school.sessions.roster(course.id, today_in(course.timezone))
    students = sorted(
        school.registry.student_names(roster).values(), key=lambda student: student.number
    )
    return render_template(
        "roster.html",
        course=course,
        students=students,
        enrolled=school.registry.enrolled(roster, school.model_id),
        in_force=school.in_force(course),
        drift=school.calibrations.drift(course.id),
        problem=problem,
        form=request.form,
    )
