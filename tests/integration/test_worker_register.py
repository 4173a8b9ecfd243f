"""A worker on a real database: what it sees stands in the register, whatever fails meanwhile."""

import contextlib
from datetime import timedelta

import pytest
from sqlalchemy import event

from attendance.bootstrap import School
from attendance.config import Config
from attendance.core.domain import CameraState, SessionState, Source, Status
from attendance.core.errors import StorageFullError
from attendance.sessions import process_token
from attendance.stream import frames_of
from attendance.worker import RecordedFrames, Worker
from tests.fake_cameras import FakeFrames, ScriptedFrameSource
from tests.fakes import NINE, Face, RecordingSink, Room, axis, gallery_of, like

# A worker on a real database


class Lesson:
    """An open session with two students, in a real school, before a camera made of fakes."""

    def __init__(self, school, pace="live"):
        self.sessions = school.sessions
        self.db = school.db
        students = [school.registry.add_student(f"S{n}", f"Student {n}") for n in (1, 2, 3)]
        self.minsu, self.ada, self.away = [student.id for student in students]
        course = self.sessions.add_course("CS101", "Computing")
        self.sessions.add_to_roster(course.id, [student.id for student in students])
        camera = self.sessions.camera("0")
        self.session = self.sessions.open(
            course.id, camera.id, at=NINE, model_id="fake-model", rules=school.rules(), pace=pace
        )
        self.owner = process_token()
        self.sessions.acquire_lease(camera.id, self.id, self.owner)
        people = {"Minsu": axis(0), "Ada": axis(1), "lookalike": like(9, a1=0.7, a0=0.65)}
        self.room = Room(people, gallery_of(self.minsu, self.ada))
        self.frames, self.sink = FakeFrames(), RecordingSink()
        self.now_s = 0.0
        self.worker = self.work(self.frames)

    @property
    def id(self):
        return self.session.id

    def work(self, frames):
        return Worker(
            self.session, self.sessions, frames, self.room.pipeline, self.sink, self.owner,
            clock=lambda: self.now_s, now=lambda: NINE + timedelta(seconds=self.now_s),
        )  # fmt: skip

    def watch(self, seconds, *faces):
        for _ in range(round(seconds * self.room.fps)):
            self.frames.feed(self.room.frame(*faces))
            self.now_s = self.room.t_s
            self.worker.step()

    def statuses(self):
        return {row.student_id: row.status for row in self.sessions.register(self.id)}

    def events(self, kind=None):
        events = self.sessions.events_after(self.id, 0)
        assert [e.number for e in events] == list(range(1, len(events) + 1))
        return [e for e in events if kind in (None, e.kind)]


@pytest.fixture
def school(tmp_path):
    school = School(tmp_path / "home", Config())
    yield school
    school.close()


@pytest.fixture
def lesson(school):
    return Lesson(school)


@contextlib.contextmanager
def full_disk(db):
    """Lets the file grow by not one page more."""
    with db.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def limit(connection, _record):
        connection.execute(f"PRAGMA max_page_count = {pages}")

    db.engine.dispose()
    event.listen(db.engine, "connect", limit)
    yield
    event.remove(db.engine, "connect", limit)
    db.engine.dispose()


def fill(lesson):
    """Write until nothing more goes in."""
    for length in (500, 0):
        with pytest.raises(StorageFullError):
            correct_for_ever(lesson, "." * length)


def correct_for_ever(lesson, reason):
    while True:
        lesson.sessions.correct(lesson.id, lesson.away, Status.EXCUSED, reason=reason, at=NINE)


def test_what_is_seen_stands_in_the_register(lesson):
    lesson.watch(3, Face("Minsu"))
    lesson.watch(5, Face("lookalike"))
    rows = {row.student_id: row for row in lesson.sessions.register(lesson.id)}
    assert rows[lesson.minsu].status is Status.PRESENT
    assert rows[lesson.minsu].source is Source.AUTO
    assert rows[lesson.minsu].first_seen == NINE + timedelta(seconds=1.4)
    assert (rows[lesson.ada].status, rows[lesson.ada].in_review) == (None, True)
    assert [e.kind for e in lesson.events()] == ["opened", "camera", "arrival", "doubted", "review"]


def test_who_comes_after_the_limit_is_late(lesson):
    lesson.watch(2)
    lesson.room.t_s = 601
    lesson.watch(3, Face("Ada"))
    assert lesson.statuses()[lesson.ada] is Status.LATE


def test_a_doubt_is_asked_about_once(lesson):
    lesson.watch(5, Face("lookalike"))
    lesson.watch(3)
    lesson.watch(5, Face("lookalike"))
    assert len(lesson.events("review")) == 1
    assert {row.student_id for row in lesson.sessions.register(lesson.id) if row.in_review} == {
        lesson.ada
    }


def test_signs_of_life_add_up_to_the_time_seen(lesson):
    lesson.watch(22, Face("Minsu"))
    lesson.watch(2)
    row = lesson.sessions.register(lesson.id)[0]
    assert row.seen_s == pytest.approx(21.9)
    assert row.last_seen == NINE + timedelta(seconds=21.9)
    assert len(lesson.events("arrival")) == 1


def test_covered_time_and_figures_reach_the_database(lesson):
    lesson.watch(12, Face("Minsu"))
    lease = lesson.sessions.lease(lesson.id)
    lesson.worker.finish()
    assert lesson.sessions.get(lesson.id).covered_s == pytest.approx(11.9)
    assert (lease.pulse.dropped, lease.state) == (0, CameraState.LIVE)
    assert lease.pulse.frames == pytest.approx(120, abs=6)
    assert lease.pulse.fps == pytest.approx(10, abs=1)


@pytest.mark.parametrize(
    ("watched_s", "window_s", "state", "status"),
    [
        (12, 14, SessionState.CLOSED, Status.ABSENT),
        (12, 60, SessionState.NEEDS_INSTRUCTOR, Status.UNRESOLVED),
    ],
)
def test_who_was_not_seen_is_absent_only_if_the_camera_looked(
    lesson, watched_s, window_s, state, status
):
    lesson.watch(watched_s, Face("Minsu"))
    lesson.worker.finish()
    closed = lesson.sessions.close(lesson.id, at=NINE + timedelta(seconds=window_s))
    assert closed.state is state
    assert lesson.statuses()[lesson.away] is status
    assert lesson.statuses()[lesson.minsu] is Status.PRESENT


def test_a_full_disk_loses_no_sighting(lesson, caplog):
    lesson.watch(1, Face("Minsu"))
    with full_disk(lesson.db):
        fill(lesson)
        lesson.watch(3, Face("Minsu"))
        assert lesson.statuses()[lesson.minsu] is None
        assert "disk is full" in caplog.text
    lesson.watch(0.5, Face("Minsu"))
    row = lesson.sessions.register(lesson.id)[0]
    assert row.status is Status.PRESENT
    assert row.first_seen == NINE + timedelta(seconds=1.4)
    assert lesson.sessions.get(lesson.id).covered_s == pytest.approx(4.4, abs=0.6)
    assert len(lesson.events("arrival")) == 1


def test_a_close_in_between_ends_the_work_quietly(lesson, caplog):
    lesson.watch(2, Face("lookalike"))
    lesson.sessions.close(lesson.id, at=NINE + timedelta(seconds=2))
    last = lesson.sessions.get(lesson.id).last_event
    lesson.now_s += 1
    assert not lesson.worker.step()
    lesson.worker.finish()
    assert lesson.sessions.get(lesson.id).last_event == last
    assert "Traceback" not in caplog.text


def test_a_recording_played_fast_ends_by_itself(school):
    """Twenty minutes of a lesson, in seconds; nobody is late by the clock on the wall."""
    lesson = Lesson(school, pace="fast")
    cast = [[Face("Minsu")]] * 400 + [[]] * 1600 + [[Face("lookalike")]] * 400
    pictures = [lesson.room.stage.picture(*faces) for faces in cast]
    source = ScriptedFrameSource([*pictures, None], fps=2)
    worker = lesson.work(RecordedFrames(frames_of(source, NINE)))
    steps = 1
    while worker.step():
        lesson.now_s += 0.002
        steps += 1
    assert steps == 2401
    assert worker.has_ended
    session = lesson.sessions.get(lesson.id)
    assert session.covered_s == pytest.approx(1199.5)
    assert session.camera_state is CameraState.ENDED
    assert [e.kind for e in lesson.events()] == ["opened", "camera", "arrival", "review", "camera"]
    assert lesson.sessions.register(lesson.id)[0].seen_s == pytest.approx(199.5)
    end = NINE + timedelta(seconds=session.covered_s)
    assert lesson.sessions.close(lesson.id, at=end).state is SessionState.CLOSED
