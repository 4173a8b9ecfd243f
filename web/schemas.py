"""The shapes of what leaves as JSON: the REST API, the live events and the data in the pages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from attendance.core.domain import Pose, SessionState, Source, Status
from attendance.core.errors import PhotoProblem
from attendance.core.optics import reach_m

if TYPE_CHECKING:
    from attendance.config import Config
    from attendance.sessions import ClassSession, Course, Event, RegisterRow
    from enroll.enrollment import PhotoReport


class Schema(BaseModel):
    """Base of all shapes."""

    model_config = ConfigDict(frozen=True)

    def to_json(self) -> dict[str, Any]:
        """The shape as plain JSON types."""
        return self.model_dump(mode="json")


class MessageOut(Schema):
    """A sentence for people."""

    message: str


class CourseOut(Schema):
    """A course."""

    code: str
    name: str
    timezone: str

    @classmethod
    def of(cls, course: Course) -> CourseOut:
        """From the record."""
        return cls(code=course.code, name=course.name, timezone=course.timezone)


class CoursesOut(Schema):
    """Courses, by code."""

    courses: list[CourseOut]


class SessionOut(Schema):
    """A class session."""

    id: int
    course: CourseOut
    camera: str
    state: SessionState
    opened_at: datetime
    closed_at: datetime | None
    covered_s: float
    last_event: int
    looks_again: bool = Field(description="a sweep for small faces is under way")

    @classmethod
    def of(cls, session: ClassSession) -> SessionOut:
        """From the record."""
        return cls(
            id=session.id,
            course=CourseOut.of(session.course),
            camera=session.camera.name,
            state=session.state,
            opened_at=session.opened_at,
            closed_at=session.closed_at,
            covered_s=session.covered_s,
            last_event=session.last_event,
            looks_again=session.look_again_at is not None,
        )


class SessionsOut(Schema):
    """Class sessions, oldest first."""

    sessions: list[SessionOut]


class RowOut(Schema):
    """One student in a register; `status` is null while nobody has seen them."""

    student_id: int
    number: str
    name: str
    status: Status | None
    source: Source | None
    first_seen: datetime | None
    last_seen: datetime | None
    seen_s: float
    percent: int | None = Field(description="similarity as people read it, (1 + cosine) / 2 * 100")
    in_review: bool
    is_doubted: bool = Field(description="marked, and later looks spoke against it")
    has_crop: bool = Field(description="a picture of what the camera saw is kept")
    note: str

    @classmethod
    def of(cls, row: RegisterRow) -> RowOut:
        """From the record."""
        return cls(
            student_id=row.student_id,
            number=row.number,
            name=row.name,
            status=row.status,
            source=row.source,
            first_seen=row.first_seen,
            last_seen=row.last_seen,
            seen_s=row.seen_s,
            percent=percent(row.similarity),
            in_review=row.in_review,
            is_doubted=row.is_doubted,
            has_crop=row.has_crop,
            note=row.note,
        )


class RegisterOut(Schema):
    """A register, at least as new as event number `as_of`."""

    session: SessionOut
    as_of: int
    rows: list[RowOut]


class EventOut(Schema):
    """One numbered event of a session."""

    session_id: int
    number: int
    kind: str
    at: datetime
    student_id: int | None
    payload: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> EventOut:
        """From the record."""
        return cls(
            session_id=event.session_id,
            number=event.number,
            kind=event.kind,
            at=event.at,
            student_id=event.student_id,
            payload=event.payload,
        )


class EventsOut(Schema):
    """The events after a number, and whether there are more than fitted."""

    events: list[EventOut]
    more: bool


class ReachOut(Schema):
    """How far faces are recognised, from the width of the pictures that arrive."""

    min_face_px: int
    width_px: int
    view_deg: float
    metres: float = Field(description="to where a face is at least `min_face_px` high")
    sweep_metres: float = Field(description="to where looking again finds faces half as high")

    @classmethod
    def of(cls, config: Config, width_px: int = 0) -> ReachOut:
        """From the settings; `width_px` as it arrives, 0 before the first picture."""
        least_px, view_deg = config.detector.min_face_px, config.camera.view_deg
        width_px = width_px or config.camera.width
        return cls(
            min_face_px=least_px,
            width_px=width_px,
            view_deg=view_deg,
            metres=reach_m(least_px, width_px, view_deg),
            sweep_metres=reach_m(least_px / 2, width_px, view_deg),
        )


class CameraOut(Schema):
    """What the camera of a session is doing; `state` is a `CameraView`."""

    session: int
    state: str
    detail: str
    fps: float = Field(description="pictures looked at a second, now")
    skipped: float = Field(description="share of the last minute's pictures not looked at")
    frames: int
    dropped: int = Field(description="of those frames, how many were not looked at")
    unknown_faces: int
    reach: ReachOut


class CorrectionIn(Schema):
    """What a person says of a student."""

    status: Status
    reason: str = Field("", max_length=300)


class PhotoOut(Schema):
    """What is good or wrong with one enrolment photo."""

    pose: Pose
    ok: bool
    problem: PhotoProblem | None
    message: str

    @classmethod
    def of(cls, report: PhotoReport) -> PhotoOut:
        """From the check's report."""
        return cls(pose=report.pose, ok=report.ok, problem=report.problem, message=report.message)


class EnrollmentOut(Schema):
    """The result of an enrolment; nothing was stored unless `ok`."""

    ok: bool
    message: str
    templates: int
    reports: list[PhotoOut]


def percent(similarity: float | None) -> int | None:
    """A similarity as people read it.

    >>> percent(0.72), percent(-1.0), percent(None)
    (86, 0, None)
    """
    return None if similarity is None else to_percent(similarity)


def to_percent(similarity: float) -> int:
    """The same for a similarity that is there.

    >>> to_percent(0.0)
    50
    """
    return round((1 + similarity) / 2 * 100)
