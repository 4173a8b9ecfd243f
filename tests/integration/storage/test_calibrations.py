"""Operating points, cohorts and drift on a real SQLite file."""

from datetime import timedelta

import numpy as np
import pytest

from attendance.calibration import Calibrations, OperatingPoint
from attendance.core.cohort import Cohort
from attendance.core.domain import Decision, Sighting
from attendance.sessions import SessionRules
from tests.fakes import NINE

MODEL = "m"


def point(course_id, camera_id=None, threshold=0.6, **more):
    plain = {"target_fpir": 0.01, "strangers": 10, "expected_false_accepts": 0.1}
    plain |= {"students": (1, 2), "too_alike": ((1, 2),), "made_at": NINE, "cohort_version": None}
    return OperatingPoint(
        course_id, camera_id, MODEL, thresholds={"threshold": threshold}, **(plain | more)
    )


@pytest.fixture
def kept(school):
    return Calibrations(school.db)


@pytest.fixture
def course(school):
    return school.sessions.add_course("CAL", "Calibrated")


@pytest.fixture
def camera(school):
    return school.sessions.camera("7", "Room 7")


def test_the_newest_point_is_in_force_and_a_cameras_own_goes_before_it(kept, course, camera):
    kept.keep_point(point(course.id, threshold=0.60))
    newest = kept.keep_point(point(course.id, threshold=0.61))
    assert kept.point(course.id, camera.id, MODEL) == newest
    own = kept.keep_point(point(course.id, camera.id, threshold=0.70))
    kept.keep_point(point(course.id, threshold=0.62))
    assert kept.point(course.id, camera.id, MODEL) == own
    assert kept.point(course.id, None, MODEL).thresholds == {"threshold": 0.62}
    assert kept.point(course.id, camera.id, "another model") is None


def test_a_cohort_of_too_few_people_is_never_stored(kept, camera):
    few = Cohort.empty(MODEL, 8).with_session(np.eye(8, dtype=np.float32)[:4])
    assert kept.keep_cohort(camera.id, few, at=NINE) is None
    assert kept.cohort(camera.id, MODEL) is None


def test_versions_of_a_cohort_stay_as_they_were(kept, camera):
    first = Cohort.empty(MODEL, 8).with_session(np.eye(8, dtype=np.float32)[:6])
    second = first.with_session(np.eye(8, dtype=np.float32)[2:])
    for cohort in (first, first, second):
        kept.keep_cohort(camera.id, cohort, at=NINE)
    assert kept.cohort_version(camera.id, MODEL)[:2] == (2, 12)
    for version, cohort in ((1, first), (2, second)):
        found = kept.cohort(camera.id, MODEL, version).cohort
        assert (found.tracks, found.people) == (cohort.tracks, cohort.people)
        np.testing.assert_array_equal(found.mean, cohort.mean)


def classmates(school, course, count):
    add = school.registry.add_student
    ids = [add(f"CAL-{i}", f"Person {i}").id for i in range(count)]
    school.sessions.add_to_roster(course.id, ids)
    return ids


def opened(school, course, camera, at, **more):
    rules = SessionRules(600.0, 0.8, {}, **more)
    return school.sessions.open(course.id, camera.id, at=at, model_id=MODEL, rules=rules)


def test_whom_the_camera_cannot_tell_apart_a_person_decides(school, course, camera):
    one, other, third = classmates(school, course, 3)
    session = opened(school, course, camera, NINE, too_alike=((one, other),))
    assert school.sessions.get(session.id).rules == session.rules
    sightings = [Sighting(who, Decision.ACCEPT, NINE, 1, 0.9, 0.9, 0.5) for who in (one, third)]
    kinds = [school.sessions.record(session.id, sighting).kind for sighting in sightings]
    assert kinds == ["review", "arrival"]


@pytest.mark.parametrize(("fall", "count"), [(0.08, 1), (0.0, 0)])
def test_a_fall_of_genuine_scores_is_noticed(school, kept, course, camera, fall, count):
    ids = classmates(school, course, 4)
    for week in range(9):
        at = NINE + timedelta(weeks=week)
        session = opened(school, course, camera, at)
        for place, who in enumerate(ids):
            score = 0.7 - fall * week / 8 + 0.005 * ((place + week) % 2)
            school.sessions.record(
                session.id, Sighting(who, Decision.ACCEPT, at, 1, score, score, 0.3)
            )
        school.sessions.close(session.id, at=at + timedelta(hours=1))
    notices = kept.drift(course.id)
    assert len(notices) == count
    assert all("Room 7" in notice.words and "light" in notice.words for notice in notices)
