"""The sessions as the rest of the program sees them: one call, one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from attendance.core.domain import CameraState, Remark, Sighting, Status
from attendance.db.engine import Database
from attendance.sessions import (
    cameras,
    class_sessions,
    closing,
    courses,
    events,
    explanations,
    export,
    leases,
    lifecycle,
    records,
    register,
    remarks,
    sweeps,
)
from attendance.sessions.crops import CropKeeper
from attendance.sessions.models import (
    Camera,
    ClassSession,
    Course,
    Event,
    Explanation,
    Lease,
    Pulse,
    RegisterRow,
    SessionRules,
    Wish,
)


class Sessions:
    """Courses, class sessions and registers. Threads and processes may share a school.

    What a call returns is on the disk. All times are aware; all of them come from the caller.
    Every call that changes something raises `StorageFullError` where the disk is full.

    Args:
        db: the school's.
        crops: keeps what looks showed; without it nothing is kept but figures.
    """

    def __init__(self, db: Database, crops: CropKeeper | None = None) -> None:
        self._db = db
        self._crops = crops

    def add_course(self, code: str, name: str, timezone: str = "UTC") -> Course:
        """A new course. Raises `SessionError` where the code is taken or the zone unknown."""
        with self._db.write() as tx:
            return courses.add_course(tx, code, name, timezone)

    def courses(self) -> list[Course]:
        """Every course, by code."""
        with self._db.read() as tx:
            return courses.all_courses(tx)

    def find_course(self, code: str) -> Course:
        """The course with this code. Raises `SessionError` where there is none."""
        with self._db.read() as tx:
            return courses.find_course(tx, code)

    def add_to_roster(
        self, course_id: int, student_ids: Iterable[int], *, from_date: date | None = None
    ) -> None:
        """Puts students on a roster from that day on, all of them or none; None: since ever."""
        with self._db.write() as tx:
            courses.add_to_roster(tx, course_id, student_ids, from_date)

    def remove_from_roster(self, course_id: int, student_id: int, *, to_date: date) -> None:
        """Takes a student off a roster; `to_date` is the last day on it."""
        with self._db.write() as tx:
            courses.remove_from_roster(tx, course_id, student_id, to_date)

    def roster(self, course_id: int, on: date) -> list[int]:
        """The ids of the students on the roster that day, by student number."""
        with self._db.read() as tx:
            return courses.roster(tx, course_id, on)

    def camera(self, source: str, name: str | None = None) -> Camera:
        """The camera with this source, made if it is new; two spellings of one are one."""
        with self._db.write() as tx:
            return cameras.camera(tx, source, name)

    def cameras(self) -> list[Camera]:
        """Every camera, in the order they were first used."""
        with self._db.read() as tx:
            return cameras.all_cameras(tx)

    def open(
        self,
        course_id: int,
        camera_id: int,
        *,
        at: datetime,
        model_id: str,
        rules: SessionRules,
        pace: str = "live",
        by: str = "instructor",
    ) -> ClassSession:
        """Opens a session and keeps the roster as it is on that day in the course's time zone.

        Raises:
            EmptyCourseError: nobody is on the roster.
            CameraBusyError: an open or paused session has the camera, in whatever process.
            SessionError: no such course, camera or pace.
        """
        with self._db.write() as tx:
            return lifecycle.open_session(
                tx, course_id, camera_id, at=at, model_id=model_id, rules=rules, pace=pace, by=by
            )

    def get(self, session_id: int) -> ClassSession:
        """The session with this id. Raises `SessionError` where there is none."""
        with self._db.read() as tx:
            return class_sessions.as_session(class_sessions.require_session(tx, session_id))

    def running(self) -> list[ClassSession]:
        """The open and the paused ones, oldest first."""
        with self._db.read() as tx:
            return class_sessions.running_sessions(tx)

    def recent(self, limit: int = 20) -> list[ClassSession]:
        """The newest ones, whatever their state, newest first."""
        with self._db.read() as tx:
            return class_sessions.recent_sessions(tx, limit)

    def students(self, session_id: int) -> list[int]:
        """The ids of the students the session was opened with, by id."""
        with self._db.read() as tx:
            return class_sessions.students(tx, session_id)

    def pause(self, session_id: int, *, at: datetime, by: str = "instructor") -> ClassSession:
        """Stops looking for a while. Raises `SessionStateError` where it is not open."""
        with self._db.write() as tx:
            return lifecycle.pause(tx, session_id, at, by)

    def resume(self, session_id: int, *, at: datetime, by: str = "instructor") -> ClassSession:
        """Looks again. Raises `SessionStateError` where it is not paused."""
        with self._db.write() as tx:
            return lifecycle.resume(tx, session_id, at, by)

    def look_again(self, session_id: int, *, at: datetime, by: str = "instructor") -> ClassSession:
        """Wishes for one sweep for small faces; while one is under way, that is the one.

        Raises:
            SessionStateError: the session is not open, or its camera gives no pictures any more.
        """
        with self._db.write() as tx:
            return sweeps.look_again(tx, session_id, at, by)

    def looked_again(self, session_id: int, *, faces: int, at: datetime) -> Event | None:
        """Notes that the sweep is done; None where none was wished for any more."""
        with self._db.write() as tx:
            return sweeps.looked_again(tx, session_id, faces, at)

    def record(self, session_id: int, sighting: Sighting) -> Event | None:
        """Takes in what the pipeline saw.

        Returns:
            The event of a first mark, a first doubt, or of a doubted mark that is confirmed. None
            for a repeat (it only adds when and how long), for a doubt about somebody who is
            marked, and while the session is paused.

        Raises:
            SessionStateError: the session is closed.
            SessionError: the student was not on the roster when it was opened.
        """
        with self._db.write() as tx:
            return records.record(tx, session_id, sighting, self._crops)

    def remark(self, session_id: int, remark: Remark) -> Event | None:
        """Takes in a near miss or a withdrawn name; it marks nobody.

        Returns:
            The event of a name that was withdrawn for the first time, else None.

        Raises:
            SessionStateError: the session is closed.
            SessionError: the student was not on the roster when it was opened.
        """
        with self._db.write() as tx:
            return remarks.remark(tx, session_id, remark)

    def correct(
        self,
        session_id: int,
        student_id: int,
        status: Status,
        *,
        reason: str,
        at: datetime,
        by: str = "instructor",
    ) -> Event:
        """A person decides; the machine never overwrites it. Allowed after the close as well.

        Raises:
            SessionError: the student was not on the roster when it was opened.
        """
        with self._db.write() as tx:
            return records.correct(tx, session_id, student_id, status, reason=reason, by=by, at=at)

    def camera_changed(
        self, session_id: int, state: CameraState, *, at: datetime, detail: str = ""
    ) -> Event | None:
        """Notes what became of the camera; None where nothing changed or the session is over."""
        with self._db.write() as tx:
            return lifecycle.camera_changed(tx, session_id, state, detail, at)

    def add_coverage(self, session_id: int, seconds: float) -> None:
        """Counts time in which the camera did look; only an open session takes it."""
        with self._db.write() as tx:
            session = class_sessions.require_session(tx, session_id)
            lifecycle.add_coverage(tx, session, seconds)

    def close(self, session_id: int, *, at: datetime, by: str = "instructor") -> ClassSession:
        """Gives everybody on the roster a status.

        Open doubts end unresolved; everybody else not seen is absent if the camera looked long
        enough. If not, they are unresolved and the session needs its instructor.

        Raises:
            SessionStateError: the session is closed already.
        """
        with self._db.write() as tx:
            closed = closing.close(tx, session_id, at, by)
            purged = self._crops.purge(tx, at) if self._crops else 0
        if purged:
            self._db.scrub()
        return closed

    def settle(self, session_id: int, *, at: datetime, by: str = "instructor") -> ClassSession:
        """A person takes the rest of an uncertain register as absent.

        Raises:
            SessionStateError: the session does not wait for an instructor.
        """
        with self._db.write() as tx:
            return closing.settle(tx, session_id, at, by)

    def events_after(self, session_id: int, number: int, limit: int = 500) -> list[Event]:
        """The events after that number, oldest first."""
        with self._db.read() as tx:
            return events.events_after(tx, session_id, number, limit)

    def register(self, session_id: int) -> list[RegisterRow]:
        """One row for everybody the session was opened with, by student number."""
        with self._db.read() as tx:
            return register.register(tx, session_id)

    def why(self, session_id: int, student_id: int, *, at: datetime) -> Explanation:
        """What a student's row rests on: the camera's claim, the best looks, the events."""
        with self._db.read() as tx:
            return explanations.explain(tx, session_id, student_id, self._crops, at)

    def crop(self, session_id: int, student_id: int, crop_id: str, *, at: datetime) -> bytes | None:
        """What a look showed, as JPEG; None where it is not kept (any more).

        Raises:
            VaultError: it was moved, changed or damaged.
        """
        if self._crops is None:
            return None
        with self._db.read() as tx:
            row = self._crops.find(tx, session_id, student_id, crop_id, at)
            session = class_sessions.require_session(tx, session_id)
            return None if row is None else self._crops.open(tx, row, session.model_id)

    def purge_crops(self, *, at: datetime) -> int:
        """Deletes the crops whose days are over, from the log too. Returns: how many."""
        if self._crops is None:
            return 0
        with self._db.write() as tx:
            purged = self._crops.purge(tx, at)
        if purged:
            self._db.scrub()
        return purged

    def acquire_lease(self, camera_id: int, session_id: int, owner: str) -> None:
        """Takes a camera for a session; `owner` is a `process_token()`.

        Raises:
            CameraBusyError: another living process has it.
            SessionStateError: the session does not run, or not with this camera.
        """
        with self._db.write() as tx:
            leases.acquire_lease(tx, camera_id, session_id, owner)

    def beat(
        self,
        session_id: int,
        owner: str,
        *,
        covered_s: float = 0.0,
        pulse: Pulse = Pulse(),  # noqa: B008 (frozen)
    ) -> Wish:
        """One heartbeat: `covered_s` since the last one, the counts since the process began.

        Returns:
            What the session is wished to be, and whether a sweep is wished for.

        Raises:
            CameraBusyError: the lease is gone or somebody else's: stop reading.
        """
        with self._db.write() as tx:
            return leases.beat(tx, session_id, owner, covered_s, pulse)

    def release_lease(self, camera_id: int, owner: str) -> None:
        """Gives a camera back; nothing happens where it is somebody else's."""
        with self._db.write() as tx:
            leases.release_lease(tx, camera_id, owner)

    def lease(self, session_id: int) -> Lease | None:
        """The lease of a session with the camera's state; None where no process has taken it."""
        with self._db.read() as tx:
            return leases.lease(tx, session_id)

    def export_rows(
        self,
        course_id: int | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
    ) -> Iterator[export.ExportRow]:
        """One row a student and session opened on these days, both included, oldest first.

        Each session is read by itself, so that a long export holds up nobody.
        """
        with self._db.read() as tx:
            ids = export.session_ids(tx, course_id, from_date, to_date)
        for session_id in ids:
            with self._db.read() as tx:
                rows = export.session_rows(tx, session_id)
            yield from rows
