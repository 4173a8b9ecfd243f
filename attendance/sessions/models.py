"""What the sessions hand out: frozen facts, copied from the rows of one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from attendance.core.domain import CameraState, Decision, SessionState, Source, Status


@dataclass(frozen=True)
class Course:
    """A course; `timezone` is where its days begin, such as Asia/Seoul."""

    id: int
    code: str
    name: str
    timezone: str


@dataclass(frozen=True)
class Camera:
    """A camera; `source` may hold a password, so no screen and no log shows it."""

    id: int
    name: str
    source: str = field(repr=False)


@dataclass(frozen=True)
class SessionRules:
    """What was in force when a session was opened.

    Attributes:
        min_coverage: share of the time from opening to closing the camera must have looked.
        operating_point: the calibration the thresholds come from; None without one.
        cohort_version: of the camera's cohort; None where the camera was not known.
        too_alike: pairs of student ids the camera cannot tell apart: a person decides on both.
    """

    late_after_s: float
    min_coverage: float
    thresholds: dict[str, float]
    operating_point: int | None = None
    cohort_version: int | None = None
    too_alike: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        pairs = tuple((int(first), int(second)) for first, second in self.too_alike)
        object.__setattr__(self, "too_alike", pairs)  # JSON brings lists back


@dataclass(frozen=True)
class ClassSession:
    """A class session as it stands.

    Attributes:
        covered_s: seconds in which the camera did look.
        last_event: the number of the newest event.
        pace: "live", or "fast" for a file played as fast as it goes.
        look_again_at: when somebody asked for a sweep that is not done yet.
    """

    id: int
    course: Course
    camera: Camera
    state: SessionState
    opened_at: datetime
    closed_at: datetime | None
    covered_s: float
    last_event: int
    model_id: str
    rules: SessionRules
    pace: str
    camera_state: CameraState = CameraState.STARTING
    camera_detail: str = ""
    look_again_at: datetime | None = None


@dataclass(frozen=True)
class Event:
    """Something that happened in a session, numbered from 1 without gaps.

    `kind` and `payload` go together:
        opened: course_id, camera_id, students (how many), by
        arrival: status, source, similarity, score, margin; closes a review of the student
        review: similarity, score, margin
        corrected: status, source, reason, by, was_status, was_source; closes a review too
        doubted: similarity, score, margin (of the name while it stood), is_marked (whether the
            register says so); later looks spoke against the name
        confirmed: similarity, score, margin; a doubted student was seen again for certain
        camera: state, detail
        paused, resumed, look_again: by
        looked_again: faces (how many more the sweep found)
        closed, needs_instructor (one of them): absent, unresolved and review (lists of student
            ids; review: unresolved because of an open doubt), covered_s, window_s, by
        settled: absent (a list of student ids), by
    """

    session_id: int
    number: int
    kind: str
    at: datetime
    student_id: int | None
    payload: dict[str, Any]


@dataclass(frozen=True)
class RegisterRow:
    """One student of a session's register.

    Attributes:
        status: None while the session runs and nothing is known yet.
        similarity, score: of the best sighting, or of the doubt where nobody was marked.
        in_review: a doubt is open, also after the session was closed.
        is_doubted: marked by the camera, and later looks spoke against it.
        has_crop: there is a picture of what the camera saw.
        note: the reason of the last correction.
    """

    student_id: int
    number: str
    name: str
    status: Status | None
    source: Source | None
    first_seen: datetime | None
    last_seen: datetime | None
    seen_s: float
    similarity: float | None
    score: float | None
    in_review: bool
    note: str
    is_doubted: bool = False
    has_crop: bool = False


@dataclass(frozen=True)
class KeptLook:
    """One of the best looks, as figures.

    Attributes:
        flaw: what was wrong with the view, in words; empty for a good one and where none was kept.
        second: similarity of the next best person, None without one.
        decision: what the looks of this face came to.
        crop_id: of the picture, None where none is kept (any more).
    """

    at: datetime
    similarity: float
    score: float
    margin: float
    quality: float
    flaw: str
    second: float | None
    decision: Decision
    crop_id: str | None


@dataclass(frozen=True)
class Claim:
    """What the camera said of a student at its most certain.

    Attributes:
        decision: ACCEPT a mark, REVIEW a doubt, UNKNOWN a near miss.
        first_at, last_at: when the student was seen; a doubt and a near miss have one moment.
        looks: at the student's face in the session; 0 where they were not counted.
    """

    decision: Decision
    first_at: datetime
    last_at: datetime
    similarity: float
    score: float
    margin: float
    looks: int = 0


@dataclass(frozen=True)
class Explanation:
    """Why the register says what it says of one student.

    Attributes:
        session: with the rules and the model_id that were in force.
        claim: None where the camera saw nobody like this student.
        doubted_at: when later looks spoke against the mark, None where none did.
        watched: share of the session the camera looked, in [0, 1].
        is_enrolled: whether there are templates the camera can know the student by, now.
        evidence: the best looks, best score first.
        events: the student's own, and those that closed the session.
    """

    session: ClassSession
    student_id: int
    status: Status | None
    source: Source | None
    note: str
    in_review: bool
    claim: Claim | None
    doubted_at: datetime | None
    watched: float
    is_enrolled: bool
    evidence: tuple[KeptLook, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Pulse:
    """What a camera process tells of itself with a heartbeat.

    Attributes:
        frames: delivered since it began, `dropped` of them without being looked at.
        fps: frames looked at a second, now.
        skipped: share of the last minute's frames that nobody looked at, in [0, 1].
        width_px, height_px: of the newest frame, 0 before there is one.
        unknown_faces: tracks without a name so far.
    """

    frames: int = 0
    dropped: int = 0
    fps: float = 0.0
    skipped: float = 0.0
    width_px: int = 0
    height_px: int = 0
    unknown_faces: int = 0


@dataclass(frozen=True)
class Wish:
    """What the database wants of a camera process.

    Attributes:
        looks_again: a sweep is wished for that has not been reported.
    """

    state: SessionState
    looks_again: bool = False


@dataclass(frozen=True)
class Lease:
    """The process that reads a camera, and its pulse.

    Attributes:
        beat: counts heartbeats; one that stands still is a process that hangs.
    """

    camera_id: int
    session_id: int
    owner: str
    state: CameraState
    detail: str
    beat: int
    pulse: Pulse
