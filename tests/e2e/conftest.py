"""A real Chromium on a real server with a real database."""

import itertools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

from attendance.bootstrap import School
from attendance.config import Config
from attendance.core.domain import Decision, LookEvidence, Remark, RemarkKind, Sighting

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
]
SERVE = """
import sys
from pathlib import Path
from attendance.config import Config
from web.server import serve
serve(Path(sys.argv[1]), Config(), 0, lambda port: print(port, flush=True))
"""
NAMES = ("김민수", "이서연", "Ada Lovelace", "Grace Hopper", "Alan Turing", "Hedy Lamarr")
WAIT_MS = 15_000
CROP = np.full((112, 90, 3), (120, 150, 200), np.uint8)


@pytest.fixture(scope="session")
def chromium():
    """A running Chromium; without one the tests fail and say how to get it."""
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        pytest.fail("no Chromium on this machine; install it: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


class Visitor:
    """One browser window; what the page complains about in its console fails the test."""

    def __init__(self, chromium, **settings):
        settings = {"viewport": {"width": 1280, "height": 800}} | settings
        self.context = chromium.new_context(**settings)
        self.context.set_default_timeout(WAIT_MS)
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message):
        is_network = "net::ERR_INTERNET_DISCONNECTED" in message.text
        if message.type in {"error", "warning"} and not is_network:
            self.complaints.append(f"{message.text} ({message.location.get('url')})")

    def close(self):
        self.context.close()
        assert self.complaints == []


@pytest.fixture
def visit(chromium):
    """Opens windows, each with settings of its own, and closes them at the end."""
    visitors = []

    def open_window(**settings):
        visitors.append(Visitor(chromium, **settings))
        return visitors[-1]

    yield open_window
    for visitor in visitors:
        visitor.close()


@pytest.fixture
def page(visit):
    """One window of the usual size."""
    return visit().page


@dataclass
class Served:
    """A school and the address of its pages."""

    school: School
    url: str
    numbers: itertools.count


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """The web side alone, in a process of its own; the tests write what a camera would."""
    school = School(tmp_path_factory.mktemp("served") / "home", Config())
    school.registry.students()
    command = [sys.executable, "-c", SERVE, str(school.home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    port = process.stdout.readline().strip()
    yield Served(school, f"http://127.0.0.1:{port}", itertools.count(1))
    process.terminate()
    process.communicate(timeout=10)
    school.close()


class Room:
    """A course of its own in the served school, with six students and a camera."""

    def __init__(self, served):
        self.url, self.sessions = served.url, served.school.sessions
        self.school = served.school
        number = next(served.numbers)
        self.code = f"C-{number}"
        self.course = self.sessions.add_course(self.code, f"Course {number}", "Asia/Seoul")
        add = served.school.registry.add_student
        self.students = [add(f"{number}-{n}", name) for n, name in enumerate(NAMES, 1)]
        self.sessions.add_to_roster(self.course.id, [student.id for student in self.students])
        self.camera = self.sessions.camera(str(100 + number), f"Room {number}")

    def open(self, minutes_ago=0.0):
        return self.sessions.open(
            self.course.id,
            self.camera.id,
            at=datetime.now(UTC) - timedelta(minutes=minutes_ago),
            model_id="facenet-test",
            rules=self.school.rules(),
        )

    def see(self, session, *students, decision=Decision.ACCEPT, similarity=0.72, flaw=""):
        at = datetime.now(UTC)
        figures = (similarity, similarity, 0.3, 0.9, similarity - 0.3)
        looks = (LookEvidence(at, *figures, CROP, flaw),)
        for student in students:
            sighting = Sighting(
                student.id, decision, at, 1, similarity, similarity, 0.3, 1.0, looks
            )
            self.sessions.record(session.id, sighting)

    def doubt(self, session, student):
        facts = (student.id, datetime.now(UTC), 1, 0.72, 0.72, 0.3)
        self.sessions.remark(session.id, Remark(RemarkKind.WITHDRAWN, *facts))


@pytest.fixture
def room(served):
    return Room(served)


@pytest.fixture
def attendance_run(tmp_path):
    """`attendance run` as a person would start it: pages, supervisor, camera processes."""
    home = tmp_path / "home"
    command = [sys.executable, "-m", "attendance", "--home", str(home)]
    command += ["run", "--no-browser", "--port", "0"]
    environment = os.environ | {"ATTENDANCE_SESSION__MIN_COVERAGE": "0", "COLUMNS": "200"}
    log = (tmp_path / "log.txt").open("w")
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
    )
    said = next((line for line in process.stdout if "http://" in line), "")
    found = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert found, (tmp_path / "log.txt").read_text()
    yield found[0]
    process.terminate()
    process.communicate(timeout=20)
    log.close()
