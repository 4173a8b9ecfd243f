"""Today, the instructor's start: start a class, see what runs and what was."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attendance.core.errors import AttendanceError, CameraError, SessionError
from web.context import INSTRUCTOR, current_school, now, today_in
from web.problems import status_code
from web.schemas import ReachOut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attendance.calibration.in_force import InForce
    from attendance.sessions import Camera, ClassSession, Course

blueprint = Blueprint("today", __name__)


class SourceKind(StrEnum):
    """The kinds of camera a new source can be."""

    WEBCAM = "webcam"
    NETWORK = "network"
    FILE = "file"


@dataclass(frozen=True)
class CourseCard:
    """A course with the figures that matter before a start.

    Attributes:
        in_force: what a session would go by, before whatever camera.
        drift: what has been getting worse, in words.
    """

    course: Course
    roster: int
    enrolled: int
    in_force: InForce
    drift: list[str]


@blueprint.get("/")
def show() -> str:
    """The start page."""
    return _page(problem="", form={})


@blueprint.post("/sessions")
def start() -> ResponseReturnValue:
    """Start a session for a course and a camera."""
    try:
        session = _open(request.form)
    except AttendanceError as error:
        return _page(problem=str(error), form=request.form), status_code(error)
    return redirect(url_for("live.show", session_id=session.id), code=303)


def course_cards() -> list[CourseCard]:
    """Every course with its roster of today."""
    school = current_school()
    cards = []
    for course in school.sessions.courses():
        roster = school.sessions.roster(course.id, today_in(course.timezone))
        enrolled = school.registry.enrolled(roster, school.model_id)
        drift = [notice.words for notice in school.calibrations.drift(course.id)]
        card = CourseCard(course, len(roster), len(enrolled), school.in_force(course), drift)
        cards.append(card)
    return cards


def _page(problem: str, form: Mapping[str, str]) -> str:
    sessions = current_school().sessions
    cards = course_cards()
    running, cameras = sessions.running(), sessions.cameras()
    running_ids = {session.id for session in running}
    return render_template(
        "today.html",
        cards=cards,
        reach=ReachOut.of(current_school().config),
        chosen=form.get("course") or _likely_course(cards),
        cameras=cameras,
        known={camera.id: _people_seen(camera) for camera in cameras},
        busy={session.camera.id for session in running},
        running=running,
        recent=[session for session in sessions.recent() if session.id not in running_ids],
        now=now(),
        problem=problem,
        form=form,
        default_source=current_school().config.camera.source,
    )


def _people_seen(camera: Camera) -> int:
    """How many people a camera is known from; 0 for one whose light and lens are not known."""
    school = current_school()
    kept = school.calibrations.cohort_version(camera.id, school.model_id)
    return kept[2] if kept else 0


def _likely_course(cards: list[CourseCard]) -> str:
    """The first course somebody can come to."""
    return next((card.course.code for card in cards if card.roster), "")


def _open(form: Mapping[str, str]) -> ClassSession:
    school = current_school()
    if not form.get("course"):
        raise SessionError("Choose a course first.")
    course = school.sessions.find_course(form["course"])
    camera = _camera(form)
    return school.sessions.open(
        course.id,
        camera.id,
        at=now(),
        model_id=school.model_id,
        rules=school.rules(course, camera.id),
        pace="live",
        by=INSTRUCTOR,
    )


def _camera(form: Mapping[str, str]) -> Camera:
    sessions = current_school().sessions
    chosen = form.get("camera", "")
    if chosen and chosen != "new":
        return _known_camera(chosen)
    return sessions.camera(_new_source(form), name=form.get("camera_name", "").strip() or None)


def _known_camera(chosen: str) -> Camera:
    cameras = current_school().sessions.cameras()
    camera = next((camera for camera in cameras if str(camera.id) == chosen), None)
    if camera is None:
        raise CameraError(f"There is no camera {chosen!r} any more; choose another one.")
    return camera


def _kind(value: str) -> SourceKind:
    if value not in set(SourceKind):
        raise CameraError(f"There is no kind of camera called {value!r}.")
    return SourceKind(value)


def _new_source(form: Mapping[str, str]) -> str:
    """The source typed in, checked for what its kind looks like."""
    kind = _kind(form.get("kind", SourceKind.WEBCAM))
    source = form.get(f"source_{kind}", "").strip()
    if not source:
        raise CameraError(f"Say which {_KIND_WORDS[kind]} to use.")
    if kind is SourceKind.WEBCAM and not source.isdigit():
        raise CameraError(f"A webcam is chosen by its number, 0 for the first; got {source!r}.")
    is_url = source.startswith(("rtsp://", "rtsps://", "http://", "https://"))
    if kind is SourceKind.NETWORK and not is_url:
        raise CameraError("A network camera's address starts with rtsp:// or http://.")
    return source


_KIND_WORDS = {
    SourceKind.WEBCAM: "webcam",
    SourceKind.NETWORK: "network camera",
    SourceKind.FILE: "video file",
}
