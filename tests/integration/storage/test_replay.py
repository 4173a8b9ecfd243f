"""Replaying the events gives the same register, whatever happened."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attendance.core.domain import Decision, Sighting, Status
from attendance.core.errors import SessionStateError
from attendance.sessions import SessionRules

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RULES = SessionRules(late_after_s=600.0, min_coverage=0.8, thresholds={})
STUDENTS = 3


def replay(student_ids, events):
    """The register as a browser builds it: status, source, in review, note, first seen."""
    register = {student: [None, None, False, "", None] for student in student_ids}

    def mark(students, status, source):
        for student in students:
            register[student][:2] = [status, source]

    for event in events:
        row, facts = register.get(event.student_id), event.payload
        if event.kind == "arrival":
            row[:3] = [facts["status"], facts["source"], False]
            row[4] = event.at
        elif event.kind == "review":
            row[2] = True
        elif event.kind == "corrected":
            row[:4] = [facts["status"], facts["source"], False, facts["reason"]]
        elif event.kind in ("closed", "needs_instructor"):
            mark(facts["absent"], "absent", "roster")
            mark(facts["unresolved"], "unresolved", "roster")
            mark(facts["review"], "unresolved", "auto")
        elif event.kind == "settled":
            mark(facts["absent"], "absent", "human")
    return register


who = st.integers(0, STUDENTS - 1)
when = st.integers(-100, 1500)
reasons = st.sampled_from(["", "ill", "지각"])
steps = st.one_of(
    st.tuples(st.just("see"), who, when, st.sampled_from(Decision), st.floats(0, 1)),
    st.tuples(
        st.just("correct"), who, st.sampled_from(Status), st.sampled_from(["", "ill", "지각"])
    ),
    st.tuples(st.just("pause")),
    st.tuples(st.just("resume")),
    st.tuples(st.just("cover"), st.integers(0, 2000)),
    st.tuples(st.just("close"), when),
    st.tuples(st.just("settle")),
)


@pytest.fixture(scope="module")
def room(lasting_school):
    """Opens one session after the other for the same students, each on a camera of its own."""
    sessions = lasting_school.sessions
    students = [s.id for s in lasting_school.add_students(*"abc"[:STUDENTS])]
    course = sessions.add_course("LAW", "Law")
    sessions.add_to_roster(course.id, students)
    numbers = count()

    def open_session():
        camera = sessions.camera(str(next(numbers)))
        opened = sessions.open(course.id, camera.id, at=NINE, model_id="m", rules=RULES)
        return sessions, opened.id, students

    return open_session


def take(sessions, session_id, students, step):
    kind, *facts = step
    at = NINE + timedelta(seconds=50)
    if kind == "see":
        student, second, decision, score = facts
        seen = NINE + timedelta(seconds=second)
        figures = (score, score, 0.1, 1.0)
        sessions.record(session_id, Sighting(students[student], decision, seen, 1, *figures))
    elif kind == "correct":
        student, status, reason = facts
        sessions.correct(session_id, students[student], status, reason=reason, at=at)
    elif kind == "cover":
        sessions.add_coverage(session_id, facts[0])
    elif kind == "close":
        sessions.close(session_id, at=NINE + timedelta(seconds=facts[0]))
    else:
        getattr(sessions, kind)(session_id, at=at)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sequence=st.lists(steps, max_size=14))
def test_replaying_events_gives_the_same_register(room, sequence):
    sessions, session_id, students = room()
    for step in sequence:
        before = sessions.get(session_id).last_event
        try:
            take(sessions, session_id, students, step)
        except SessionStateError:
            assert sessions.get(session_id).last_event == before
    events = sessions.events_after(session_id, 0)
    rows = {row.student_id: row for row in sessions.register(session_id)}
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert sessions.get(session_id).last_event == len(events)
    for student, (status, source, in_review, note, first_seen) in replay(students, events).items():
        row = rows[student]
        assert (row.status, row.source, row.in_review, row.note) == (
            status,
            source,
            in_review,
            note,
        )
        assert first_seen in (None, row.first_seen)
    over = sessions.get(session_id).closed_at is not None
    assert not over or all(row.status and row.source for row in rows.values())
