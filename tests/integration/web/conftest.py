"""The pages of a real school on a real SQLite file, and a class in it that can be started."""

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from attendance.bootstrap import School
from attendance.config import Config
from attendance.core.domain import Decision, Sighting
from attendance.sessions import ClassSession
from web import close_app, create_app

BASE_URL = "http://127.0.0.1:8765"
NAMES = ("김민수", "Ada Lovelace", "Grace Hopper", "Alan Turing")


@dataclass
class Classroom:
    """A course with four students, and what a camera process would write."""

    school: School

    def __post_init__(self):
        registry, sessions = self.school.registry, self.school.sessions
        self.course = sessions.add_course("BIO-101", "Introduction to biology", "Asia/Seoul")
        self.students = [registry.add_student(f"S{n}", name) for n, name in enumerate(NAMES, 1)]
        sessions.add_to_roster(self.course.id, [student.id for student in self.students])
        self.camera = sessions.camera("0", "Room 204")

    def open(self, minutes_ago: float = 0.0) -> ClassSession:
        return self.school.sessions.open(
            self.course.id,
            self.camera.id,
            at=datetime.now(UTC) - timedelta(minutes=minutes_ago),
            model_id="facenet-test",
            rules=self.school.rules(),
        )

    def see(self, session, student, decision=Decision.ACCEPT, similarity=0.72):
        at = datetime.now(UTC)
        sighting = Sighting(student.id, decision, at, 1, similarity, similarity, 0.3)
        return self.school.sessions.record(session.id, sighting)


class Browser:
    """A Flask test client that behaves as a browser on this machine: own host, CSRF token."""

    def __init__(self, app):
        self.client = app.test_client()

    def get(self, path, **kwargs):
        return self.client.get(path, base_url=BASE_URL, **kwargs)

    def token(self):
        page = self.get("/courses").get_data(as_text=True)
        return re.search(r'name="csrf-token" content="([^"]+)"', page)[1]

    def post(self, path, data=None, *, token=None, headers=None, **kwargs):
        headers = {"X-CSRFToken": token or self.token()} | (headers or {})
        return self.client.post(path, data=data, base_url=BASE_URL, headers=headers, **kwargs)


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory):
    """A school's folder with a migrated database and a key, to be copied."""
    home = tmp_path_factory.mktemp("empty") / "home"
    school = School(home, Config())
    school.registry.students()
    school.close()
    return home


@pytest.fixture
def school(tmp_path, empty_home):
    school = School(shutil.copytree(empty_home, tmp_path / "home"), Config())
    yield school
    school.close()


@pytest.fixture
def room(school):
    return Classroom(school)


@pytest.fixture
def app(school):
    school.registry  # noqa: B018 (opens database and vault as the server does)
    app = create_app(school, testing=True)
    yield app
    close_app(app)


@pytest.fixture
def browser(app):
    return Browser(app)
