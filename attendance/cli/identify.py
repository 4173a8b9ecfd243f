"""`attendance identify`: the most alike enrolled people of a photo, as percentages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from attendance.cli.context import Context, JsonOption, console, write_json
from attendance.core.errors import AttendanceError, PhotoError

if TYPE_CHECKING:
    from attendance.registry import Student
    from attendance.search.look_alike import FoundFace


def identify(
    context: typer.Context,
    photo: Annotated[Path, typer.Argument(help="A picture with any number of faces.")],
    top: Annotated[int, typer.Option(min=1, max=50, help="People a face.")] = 5,
    course: Annotated[str | None, typer.Option(help="Among this course only.")] = None,
    json_target: JsonOption = None,
) -> None:
    """Say whom each face of a photo looks most like, and whether that would be a name."""
    from attendance.bootstrap import pipeline_rules, utc_now
    from attendance.search.look_alike import look_alikes
    from enroll.photos import read_photo

    own: Context = context.obj
    try:
        image = read_photo(photo.read_bytes(), own.config.enrollment)
    except OSError as error:
        raise AttendanceError(f"{photo} cannot be read: {error.strerror}") from error
    except PhotoError as error:
        raise AttendanceError(f"{photo}: {error}") from error
    with own.school() as school:
        people = {student.id: student for student in school.registry.students()}
        ids = list(people)
        if course is not None:
            ids = school.sessions.roster(school.sessions.find_course(course).id, utc_now().date())
        gallery = school.registry.gallery(ids, school.model_id)
        rules = pipeline_rules(school.rules().thresholds).decision
        with console(json_target).status("Looking"):
            faces = look_alikes(image, school.detector(), school.embedder(), gallery, rules, top)
    figures = [_figures(face, people) for face in faces]
    _show(figures, json_target)
    write_json({"faces": figures}, json_target)


def _figures(face: FoundFace, people: dict[int, Student]) -> dict[str, Any]:
    return {
        "box": list(face.box),
        "decision": face.decision.value,
        "candidates": [
            {
                "student_no": people[candidate.student_id].number,
                "name": people[candidate.student_id].name,
                "similarity": candidate.similarity,
                "percent": candidate.percent,
            }
            for candidate in face.candidates
        ],
    }


def _show(figures: list[dict[str, Any]], json_target: str | None) -> None:
    screen = console(json_target)
    if not figures:
        screen.print("There is no face in this photo.")
    for number, face in enumerate(figures, start=1):
        table = Table("alike", "student no", "name", title=f"Face {number}: {face['decision']}")
        for candidate in face["candidates"]:
            share = f"{candidate['percent']:.0f} %"
            table.add_row(share, candidate["student_no"], candidate["name"])
        screen.print(table)
