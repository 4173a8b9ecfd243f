"""`attendance enroll`, `erase` and `course`: who is who, and who belongs where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attendance.cli.context import Context, JsonOption, console, write_json
from attendance.core.errors import ConsentMissingError, EnrollmentError

if TYPE_CHECKING:
    from attendance.core.domain import Pose

courses = typer.Typer(no_args_is_help=True, help="Courses and who is in them.")


def enroll(
    context: typer.Context,
    student_no: Annotated[str, typer.Argument(help="The student number.")],
    photos: Annotated[
        list[Path],
        typer.Argument(help="Five photos: front, smile, glasses, lower-left, lower-right."),
    ],
    name: Annotated[str, typer.Option(help="The student's name.")],
    course: Annotated[str | None, typer.Option(help="Put the student into this course.")] = None,
    consent: Annotated[bool, typer.Option("--consent", help="The student has agreed.")] = False,
    language: Annotated[str, typer.Option(help="Of the consent text: en or ko.")] = "en",
    json_target: JsonOption = None,
) -> None:
    """Enrol a student from five photos, in the order of the poses or named after them."""
    from attendance.bootstrap import utc_now
    from enroll.admission import Applicant, admit
    from enroll.enrollment import Enroller

    own: Context = context.obj
    by_pose = {pose: path.read_bytes() for pose, path in _by_pose(photos).items()}
    _ask_consent(language, is_given=consent)
    screen = console(json_target)
    with own.school() as school:
        course_id = None if course is None else school.sessions.find_course(course).id
        with screen.status("Looking at the photos"):
            limits = own.config.enrollment
            enroller = Enroller(school.detector(), school.embedders(), school.registry, limits)
            applicant = Applicant(student_no, name, language)
            student, result = admit(enroller, school.registry, applicant, by_pose, at=utc_now())
        if course_id is not None:
            school.sessions.add_to_roster(course_id, [student.id])
    screen.print(f"{name} ({student_no}) is enrolled with {result.templates} templates.")
    write_json({"student_no": student_no, "templates": result.templates}, json_target)


def _by_pose(photos: list[Path]) -> dict[Pose, Path]:
    """Which photo is which pose: by their names if all tell, else by their order."""
    from attendance.core.domain import Pose
    from enroll.poses import pose_of_file

    if len(photos) != len(Pose):
        raise EnrollmentError(
            f"five photos are needed ({', '.join(Pose)}), {len(photos)} were given"
        )
    missing = [str(path) for path in photos if not path.is_file()]
    if missing:
        raise EnrollmentError(f"there is no file {', '.join(missing)}")
    named = {pose_of_file(path.name): path for path in photos}
    if None not in named and len(named) == len(Pose):
        return {pose: path for pose, path in named.items() if pose is not None}
    return dict(zip(Pose, photos, strict=True))


def _ask_consent(language: str, *, is_given: bool) -> None:
    from enroll.consent import consent_text

    if is_given:
        return
    typer.echo(consent_text(language), err=True)
    if not typer.confirm("Has the student agreed?", err=True):
        raise ConsentMissingError("without the student's consent nothing is stored")


def erase(
    context: typer.Context,
    student_no: Annotated[str, typer.Argument(help="The student number.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a student's name, templates and encryption key; attendance records stay, nameless."""
    own: Context = context.obj
    with own.school() as school:
        student = school.registry.find_student(student_no)
        if not yes:
            typer.confirm(f"Erase {student.name} ({student_no}) for good?", abort=True)
        school.registry.erase(student.id)
    typer.echo(f"{student_no} is erased.")


@courses.command("add")
def add_course(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="Such as CS101.")],
    name: Annotated[str, typer.Option(help="What it is called.")],
    timezone: Annotated[str | None, typer.Option(help="Such as Asia/Seoul.")] = None,
    students: Annotated[
        list[str] | None, typer.Option("--student", help="A student number; may be repeated.")
    ] = None,
) -> None:
    """Add a course, with students who are known already."""
    own: Context = context.obj
    with own.school() as school:
        ids = [school.registry.find_student(number).id for number in students or []]
        course = school.sessions.add_course(code, name, timezone or own.config.session.timezone)
        school.sessions.add_to_roster(course.id, ids)
    typer.echo(f"Course {code} has {len(ids)} students.")


@courses.command("list")
def list_courses(context: typer.Context, json_target: JsonOption = None) -> None:
    """List the courses with how many students are in each."""
    from attendance.bootstrap import utc_now

    own: Context = context.obj
    with own.school() as school:
        rows = [
            {
                "code": course.code,
                "name": course.name,
                "timezone": course.timezone,
                "students": len(school.sessions.roster(course.id, utc_now().date())),
            }
            for course in school.sessions.courses()
        ]
    for row in rows:
        console(json_target).print(f"{row['code']}  {row['name']}  {row['students']} students")
    write_json(rows, json_target)
