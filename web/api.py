"""The REST API: what the pages' scripts use and any other program on this machine may.

Its OpenAPI document is served at `/openapi.json`. Errors are `{"message": sentence}`; requests
that change something carry the CSRF token of a page in the header `X-CSRFToken`.
"""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import request

from attendance.core.domain import Pose
from attendance.core.errors import PhotoError, PhotoProblem, SessionError
from web.camera_watch import camera_now
from web.context import INSTRUCTOR, current_school, find_session, find_student, now
from web.enrollment import current_enroller, enroll_student, photos_of, require_consent
from web.live_events import BATCH, register_message
from web.schemas import (
    CameraOut,
    CorrectionIn,
    CourseOut,
    CoursesOut,
    EnrollmentOut,
    EventOut,
    EventsOut,
    PhotoOut,
    RegisterOut,
    SessionOut,
    SessionsOut,
)
from web.why_schemas import WhyOut

blueprint = APIBlueprint("api", __name__, url_prefix="/api", tag="Attendance")


@blueprint.get("/courses")
@blueprint.output(CoursesOut)
def list_courses() -> Any:
    """Every course."""
    courses = current_school().sessions.courses()
    return CoursesOut(courses=[CourseOut.of(course) for course in courses])


@blueprint.get("/sessions")
@blueprint.output(SessionsOut)
def list_running() -> Any:
    """The sessions that run now."""
    running = current_school().sessions.running()
    return SessionsOut(sessions=[SessionOut.of(session) for session in running])


@blueprint.get("/sessions/<int:session_id>")
@blueprint.output(SessionOut)
def show_session(session_id: int) -> Any:
    """One session."""
    return SessionOut.of(find_session(session_id))


@blueprint.get("/sessions/<int:session_id>/register")
@blueprint.output(RegisterOut)
def show_register(session_id: int) -> Any:
    """The register of a session as it stands."""
    find_session(session_id)
    return register_message(current_school(), session_id)


@blueprint.get("/sessions/<int:session_id>/events")
@blueprint.output(EventsOut)
def list_events(session_id: int) -> Any:
    """The events of a session after the number `after` (0 for all), oldest first."""
    find_session(session_id)
    after = request.args.get("after", default=0, type=int)
    events = current_school().sessions.events_after(session_id, after, limit=BATCH)
    return EventsOut(events=[EventOut.of(event) for event in events], more=len(events) == BATCH)


@blueprint.post("/sessions/<int:session_id>/pause")
@blueprint.output(SessionOut)
def pause(session_id: int) -> Any:
    """Stop looking for a while."""
    find_session(session_id)
    current_school().sessions.pause(session_id, at=now(), by=INSTRUCTOR)
    return SessionOut.of(find_session(session_id))


@blueprint.post("/sessions/<int:session_id>/resume")
@blueprint.output(SessionOut)
def resume(session_id: int) -> Any:
    """Look again."""
    find_session(session_id)
    current_school().sessions.resume(session_id, at=now(), by=INSTRUCTOR)
    return SessionOut.of(find_session(session_id))


@blueprint.post("/sessions/<int:session_id>/look-again")
@blueprint.output(SessionOut)
def look_again(session_id: int) -> Any:
    """Look once more for small faces, such as those of the back row; the live view goes on."""
    find_session(session_id)
    return SessionOut.of(current_school().sessions.look_again(session_id, at=now(), by=INSTRUCTOR))


@blueprint.get("/sessions/<int:session_id>/camera")
@blueprint.output(CameraOut)
def show_camera(session_id: int) -> Any:
    """What the camera of a session is doing, and whether the engine keeps up with it."""
    find_session(session_id)
    return camera_now(current_school(), session_id)


@blueprint.post("/sessions/<int:session_id>/students/<int:student_id>")
@blueprint.input(CorrectionIn)
@blueprint.output(EventOut)
def correct(session_id: int, student_id: int, json_data: CorrectionIn) -> Any:
    """Say what is right; a person outranks the machine."""
    find_session(session_id)
    reason = json_data.reason.strip()
    event = current_school().sessions.correct(
        session_id, student_id, json_data.status, reason=reason, by=INSTRUCTOR, at=now()
    )
    return EventOut.of(event)


@blueprint.get("/sessions/<int:session_id>/students/<int:student_id>/why")
@blueprint.output(WhyOut)
def explain(session_id: int, student_id: int) -> Any:
    """What a student's row rests on, in words and figures."""
    find_session(session_id)
    school = current_school()
    why = school.sessions.why(session_id, student_id, at=now())
    return WhyOut.of(why, school.config.session.keep_crops_days)


@blueprint.post("/students/<number>/photos/<pose>/check")
@blueprint.output(PhotoOut)
def check_photo(number: str, pose: str) -> Any:
    """What is good or wrong with one photo (form fields `photo` and `consent`)."""
    require_consent(find_student(number), is_given=bool(request.form.get("consent")))
    file = request.files.get("photo")
    if file is None:
        raise PhotoError(PhotoProblem.EMPTY, "No photo arrived: choose a file.")
    return PhotoOut.of(current_enroller().check(_pose(pose), file.read()))


@blueprint.post("/students/<number>/enrollment")
@blueprint.output(EnrollmentOut)
def enroll(number: str) -> Any:
    """Enrol with five photos (form fields named by pose) and `consent`; all or nothing."""
    student = find_student(number)
    has_consent = bool(request.form.get("consent"))
    return enroll_student(student, photos_of(request.files), has_consent=has_consent)


def _pose(value: str) -> Pose:
    if value not in set(Pose):
        raise SessionError(f"There is no pose {value!r}; the five are {', '.join(Pose)}.")
    return Pose(value)
