"""A camera seen before: its cohort is taken, told, kept with the session and handed on, grown."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from attendance.__main__ import app
from attendance.bootstrap import School, utc_now
from attendance.config import Config
from attendance.core.cohort import Cohort
from tests.integration.camera_site import enrol_astronaut, film

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")

PEOPLE = 8


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("astronaut") / "home"
    enrol_astronaut(folder)
    return folder


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "classroom.mp4"
    film(path)
    return path


@pytest.fixture
def school(home):
    opened = School(home, Config())
    yield opened
    opened.close()


def start(home, video, figures):
    words = ["--home", str(home), "session", "start", "--course", "SPACE", "--camera", str(video)]
    told = CliRunner().invoke(app, [*words, "--fast", "--json", str(figures)])
    assert told.exit_code == 0, told.output
    return " ".join(told.output.split()), json.loads(figures.read_text(encoding="utf-8"))


def test_a_known_camera_is_known_to_the_session_that_starts_on_it(school, home, video, tmp_path):
    """First nobody has been seen, and one face makes no cohort; then eight had been."""
    told, figures = start(home, video, tmp_path / "first.json")
    assert "light and lens are not known yet" in told
    assert figures["cohort_version"] is None
    course = school.sessions.find_course("SPACE")
    camera = school.sessions.camera(str(video))
    assert school.calibrations.cohort(camera.id, school.model_id) is None

    seen = np.eye(512, dtype=np.float32)[:PEOPLE]
    before = Cohort.empty(school.model_id, 512).with_session(seen)
    school.calibrations.keep_cohort(camera.id, before, at=utc_now())
    expected = school.rules(course, camera.id)
    told, figures = start(home, video, tmp_path / "second.json")
    known = f"Camera known from {PEOPLE} people (version 1)"
    assert 0 <= told.index(known) < told.index("is open")
    assert figures["cohort_version"] == 1
    assert figures["threshold"] == expected.thresholds["threshold"]
    assert school.sessions.get(figures["session"]).rules == expected
    assert [row["status"] for row in figures["rows"]] == ["present", "absent"]
    reasons = CliRunner().invoke(app, ["--home", str(home), "session", "why", "S1", "--json", "-"])
    assert json.loads(reasons.stdout)["cohort_version"] == 1

    grown = school.calibrations.cohort(camera.id, school.model_id)
    assert (grown.version, grown.cohort.tracks, grown.cohort.people) == (2, PEOPLE + 1, PEOPLE)
    first = school.calibrations.cohort(camera.id, school.model_id, 1).cohort
    astronaut = grown.cohort.mean * (PEOPLE + 1) - first.mean * PEOPLE
    assert np.linalg.norm(astronaut) == pytest.approx(1.0, abs=1e-3)
