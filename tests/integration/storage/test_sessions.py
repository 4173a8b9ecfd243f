"""Courses, rosters and the life of a class session."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from attendance.core.domain import CameraState, SessionState, Source, Status
from attendance.core.errors import (
    CameraBusyError,
    CameraError,
    EmptyCourseError,
    SessionError,
    SessionStateError,
    UnknownStudentError,
)
from attendance.sessions import SessionRules

RULES = SessionRules(late_after_s=600.0, min_coverage=0.8, thresholds={"threshold": 0.5})
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)


def open_again(room, **changes):
    arguments = {"at": room.at(0), "model_id": "m", "rules": RULES} | changes
    return room.sessions.open(room.course.id, room.camera.id, **arguments)


# courses and rosters


def test_course_is_found_by_its_code(school):
    added = school.sessions.add_course(" CS101 ", "자료구조", "Asia/Seoul")
    assert school.sessions.find_course("CS101") == added
    assert school.sessions.courses() == [added]
    assert (added.name, added.timezone) == ("자료구조", "Asia/Seoul")


def test_course_that_cannot_be_is_refused(school):
    school.sessions.add_course("CS101", "One")
    with pytest.raises(SessionError, match="exists already"):
        school.sessions.add_course("CS101", "Two")
    with pytest.raises(SessionError, match="no time zone"):
        school.sessions.add_course("CS102", "Two", "Mars/Olympus")
    with pytest.raises(SessionError, match="a course code has 1 to 50"):
        school.sessions.add_course("", "Two")
    with pytest.raises(SessionError, match="no course has the code"):
        school.sessions.find_course("CS102")


def test_roster_is_a_matter_of_days(school):
    course = school.sessions.add_course("C", "C")
    always, later = (s.id for s in school.add_students("a", "b"))
    school.sessions.add_to_roster(course.id, [always, always])
    school.sessions.add_to_roster(course.id, [later], from_date=TUESDAY)
    school.sessions.remove_from_roster(course.id, always, to_date=TUESDAY)
    assert school.sessions.roster(course.id, MONDAY) == [always]
    assert school.sessions.roster(course.id, TUESDAY) == [always, later]
    assert school.sessions.roster(course.id, WEDNESDAY) == [later]
    school.sessions.add_to_roster(course.id, [always], from_date=TUESDAY)
    assert school.sessions.roster(course.id, WEDNESDAY) == [always, later]
    assert school.sessions.roster(course.id, TUESDAY) == [always, later]


def test_being_added_twice_keeps_the_earlier_day(school):
    course = school.sessions.add_course("C", "C")
    (student,) = (s.id for s in school.add_students("a"))
    for day in (TUESDAY, MONDAY, WEDNESDAY):
        school.sessions.add_to_roster(course.id, [student], from_date=day)
    assert school.sessions.roster(course.id, MONDAY) == [student]
    assert school.execute("SELECT count(*) FROM roster_entry") == [(1,)]


def test_leaving_before_the_first_day_leaves_no_trace(school):
    course = school.sessions.add_course("C", "C")
    (student,) = (s.id for s in school.add_students("a"))
    school.sessions.add_to_roster(course.id, [student], from_date=TUESDAY)
    school.sessions.remove_from_roster(course.id, student, to_date=MONDAY)
    assert school.execute("SELECT count(*) FROM roster_entry") == [(0,)]
    with pytest.raises(SessionError, match="not on the roster"):
        school.sessions.remove_from_roster(course.id, student, to_date=MONDAY)


def test_roster_takes_all_or_none(school):
    course = school.sessions.add_course("C", "C")
    (student,) = (s.id for s in school.add_students("a"))
    with pytest.raises(UnknownStudentError, match="999"):
        school.sessions.add_to_roster(course.id, [student, 999])
    assert school.sessions.roster(course.id, MONDAY) == []
    with pytest.raises(SessionError, match="no course"):
        school.sessions.add_to_roster(77, [student])


# cameras


def test_two_spellings_of_a_camera_are_one(school, tmp_path):
    clip = tmp_path / "clip.mp4"
    for spellings in (
        ["0", " 00 ", "/dev/video0"],
        ["rtsp://me:Pw@Room1:554/a", "RTSP://me:Pw@room1:554/a"],
        [str(clip), str(tmp_path / "x" / ".." / "clip.mp4")],
    ):
        assert len({school.sessions.camera(source) for source in spellings}) == 1
    assert len(school.sessions.cameras()) == 3


def test_name_of_a_camera_never_holds_its_password(school):
    camera = school.sessions.camera("rtsp://me:secret@room1/a")
    assert camera.name == "room1"
    assert "secret" not in repr(camera)
    assert school.sessions.camera("rtsp://me:secret@room1/a", "Room 1").name == "Room 1"
    assert school.sessions.camera("rtsp://me:secret@room1/a").name == "Room 1"


@pytest.mark.parametrize("source", ["", "  ", "rtsp://[broken"])
def test_camera_without_a_source_is_refused(school, source):
    with pytest.raises(CameraError):
        school.sessions.camera(source)


# opening


def test_opening_keeps_rules_model_and_the_first_event(open_room):
    room = open_room(3)
    session = room.sessions.get(room.id)
    assert session == room.session
    assert (session.state, session.rules, session.pace) == (SessionState.OPEN, RULES, "live")
    assert (session.last_event, session.closed_at, session.covered_s) == (1, None, 0.0)
    (event,) = room.events()
    assert (event.number, event.kind, event.at) == (1, "opened", room.at(0))
    assert event.payload["students"] == 3
    assert [(row.status, row.source) for row in room.sessions.register(room.id)] == [
        (None,) * 2
    ] * 3


def test_course_without_students_is_refused(school):
    course = school.sessions.add_course("C", "C")
    camera = school.sessions.camera("0")
    with pytest.raises(EmptyCourseError, match="nobody is on the roster of C"):
        school.sessions.open(course.id, camera.id, at=NINE, model_id="m", rules=RULES)
    assert school.sessions.recent() == []


def test_roster_of_the_day_is_that_of_the_course_time_zone(school):
    """18:00 UTC on Monday is Tuesday in Seoul, when the student has begun."""
    (student,) = school.add_students("a")
    camera = school.sessions.camera("0")
    evening = NINE + timedelta(hours=9)
    for code, zone in (("SEOUL", "Asia/Seoul"), ("UTC", "UTC")):
        course = school.sessions.add_course(code, code, zone)
        school.sessions.add_to_roster(course.id, [student.id], from_date=TUESDAY)
    seoul, utc = school.sessions.courses()
    opened = school.sessions.open(seoul.id, camera.id, at=evening, model_id="m", rules=RULES)
    assert school.sessions.students(opened.id) == [student.id]
    with pytest.raises(EmptyCourseError):
        school.sessions.open(utc.id, camera.id, at=evening, model_id="m", rules=RULES)


def test_unknown_course_camera_session_and_pace_are_clear(classroom):
    sessions = classroom.sessions
    with pytest.raises(SessionError, match="no course has the id 99"):
        sessions.open(99, 1, at=classroom.at(0), model_id="m", rules=RULES)
    with pytest.raises(SessionError, match="no camera has the id 99"):
        sessions.open(1, 99, at=classroom.at(0), model_id="m", rules=RULES)
    with pytest.raises(SessionError, match="pace"):
        open_again(classroom, pace="leisurely")
    for call in (sessions.get, sessions.register, sessions.students):
        with pytest.raises(SessionError, match="no class session has the id 99"):
            call(99)
    with pytest.raises(SessionError):
        sessions.why(99, 1, at=NINE)


def test_second_session_on_a_busy_camera_is_refused(classroom):
    with pytest.raises(CameraBusyError, match=r"Webcam 0 is in use by session 1 of CS101"):
        open_again(classroom)
    classroom.sessions.pause(classroom.id, at=classroom.at(10))
    with pytest.raises(CameraBusyError):
        open_again(classroom)
    classroom.sessions.close(classroom.id, at=classroom.at(20))
    assert open_again(classroom).id == 2


def test_second_session_from_another_process_is_refused(classroom, writer):
    other = writer("open_second", classroom.course.id, classroom.camera.id)
    other.line()
    other.go()
    assert other.answer()["error"] == "CameraBusyError"
    assert len(classroom.sessions.recent()) == 1


def test_two_processes_racing_for_a_free_camera_open_one_session(classroom, writer):
    classroom.sessions.close(classroom.id, at=classroom.at(20))
    both = [writer("open_second", classroom.course.id, classroom.camera.id) for _ in range(2)]
    for each in both:
        each.line()
    for each in both:
        each.go()
    answers = [each.answer() for each in both]
    assert sorted("opened" in answer for answer in answers) == [False, True]
    assert len(classroom.sessions.running()) == 1


def test_database_itself_refuses_a_second_session_on_a_camera(classroom):
    with pytest.raises(IntegrityError, match=r"class_session\.camera_id"):
        classroom.school.execute(
            "INSERT INTO class_session (course_id, camera_id, state, opened_at, covered_s, "
            "last_event, model_id, rules, pace, camera_state, camera_detail) SELECT course_id, "
            "camera_id, 'paused', opened_at, 0, 0, 'm', '{}', 'live', 'starting', '' "
            "FROM class_session"
        )


def test_roster_change_after_opening_never_changes_the_session(classroom):
    (newcomer,) = classroom.school.add_students("late joiner")
    before = classroom.sessions.register(classroom.id)
    classroom.sessions.add_to_roster(classroom.course.id, [newcomer.id])
    classroom.sessions.remove_from_roster(
        classroom.course.id, classroom.students[0].id, to_date=date(2026, 1, 1)
    )
    assert classroom.sessions.register(classroom.id) == before
    classroom.close()
    assert [row.student_id for row in classroom.sessions.register(classroom.id)] == [
        student.id for student in classroom.students
    ]


# pausing, closing, settling


def test_pause_and_resume_are_events_and_free_no_camera(classroom):
    sessions = classroom.sessions
    assert sessions.pause(classroom.id, at=classroom.at(1), by="kim").state == "paused"
    assert [s.id for s in sessions.running()] == [classroom.id]
    assert sessions.resume(classroom.id, at=classroom.at(2), by="kim").state == "open"
    assert [(e.kind, e.payload) for e in classroom.events()[1:]] == [
        ("paused", {"by": "kim"}),
        ("resumed", {"by": "kim"}),
    ]


def test_step_the_state_does_not_allow_is_refused_and_leaves_no_event(classroom):
    sessions, at = classroom.sessions, classroom.at(1)
    with pytest.raises(SessionStateError, match="open, not paused"):
        sessions.resume(classroom.id, at=at)
    with pytest.raises(SessionStateError, match="does not wait"):
        sessions.settle(classroom.id, at=at)
    classroom.close()
    for step in (sessions.pause, sessions.resume, sessions.close, sessions.settle):
        with pytest.raises(SessionStateError):
            step(classroom.id, at=at)
    assert [event.kind for event in classroom.events()] == ["opened", "closed"]


def test_who_was_not_seen_is_absent_by_the_roster_if_the_camera_did_look(classroom):
    classroom.see(0)
    session = classroom.close(after_s=3600, covered_s=2880)
    assert (session.state, session.closed_at) == (SessionState.CLOSED, classroom.at(3600))
    rows = classroom.sessions.register(classroom.id)
    assert [(r.status, r.source) for r in rows] == [
        (Status.PRESENT, Source.AUTO),
        *[(Status.ABSENT, Source.ROSTER)] * 3,
    ]
    closed = classroom.events("closed")[0].payload
    assert closed["absent"] == [student.id for student in classroom.students[1:]]
    assert (closed["covered_s"], closed["window_s"]) == (2880, 3600)


def test_camera_that_looked_too_little_leaves_it_to_the_instructor(classroom):
    classroom.see(0)
    classroom.doubt(1)
    session = classroom.close(after_s=3600, covered_s=2879)
    assert session.state is SessionState.NEEDS_INSTRUCTOR
    states = [(r.status, r.source) for r in classroom.sessions.register(classroom.id)]
    assert states == [
        (Status.PRESENT, Source.AUTO),
        (Status.UNRESOLVED, Source.AUTO),
        *[(Status.UNRESOLVED, Source.ROSTER)] * 2,
    ]
    (event,) = classroom.events("needs_instructor")
    assert event.payload == {
        "absent": [],
        "unresolved": [classroom.students[2].id, classroom.students[3].id],
        "review": [classroom.students[1].id],
        "covered_s": 2879,
        "window_s": 3600,
        "by": "instructor",
    }


def test_settling_takes_the_rest_as_absent_by_a_person(classroom):
    classroom.doubt(0)
    classroom.close(covered_s=0)
    classroom.correct(1, Status.PRESENT)
    session = classroom.sessions.settle(classroom.id, at=classroom.at(4000), by="kim")
    assert (session.state, session.closed_at) == (SessionState.CLOSED, classroom.at(3600))
    states = [(r.status, r.source) for r in classroom.sessions.register(classroom.id)]
    assert states == [
        (Status.UNRESOLVED, Source.AUTO),
        (Status.PRESENT, Source.HUMAN),
        *[(Status.ABSENT, Source.HUMAN)] * 2,
    ]
    settled = classroom.events("settled")[0]
    assert settled.payload == {"absent": [s.id for s in classroom.students[2:]], "by": "kim"}


def test_paused_session_closes_too_and_frees_its_camera(classroom):
    classroom.see(0)
    classroom.sessions.add_coverage(classroom.id, 3600)
    classroom.sessions.pause(classroom.id, at=classroom.at(3600))
    assert classroom.sessions.close(classroom.id, at=classroom.at(3700)).state == "closed"
    assert classroom.row(1).status is Status.ABSENT
    assert open_again(classroom).state == "open"


def test_long_pause_counts_as_time_nobody_looked(classroom):
    classroom.sessions.add_coverage(classroom.id, 600)
    classroom.sessions.pause(classroom.id, at=classroom.at(600))
    classroom.sessions.add_coverage(classroom.id, 3000)  # a camera process that stops late
    assert classroom.sessions.get(classroom.id).covered_s == 600
    closed = classroom.sessions.close(classroom.id, at=classroom.at(3600))
    assert closed.state is SessionState.NEEDS_INSTRUCTOR


@pytest.mark.parametrize("after_s", [-30, 0], ids=["backwards", "no time at all"])
def test_clock_that_jumped_needs_the_instructor(classroom, after_s):
    classroom.see(0, after_s=after_s)
    session = classroom.close(after_s=after_s, covered_s=5000)
    assert session.state is SessionState.NEEDS_INSTRUCTOR
    assert session.closed_at == classroom.at(after_s)
    assert classroom.row(0).status is Status.PRESENT
    assert classroom.events("needs_instructor")[0].payload["window_s"] == after_s


def test_covered_seconds_must_be_seconds(classroom):
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="covered seconds"):
            classroom.sessions.add_coverage(classroom.id, wrong)


# cameras and events


def test_camera_state_is_an_event_only_when_it_changes(classroom):
    change = classroom.sessions.camera_changed
    at = classroom.at(1)
    assert change(classroom.id, CameraState.STARTING, at=at) is None
    assert change(classroom.id, CameraState.LIVE, at=at).kind == "camera"
    assert change(classroom.id, CameraState.LIVE, at=at) is None
    event = change(classroom.id, CameraState.LOST, detail="no frames for 1.2 s", at=at)
    assert event.payload == {"state": "lost", "detail": "no frames for 1.2 s"}
    assert classroom.sessions.get(classroom.id).camera_state is CameraState.LOST
    classroom.close()
    assert change(classroom.id, CameraState.STOPPED, at=at) is None
    assert [e.number for e in classroom.events()] == [1, 2, 3, 4]


def test_browser_catches_up_by_number_in_portions(classroom):
    for n in range(4):
        classroom.see(n)
    after = classroom.sessions.events_after
    assert [e.number for e in after(classroom.id, 0, limit=2)] == [1, 2]
    assert [e.number for e in after(classroom.id, 2)] == [3, 4, 5]
    assert after(classroom.id, 5) == []


@pytest.mark.parametrize("change", ["DELETE FROM event", "UPDATE event SET kind = 'nothing'"])
def test_events_cannot_be_rewritten(classroom, change):
    with pytest.raises(IntegrityError, match="append-only"):
        classroom.school.execute(change)


def test_recent_lists_the_newest_first(classroom):
    classroom.close()
    second = open_again(classroom)
    assert [s.id for s in classroom.sessions.recent()] == [second.id, classroom.id]
    assert [s.id for s in classroom.sessions.recent(limit=1)] == [second.id]
    assert [s.id for s in classroom.sessions.running()] == [second.id]
