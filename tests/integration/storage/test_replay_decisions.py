"""Deciding again with the stored state: the same sightings, the same register, years later."""

from dataclasses import asdict, replace
from itertools import count

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attendance.calibration import Calibrations, OperatingPoint
from attendance.core.cohort import Cohort
from attendance.core.watching import PipelineRules
from attendance.sessions import SessionRules
from attendance.vision.embedder import unit_rows
from tests.fakes import DIMENSION, LEFT, MODEL, NINE, RIGHT, RULES, Face, Room, axis, gallery_of

LIGHT = 0.9 * axis(31)
"""What every face of this camera shares."""


def seen_by_camera(*vectors):
    return unit_rows(np.array([vector + LIGHT for vector in vectors], np.float32))


PEOPLE = dict(
    zip(
        ["Minsu", "Ada", "like both", "stranger"],
        seen_by_camera(axis(0), axis(1), axis(0) + 0.9 * axis(1), axis(20)),
        strict=True,
    )
)
WEEK_BEFORE = seen_by_camera(*(axis(number) for number in range(22, 30)))
sights = st.lists(
    st.tuples(*[st.sampled_from([None, *PEOPLE])] * 2, st.sampled_from([1, 8, 20])), max_size=6
)


class Class:
    """A course with a calibration, on a camera that has shown eight people."""

    def __init__(self, school, number):
        self.sessions, self.kept = school.sessions, Calibrations(school.db)
        self.students = [s.id for s in school.add_students("Minsu", "Ada")]
        course = self.sessions.add_course(f"R{number}", "Replayed")
        self.sessions.add_to_roster(course.id, self.students)
        camera = self.sessions.camera(f"room-{number}.mp4")
        self.places = course.id, camera.id
        first = Cohort.empty(MODEL, DIMENSION).with_session(WEEK_BEFORE)
        version = self.kept.keep_cohort(camera.id, first, at=NINE).version
        thresholds = asdict(replace(RULES, threshold=0.55))
        point = OperatingPoint(
            course.id,
            camera.id,
            MODEL,
            version,
            thresholds,
            target_fpir=0.01,
            strangers=10,
            expected_false_accepts=0.1,
            students=tuple(self.students),
            too_alike=(),
            made_at=NINE,
        )
        point = self.kept.keep_point(point)
        self.rules = SessionRules(600.0, 0.8, thresholds, point.id, version)

    def hold(self, sequence, rules):
        """One session of these sights, decided by what stands in its rules."""
        course_id, camera_id = self.places
        opened = self.sessions.open(course_id, camera_id, at=NINE, model_id=MODEL, rules=rules)
        stored = self.sessions.get(opened.id).rules
        cohort = self.kept.cohort(camera_id, MODEL, stored.cohort_version).cohort
        room = Room(
            PEOPLE,
            gallery_of(*self.students),
            PipelineRules(replace(RULES, **stored.thresholds)),
            fps=5.0,
            cohort=cohort,
        )
        for who, other, frames in sequence:
            faces = [Face(w, box) for w, box in ((who, LEFT), (other, RIGHT)) if w is not None]
            room.watch(frames / room.fps, *faces)
        room.finish()
        for sighting in room.events:
            self.sessions.record(opened.id, sighting)
        grown = self.kept.keep_cohort(camera_id, room.pipeline.cohort, at=NINE)
        self.sessions.close(opened.id, at=NINE)
        return opened.id, room.events, grown

    def outcome(self, session_id):
        """The register and the events, without what names the session."""
        events = self.sessions.events_after(session_id, 0)
        told = [(e.number, e.kind, e.student_id, e.at, e.payload) for e in events]
        return self.sessions.register(session_id), told


@pytest.fixture(scope="module")
def new_class(lasting_school):
    numbers = count()
    return lambda: Class(lasting_school, next(numbers))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sequence=sights)
def test_the_same_frames_with_the_stored_state_give_the_same_register(new_class, sequence):
    """The camera has learnt since: its newest cohort is not what this session was decided with."""
    lesson = new_class()
    first_id, sightings, _ = lesson.hold(sequence, lesson.rules)
    again_id, repeated, _ = lesson.hold(sequence, lesson.sessions.get(first_id).rules)
    assert repeated == sightings
    assert lesson.outcome(again_id) == lesson.outcome(first_id)


def test_a_newer_cohort_would_have_decided_with_other_scores(new_class):
    lesson, sequence = new_class(), [("Minsu", "stranger", 20), (None, None, 8)]
    first_id, sightings, grown = lesson.hold(sequence, lesson.rules)
    assert grown.version == lesson.rules.cohort_version + 1
    assert {event.student_id for event in sightings} == {lesson.students[0]}
    newer = replace(lesson.rules, cohort_version=grown.version)
    newer_id, rescored, _ = lesson.hold(sequence, newer)
    assert [event.score for event in rescored] != [event.score for event in sightings]
    assert lesson.sessions.get(first_id).rules == lesson.rules
    assert lesson.outcome(newer_id) != lesson.outcome(first_id)
