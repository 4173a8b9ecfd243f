"""`attendance calibrate`: the threshold for a roster and a camera, and what to expect of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attendance.cli.context import Context, JsonOption, console, write_json
from attendance.core.errors import AttendanceError

if TYPE_CHECKING:
    from attendance.bootstrap import School
    from attendance.calibration import OperatingPoint
    from attendance.core.domain import FloatArray
    from attendance.evaluation.calibration import CalibrationReport
    from attendance.registry import NewTemplate
    from attendance.sessions import Camera, Course


def calibrate(
    context: typer.Context,
    course: Annotated[str, typer.Option(help="The code of the course.")],
    camera: Annotated[
        str | None, typer.Option(metavar="SRC", help="For this camera only; else for any.")
    ] = None,
    target_fpir: Annotated[
        float, typer.Option(min=1e-4, max=0.2, help="Share of unknown people who may get a name.")
    ] = 0.01,
    strangers: Annotated[
        int, typer.Option(min=1, max=1000, help="Unknown people a session is assumed to see.")
    ] = 10,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with tables and plots.")
    ] = None,
    json_target: JsonOption = None,
) -> None:
    """Find the threshold for a course from its enrolment, and keep it for its next sessions."""
    from attendance.evaluation.calibration_report import summary, write_report
    from attendance.evaluation.reports import check_targets

    check_targets(json_target, report)
    own: Context = context.obj
    with own.school() as school:
        chosen = school.sessions.find_course(course)
        seen_by = None if camera is None else school.sessions.camera(camera)
        figures = _figures(school, chosen, seen_by, target_fpir, strangers)
        point = _keep(school, chosen, seen_by, figures)
        names = {s.id: s.number for s in school.registry.student_names(point.students).values()}
    if report is not None:
        write_report(figures, course, names, report)
    for line in summary(figures, names):
        console(json_target).print(line)
    write_json(point, json_target)


def _figures(
    school: School, course: Course, camera: Camera | None, target_fpir: float, strangers: int
) -> CalibrationReport:
    from dataclasses import replace

    from attendance.calibration.background import shipped_background
    from attendance.core.cohort import centred
    from attendance.evaluation.calibration import calibrated
    from attendance.evaluation.searches import enrolment_of
    from attendance.evaluation.separation import separations, verdict

    model_id = school.model_id
    background = shipped_background(model_id)
    if background is None:
        raise AttendanceError(
            f"nobody has measured how strangers fare with {model_id}: `attendance evaluate "
            "background --images DIR` does, with photos of a few hundred people"
        )
    spaces = _spaces(school)
    templates, shifts = _templates(school, course, spaces), _shifts(school, camera, spaces)
    enrolment = enrolment_of(templates[model_id], model_id)
    if model_id in shifts:
        moved = centred(enrolment.embeddings, shifts[model_id])
        enrolment = replace(enrolment, embeddings=moved)
    decision = school.decision(model_id)
    found = calibrated(enrolment, background, decision, target_fpir, strangers)
    each = separations(templates, shifts, shipped_background, decision, target_fpir)
    return replace(found, separations=tuple(each), separates_best=verdict(each))


def _spaces(school: School) -> list[str]:
    """The embedding space in use, and those of the other embedders that are installed."""
    others = [school.models.model_id(name) for name in school.models.installed()]
    return list(dict.fromkeys([school.model_id, *others]))


def _templates(
    school: School, course: Course, spaces: list[str]
) -> dict[str, dict[int, list[NewTemplate]]]:
    """Those of today's roster, by embedding space and student."""
    from zoneinfo import ZoneInfo

    from attendance.bootstrap import utc_now

    today = utc_now().astimezone(ZoneInfo(course.timezone)).date()
    roster = school.sessions.roster(course.id, today)
    return {
        model_id: {one: school.registry.templates_of(one, model_id) for one in roster}
        for model_id in spaces
    }


def _shifts(school: School, camera: Camera | None, spaces: list[str]) -> dict[str, FloatArray]:
    """What the faces of the camera share, by embedding space; none of those it is not known to."""
    if camera is None:
        return {}
    found = {one: school.calibrations.cohort(camera.id, one) for one in spaces}
    return {one: kept.cohort.shift for one, kept in found.items() if kept is not None}


def _keep(
    school: School, course: Course, camera: Camera | None, figures: CalibrationReport
) -> OperatingPoint:
    from attendance.bootstrap import utc_now
    from attendance.calibration import OperatingPoint
    from attendance.evaluation.reports import as_json

    cohort = school.calibrations.cohort_version(camera.id, figures.model_id) if camera else None
    names = ("threshold", "review_threshold", "margin")
    return school.calibrations.keep_point(
        OperatingPoint(
            course_id=course.id,
            camera_id=camera.id if camera else None,
            model_id=figures.model_id,
            cohort_version=cohort[0] if cohort else None,
            thresholds={name: getattr(figures, name) for name in names},
            target_fpir=figures.target_fpir,
            strangers=figures.strangers,
            expected_false_accepts=figures.expected_false_accepts,
            students=figures.student_ids,
            too_alike=tuple((pair.first, pair.second) for pair in figures.too_alike),
            made_at=utc_now(),
            figures=as_json(figures),
        )
    )
