"""What the camera reports, what a person decides, and who wins."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from attendance.core.domain import Decision, LookEvidence, Source, Status
from attendance.core.errors import SessionError, SessionStateError


def test_first_sight_marks_present_and_says_so_once(classroom):
    event = classroom.see(0, after_s=5, score=0.7, seen_s=1.5)
    student = classroom.students[0]
    assert (event.number, event.kind, event.student_id) == (2, "arrival", student.id)
    assert event.at == classroom.at(5)
    assert event.payload["status"] == "present"
    row = classroom.row(0)
    assert (row.status, row.source) == (Status.PRESENT, Source.AUTO)
    assert (row.first_seen, row.last_seen, row.seen_s) == (classroom.at(5),) * 2 + (1.5,)
    assert (row.score, row.in_review, row.note) == (0.7, False, "")
    assert classroom.sessions.get(classroom.id).last_event == 2


@pytest.mark.parametrize(
    ("after_s", "status"),
    [(0, "present"), (600, "present"), (600.001, "late"), (5000, "late"), (-60, "present")],
    ids=["at once", "the last moment", "just past it", "much later", "clock behind"],
)
def test_present_or_late_by_the_clock(classroom, after_s, status):
    classroom.see(0, after_s=after_s)
    assert classroom.row(0).status == status


def test_repeat_adds_when_and_how_long_and_no_event(classroom):
    classroom.see(0, after_s=5, seen_s=1, score=0.6)
    assert classroom.see(0, after_s=700, seen_s=2, score=0.8) is None
    assert classroom.see(0, after_s=300, seen_s=4, score=0.5) is None  # another track, told late
    row = classroom.row(0)
    assert (row.status, row.first_seen) == (Status.PRESENT, classroom.at(5))
    assert (row.last_seen, row.seen_s, row.score) == (classroom.at(700), 7, 0.8)
    assert len(classroom.events()) == 2


def test_unknown_names_nobody(classroom):
    assert classroom.see(0, decision=Decision.UNKNOWN) is None
    assert classroom.row(0).status is None
    assert len(classroom.events()) == 1


def test_doubt_opens_one_review(classroom):
    event = classroom.doubt(0, score=0.45)
    assert (event.kind, event.payload["score"]) == ("review", 0.45)
    assert classroom.doubt(0, after_s=20, score=0.48) is None
    row = classroom.row(0)
    assert (row.status, row.in_review, row.score) == (None, True, 0.48)
    assert len(classroom.events()) == 2


def test_accept_settles_a_review(classroom):
    classroom.doubt(0)
    classroom.see(0, after_s=30)
    row = classroom.row(0)
    assert (row.status, row.in_review) == (Status.PRESENT, False)


def test_marked_student_needs_no_review(classroom):
    classroom.see(0)
    assert classroom.doubt(0, after_s=30) is None
    assert not classroom.row(0).in_review


def test_review_stays_unresolved_at_close_until_a_person_decides(classroom):
    classroom.doubt(0)
    classroom.close()
    row = classroom.row(0)
    assert (row.status, row.source, row.in_review) == (Status.UNRESOLVED, Source.AUTO, True)
    classroom.correct(0, Status.PRESENT)
    row = classroom.row(0)
    assert (row.status, row.source, row.in_review) == (Status.PRESENT, Source.HUMAN, False)


def test_correction_says_who_why_and_what_was(classroom):
    classroom.see(0)
    event = classroom.correct(0, Status.EXCUSED, reason=" doctor's note ")
    assert event.kind == "corrected"
    assert event.payload == {
        "status": "excused",
        "source": "human",
        "reason": "doctor's note",
        "by": "instructor",
        "was_status": "present",
        "was_source": "auto",
    }
    assert classroom.row(0).note == "doctor's note"
    assert classroom.correct(1, Status.PRESENT).payload["was_status"] is None


@pytest.mark.parametrize("status", list(Status))
def test_machine_never_overwrites_a_person(classroom, status):
    classroom.correct(0, status)
    assert classroom.see(0, after_s=900, score=0.9) is None
    assert classroom.doubt(0, after_s=901) is None
    row = classroom.row(0)
    assert (row.status, row.source, row.note) == (status, Source.HUMAN, "said so")
    assert (row.first_seen, row.last_seen) == (classroom.at(900),) * 2  # facts are kept
    classroom.close()
    assert (classroom.row(0).status, classroom.row(0).source) == (status, Source.HUMAN)


def test_correction_is_allowed_after_the_close(classroom):
    classroom.close()
    classroom.correct(0, Status.PRESENT, after_s=9000)
    assert classroom.row(0).status is Status.PRESENT
    assert classroom.events()[-1].kind == "corrected"
    assert classroom.sessions.get(classroom.id).state == "closed"


def test_closed_session_records_nobody(classroom):
    classroom.close()
    with pytest.raises(SessionStateError, match="closed"):
        classroom.see(0)
    assert classroom.row(0).status is Status.ABSENT


def test_paused_session_records_nobody_and_goes_on_afterwards(classroom):
    classroom.sessions.pause(classroom.id, at=classroom.at(1))
    assert classroom.see(0) is None
    assert classroom.row(0).status is None
    classroom.sessions.resume(classroom.id, at=classroom.at(9))
    assert classroom.see(0, after_s=10).kind == "arrival"


def test_student_of_another_course_is_refused(classroom):
    (stranger,) = classroom.school.add_students("of another course")
    sighting = replace(classroom.sighting(0), student_id=stranger.id)
    with pytest.raises(SessionError, match="not on the roster"):
        classroom.sessions.record(classroom.id, sighting)
    with pytest.raises(SessionError, match="not on the roster"):
        classroom.sessions.correct(
            classroom.id, stranger.id, Status.PRESENT, reason="", at=classroom.at(0)
        )
    assert len(classroom.events()) == 1


@pytest.mark.parametrize("reason", ["x" * 501, "\ud800", "a\x00b"], ids=["essay", "half", "nul"])
def test_reason_that_is_no_plain_short_text_is_refused(classroom, reason):
    with pytest.raises(SessionError, match="a reason"):
        classroom.correct(0, Status.PRESENT, reason=reason)
    assert classroom.row(0).status is None


def test_two_threads_racing_for_a_student_make_one_record_and_one_arrival(open_room):
    room = open_room(12)
    gate = threading.Barrier(2)

    def see_everybody(_):
        events = []
        for n in range(len(room.students)):
            gate.wait()
            events.append(room.see(n))
        return events

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(see_everybody, range(2))
    assert all((a is None) != (b is None) for a, b in zip(one, two, strict=True))
    assert len(room.events("arrival")) == 12
    assert all(row.seen_s == 2.0 for row in room.sessions.register(room.id))
    assert [e.number for e in room.events()] == list(range(1, 14))


def test_database_itself_refuses_a_second_record(classroom):
    classroom.see(0)
    with pytest.raises(IntegrityError, match="UNIQUE"):
        classroom.school.execute(
            "INSERT INTO attendance_record (session_id, student_id, status, source, seen_s, note) "
            "SELECT session_id, student_id, 'absent', 'auto', 0, '' FROM attendance_record"
        )


# why


def look(room, second, score):
    return LookEvidence(at=room.at(second), similarity=score, score=score, margin=0.1, quality=0.5)


def test_best_five_looks_are_kept(classroom):
    scores = [0.61, 0.9, 0.55, 0.7, 0.8, 0.65, 0.5]
    looks = tuple(look(classroom, n, score) for n, score in enumerate(scores))
    classroom.sessions.record(classroom.id, replace(classroom.sighting(0), evidence=looks[:3]))
    classroom.sessions.record(classroom.id, replace(classroom.sighting(0, 30), evidence=looks[2:]))
    evidence = classroom.why(0).evidence
    assert [e.score for e in evidence] == [0.9, 0.8, 0.7, 0.65, 0.61]
    assert (evidence[0].at, evidence[0].quality) == (looks[1].at, looks[1].quality)
    assert classroom.school.execute("SELECT count(*) FROM evidence") == [(5,)]


def test_why_holds_a_students_own_events_and_the_closing(classroom):
    classroom.see(0)
    classroom.doubt(1)
    classroom.correct(1, Status.PRESENT)
    classroom.close()
    mine = classroom.why(1)
    assert [event.kind for event in mine.events] == ["review", "corrected", "closed"]
    assert len(mine.evidence) == 1
    unseen = classroom.why(2)
    assert ([e.kind for e in unseen.events], unseen.evidence) == (["closed"], ())


def test_register_lists_by_student_number(school, open_room):
    for number in ("zz", "10", "9", "B"):
        school.registry.add_student(number, "x")
    room = open_room(1)
    room.sessions.close(room.id, at=room.at(1))
    ids = [student.id for student in school.registry.students()]
    room.sessions.add_to_roster(room.course.id, ids)
    again = room.sessions.open(
        room.course.id, room.camera.id, at=room.at(0), model_id="m", rules=room.session.rules
    )
    assert [r.number for r in room.sessions.register(again.id)] == ["10", "9", "B", "S005", "zz"]
