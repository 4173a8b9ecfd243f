"""A real school on a real SQLite file, and a classroom in it with an open session."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from attendance.core.domain import Decision, LookEvidence, Pose, Sighting
from attendance.db.engine import Database, open_database
from attendance.db.vault import KEY_VARIABLE, Vault, open_vault
from attendance.registry import NewTemplate, Registry, Student
from attendance.sessions import (
    Camera,
    ClassSession,
    Course,
    CropKeeper,
    RegisterRow,
    SessionRules,
    Sessions,
)

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MODEL = "facenet-test"
RULES = SessionRules(late_after_s=600.0, min_coverage=0.8, thresholds={"threshold": 0.5})
WRITER = Path(__file__).with_name("writer.py")


@dataclass
class School:
    home: Path
    db: Database
    vault: Vault
    registry: Registry
    sessions: Sessions

    @classmethod
    def open(cls, home):
        db = open_database(home)
        vault = open_vault(home, db)
        sessions = Sessions(db, CropKeeper(lambda: vault, keep_days=14))
        return cls(home, db, vault, Registry(db, vault), sessions)

    def add_students(self, *names):
        first = len(self.registry.students()) + 1
        return [self.registry.add_student(f"S{n:03}", x) for n, x in enumerate(names, first)]

    def enrol(self, student, embeddings, at=NINE):
        """Consent and one template a pose, as many as there are embeddings."""
        self.registry.give_consent(student.id, text_version="1", language="ko", at=at)
        templates = [
            NewTemplate(f"photo-{pose}", pose, False, np.asarray(embedding, np.float32))
            for pose, embedding in zip(Pose, embeddings, strict=False)
        ]
        return self.registry.replace_templates(student.id, MODEL, templates, at=at)

    def execute(self, sql, **values):
        """Raw SQL, as a clumsy hand at the database would do it."""
        with self.db.engine.execution_options(is_immediate=True).begin() as connection:
            result = connection.execute(text(sql), values)
            return [tuple(row) for row in result] if result.returns_rows else []


@dataclass
class Classroom:
    school: School
    course: Course
    camera: Camera
    students: list[Student]
    session: ClassSession
    opened_at: datetime = NINE
    seen: int = field(default=0)

    @property
    def id(self):
        return self.session.id

    @property
    def sessions(self):
        return self.school.sessions

    def at(self, seconds):
        return self.opened_at + timedelta(seconds=seconds)

    def sighting(self, student, after_s=5.0, decision=Decision.ACCEPT, score=0.7, seen_s=1.0):
        at = self.at(after_s)
        look = LookEvidence(at=at, similarity=score + 0.1, score=score, margin=0.2, quality=0.9)
        return Sighting(
            student_id=self.students[student].id,
            decision=decision,
            at=at,
            track_id=1,
            similarity=score + 0.1,
            score=score,
            margin=0.2,
            seen_s=seen_s,
            evidence=(look,),
        )

    def see(self, student, after_s=5.0, **facts):
        return self.sessions.record(self.id, self.sighting(student, after_s, **facts))

    def doubt(self, student, after_s=5.0, **facts):
        return self.see(student, after_s, decision=Decision.REVIEW, **facts)

    def correct(self, student, status, reason="said so", after_s=60.0):
        student_id = self.students[student].id
        return self.sessions.correct(
            self.id, student_id, status, reason=reason, by="instructor", at=self.at(after_s)
        )

    def close(self, after_s=3600.0, covered_s=None):
        seconds = max(after_s, 0.0) if covered_s is None else covered_s
        if self.sessions.get(self.id).state == "open":
            self.sessions.add_coverage(self.id, seconds)
        return self.sessions.close(self.id, at=self.at(after_s))

    def why(self, student, after_s=3700.0):
        student_id = self.students[student].id
        return self.sessions.why(self.id, student_id, at=self.at(after_s))

    def row(self, student) -> RegisterRow:
        wanted = self.students[student].id
        return next(r for r in self.sessions.register(self.id) if r.student_id == wanted)

    def events(self, kind=None):
        events = self.sessions.events_after(self.id, 0, limit=100_000)
        return [event for event in events if kind in (None, event.kind)]


def open_classroom(school, size=4, *, name="CS101", source="0", timezone="Asia/Seoul"):
    course = school.sessions.add_course(name, f"Course {name}", timezone)
    students = school.add_students(*[f"Student {n}" for n in range(size)])
    school.sessions.add_to_roster(course.id, [student.id for student in students])
    camera = school.sessions.camera(source)
    session = school.sessions.open(course.id, camera.id, at=NINE, model_id=MODEL, rules=RULES)
    return Classroom(school, course, camera, students, session)


class Writer:
    """Another process that works on the same home; see writer.py."""

    def __init__(self, home, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, str(WRITER), str(home), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self):
        return self.process.stdout.readline().strip()

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def rest(self):
        """What it still had to say, once it has ended."""
        lines = self.process.stdout.read().split("\n")
        self.process.wait(timeout=60)
        return [line for line in lines if line]

    def answer(self):
        return json.loads(self.rest()[-1])

    def end(self):
        self.process.kill()
        self.process.wait(timeout=60)
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture(autouse=True)
def _no_key_from_outside(monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "school"


@pytest.fixture(scope="session")
def new_home(tmp_path_factory):
    """A home after its first run; copies of it spare the tests the migrations."""
    path = tmp_path_factory.mktemp("new") / "school"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(KEY_VARIABLE, raising=False)
        School.open(path).db.dispose()
    return path


@pytest.fixture
def school(home, new_home):
    shutil.copytree(new_home, home)
    opened = School.open(home)
    yield opened
    opened.db.dispose()


@pytest.fixture
def kim(school):
    return school.add_students("김철수")[0]


@pytest.fixture
def lee(school, kim):
    return school.add_students("이영희")[0]


@pytest.fixture
def reopen(home):
    """Opens the same home once more, as a restarted program would."""
    opened = []

    def again():
        opened.append(School.open(home))
        return opened[-1]

    yield again
    for each in opened:
        each.db.dispose()


@pytest.fixture(scope="module")
def lasting_school(tmp_path_factory):
    """One for a whole module of property tests; each example brings its own people."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(KEY_VARIABLE, raising=False)
        opened = School.open(tmp_path_factory.mktemp("lasting") / "school")
        yield opened
        opened.db.dispose()


@pytest.fixture
def classroom(school):
    return open_classroom(school)


@pytest.fixture
def open_room(school):
    """Opens classrooms in the same school."""

    def make(size=4, **options):
        return open_classroom(school, size, **options)

    return make


@pytest.fixture
def writer(home):
    """Starts other processes on the same home; none outlives the test."""
    started = []

    def start(*arguments):
        started.append(Writer(home, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.end()
