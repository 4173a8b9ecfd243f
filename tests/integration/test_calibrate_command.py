"""`attendance calibrate` from the command line: kept, reported, in force afterwards."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from attendance.__main__ import app
from attendance.bootstrap import School, utc_now
from attendance.calibration.background import SHIPPED, backgrounds, shipped_background
from attendance.cli.checkup import check_separation
from attendance.config import Config
from attendance.core.cohort import Cohort
from attendance.core.domain import Pose
from attendance.registry import NewTemplate

DIMENSION = 512


def templates(draw):
    centre = draw.normal(size=DIMENSION)
    found = []
    for pose in Pose:
        for is_flip in (False, True):
            row = centre + 0.6 * draw.normal(size=DIMENSION)
            unit = (row / np.linalg.norm(row)).astype(np.float32)
            found.append(NewTemplate(pose.value, pose, is_flip, unit))
    return found


@pytest.fixture
def home(tmp_path):
    school, draw, ids = School(tmp_path / "home", Config()), np.random.default_rng(0), []
    course = school.sessions.add_course("CAL", "Calibrated")
    for number in range(6):
        student = school.registry.add_student(f"S{number}", f"Person {number}")
        consent = {"text_version": "1", "language": "en", "at": utc_now()}
        school.registry.give_consent(student.id, **consent)
        own = templates(draw)
        school.registry.replace_templates(student.id, school.model_id, own, at=utc_now())
        ids.append(student.id)
    school.sessions.add_to_roster(course.id, ids)
    seen = Cohort.empty(school.model_id, DIMENSION).with_session(
        np.eye(DIMENSION, dtype=np.float32)[:8]
    )
    camera = school.sessions.camera("3", "Room 3")
    school.calibrations.keep_cohort(camera.id, seen, at=utc_now())
    school.close()
    return tmp_path / "home"


def test_a_calibration_is_kept_reported_and_in_force(home, tmp_path):
    page, figures = tmp_path / "report.html", tmp_path / "figures.json"
    words = ["--home", str(home), "calibrate", "--course", "CAL", "--camera", "3"]
    told = CliRunner().invoke(app, [*words, "--report", str(page), "--json", str(figures)])
    assert told.exit_code == 0, told.output
    assert "wrong names" in told.output
    assert page.read_text(encoding="utf-8").count("<svg") == 2
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert found["cohort_version"] == 1
    assert found["figures"]["n_students"] == 6
    school = School(home, Config())
    course, camera = school.sessions.find_course("CAL"), school.sessions.camera("3")
    rules, shown = school.rules(course, camera.id), school.in_force(course, camera.id)
    school.close()
    assert rules.operating_point == found["id"]
    assert rules.cohort_version == 1
    assert shown.is_calibrated


def test_several_embedders_are_set_beside_each_other_and_the_doctor_tells(home):
    """Of six students neither can be told to be better, and that is said too."""
    school, draw = School(home, Config()), np.random.default_rng(5)
    second = school.models.model_id("sface")
    for student in school.registry.students():
        own = templates(draw)
        school.registry.replace_templates(student.id, second, own, at=utc_now())
    school.close()
    told = CliRunner().invoke(app, ["--home", str(home), "calibrate", "--course", "CAL"])
    assert told.exit_code == 0, told.output
    said = check_separation(home).says.removeprefix("CAL: ")
    assert said in told.output.replace("\n", " ")
    assert "sface" in said
    assert "casia-webface" in said
    assert "over 6 students" in said


def test_one_embedder_alone_is_called_so(home):
    told = CliRunner().invoke(app, ["--home", str(home), "calibrate", "--course", "CAL"])
    assert "templates of no other embedder" in told.output.replace("\n", " ")
    assert "CAL: casia-webface separates with" in check_separation(home).says


def test_the_doctor_of_a_new_school_says_how_embedders_are_compared(tmp_path):
    assert "attendance calibrate --course" in check_separation(tmp_path).says


def test_a_school_with_sface_goes_by_thresholds_of_its_own(home):
    """Its story: FaceNet's 0.52 named nobody, and nobody had said that it was FaceNet's."""
    school = School(home, Config())
    course = school.sessions.find_course("CAL")
    settings = school.config.decision.threshold
    assert school.decision(school.model_id).threshold == settings
    facenet = school.rules(course).thresholds["threshold"]
    school.models.use("sface")
    sface, shown = school.rules(course).thresholds, school.in_force(course)
    school.close()
    assert sface["threshold"] < settings < facenet  # an unknown camera raises both
    assert sface["threshold"] - sface["review_threshold"] > 0.1
    assert shown.expected_false_accepts is not None


def test_a_course_nobody_is_enrolled_in_says_what_to_do(home):
    school = School(home, Config())
    school.sessions.add_course("NEW", "New")
    school.close()
    told = CliRunner().invoke(app, ["--home", str(home), "calibrate", "--course", "NEW"])
    assert told.exit_code == 1
    assert "enrol them first" in str(told.exception)


def test_what_ships_is_read_and_names_no_one():
    for model_id in backgrounds(SHIPPED):
        found = shipped_background(model_id)
        assert found.threshold(30, 0.01) < found.threshold(84, 0.01)
        level = found.threshold(30, 0.01)
        assert found.rate(84, level) > found.rate(30, level) > found.rate(5, level)
