"""Real camera processes on real cameras, faces and files: killed, hanging, and always recorded."""

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import psutil
import pytest
import skimage.data

from attendance.bootstrap import School, utc_now
from attendance.camera import EXIT_BUSY, EXIT_DONE, EXIT_FAILED
from attendance.config import Config
from attendance.core.domain import CameraState, Pose, SessionState, Status
from attendance.preview import PreviewClient
from attendance.sessions import is_alive
from attendance.supervisor import STEP_S, Spawner, Supervisor
from enroll.enrollment import Enroller
from tests.fakes import until
from tests.integration.mjpeg import MjpegServer, jpeg

PROMISED_S = 2.0
STARTS_WITHIN_S = 90.0
HANG_S = 2.0
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

# OpenVINO still converts by way of torch.jit, which torch is about to retire.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")


def astronaut():
    return np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])


def turned(image, degrees, brightness):
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    picture = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.clip(picture * brightness, 0, 255).astype(np.uint8)


def photos():
    """Five photos of one face: a little turned, a little brighter or darker."""
    face = astronaut()[0:320, 80:400]
    angles, lights = (0, -6, 6, -3, 3), (1.0, 0.9, 1.1, 1.05, 0.95)
    return {
        pose: jpeg(turned(face, angle, light), 95)
        for pose, angle, light in zip(Pose, angles, lights, strict=True)
    }


def classroom(count=40):
    """Pictures of a room in which the astronaut moves about."""
    face = astronaut()[0:320, 80:400]
    for n in range(count):
        room = np.full((480, 640, 3), 150, np.uint8)
        x = 160 + round(40 * np.sin(2 * np.pi * n / count))
        y = 80 + round(20 * np.cos(2 * np.pi * n / count))
        room[y : y + 320, x : x + 320] = face
        yield room


def config_of(**camera):
    config = Config()
    return config.model_copy(update={"camera": config.camera.model_copy(update=camera)})


class Site:
    """A school with a course, a supervisor, and the session that a test opens."""

    def __init__(self, home, config):
        self.home, self.config = home, config
        self.school = School(home, config)
        self.sessions = self.school.sessions
        self.supervisor = Supervisor(self.school, Spawner(home, config))
        self.present, self.away = [s.id for s in self.school.registry.students()]
        self.session_id = None

    def open(self, source, *, pace="live", at=None):
        session = self.sessions.open(
            self.sessions.find_course("SPACE").id,
            self.sessions.camera(str(source)).id,
            at=at or utc_now(),
            model_id=self.school.model_id,
            rules=self.school.rules(),
            pace=pace,
        )
        self.session_id = session.id
        return session

    def until(self, predicate, within_s):
        """Supervise until something is true, as a server would."""
        stepped = [float("-inf")]

        def step_and_look():
            now = time.monotonic()
            if now - stepped[0] >= STEP_S:
                stepped[0] = now
                self.supervisor.step()
            return predicate()

        return until(step_and_look, within_s)

    def session(self):
        return self.sessions.get(self.session_id)

    def is_in(self, state):
        return self.session().camera_state is state

    def status_of(self, student_id):
        rows = self.sessions.register(self.session_id)
        return next(row.status for row in rows if row.student_id == student_id)

    def is_named(self):
        return self.status_of(self.present) is Status.PRESENT

    def owner(self):
        lease = self.sessions.lease(self.session_id)
        return lease.owner if lease else None

    def pid(self):
        return int(self.owner().partition(":")[0])

    def frames(self):
        lease = self.sessions.lease(self.session_id)
        return lease.pulse.frames if lease else 0

    def is_reading(self):
        """The preview's card is written as the first read begins."""
        return (self.home / "run" / f"preview-{self.session_id}.json").exists()

    def events(self, kind=None):
        events = self.sessions.events_after(self.session_id, 0)
        assert [e.number for e in events] == list(range(1, len(events) + 1))
        assert self.session().last_event == len(events)
        return [e for e in events if kind in (None, e.kind)]

    def camera_states(self):
        return [event.payload["state"] for event in self.events("camera")]

    def close(self):
        return self.sessions.close(self.session_id, at=utc_now())


@pytest.fixture(scope="module")
def enrolled_home(tmp_path_factory):
    """A home where the astronaut is enrolled and the models are compiled; tests take copies."""
    home = tmp_path_factory.mktemp("astronaut") / "home"
    school = School(home, Config())
    at = NINE - timedelta(days=1)
    student = school.registry.add_student("S1", "Eileen")
    school.registry.give_consent(student.id, text_version="1", language="en", at=at)
    limits = school.config.enrollment
    enroller = Enroller(school.detector(), school.embedders(), school.registry, limits)
    assert enroller.enroll(student.id, photos(), at=at).templates == 10
    away = school.registry.add_student("S2", "Away")
    course = school.sessions.add_course("SPACE", "Space flight")
    school.sessions.add_to_roster(course.id, [student.id, away.id])
    school.close()
    return home


@pytest.fixture
def make_site(enrolled_home, tmp_path):
    made = []

    def make(**camera):
        home = tmp_path / "home"
        shutil.copytree(enrolled_home, home)
        made.append(Site(home, config_of(**camera)))
        return made[-1]

    yield make
    for site in made:
        site.supervisor.close()
        site.school.close()


@pytest.fixture
def site(make_site):
    return make_site()


@pytest.fixture(scope="module")
def jpegs():
    return [jpeg(picture) for picture in classroom()]


@pytest.fixture
def server(jpegs):
    with MjpegServer(jpegs, fps=10) as server:
        yield server


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Six seconds of the classroom."""
    path = tmp_path_factory.mktemp("video") / "classroom.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (640, 480))
    for picture in classroom(60):
        writer.write(picture)
    writer.release()
    return path


@pytest.fixture
def fifo(tmp_path):
    """A camera whose opening hangs for ever: a pipe that nobody writes to."""
    path = tmp_path / "camera.mp4"
    os.mkfifo(path)
    return path


def test_a_network_camera_is_killed_and_restarted_while_a_session_runs(site, server, measured):
    site.open(server.url)
    measured("first name after the session opened", site.until(site.is_named, STARTS_WITHIN_S))
    assert site.camera_states() == ["live"]
    preview = PreviewClient(site.home).frame(site.session_id, 0, timeout_s=5)
    assert preview.jpeg[:2] == b"\xff\xd8"

    server.kill()
    lost_s = site.until(lambda: site.is_in(CameraState.LOST), PROMISED_S)
    measured("HTTP camera killed: the session says lost", lost_s)
    assert site.camera_states() == ["live", "lost"]
    seen, owner = site.frames(), site.owner()
    server.start()
    back_s = site.until(lambda: site.frames() > seen and site.is_in(CameraState.LIVE), 10)
    measured("HTTP camera restarted: frames return", back_s)
    assert site.owner() == owner

    server.go_silent()
    lost_s = site.until(lambda: site.is_in(CameraState.LOST), PROMISED_S)
    measured("HTTP camera silent for ever: the session says lost", lost_s)

    assert len(site.events("arrival")) == 1
    site.close()
    gone_s = site.until(lambda: not is_alive(owner), PROMISED_S)
    measured("session closed, camera silent: the process is gone", gone_s)
    assert site.camera_states() == ["live", "lost", "live", "lost"]
    assert site.is_named()


def test_a_camera_that_hangs_for_ever_costs_its_process_and_nothing_else(make_site, fifo, measured):
    site = make_site(hang_s=HANG_S)
    site.open(fifo)
    site.until(site.is_reading, STARTS_WITHIN_S)
    owner = site.owner()
    lost_s = site.until(lambda: site.is_in(CameraState.LOST), PROMISED_S)
    measured("camera hangs in open: the session says lost", lost_s)
    assert site.events("camera")[-1].payload["detail"] == "no picture comes from the camera"

    hung_s = site.until(lambda: not is_alive(owner), HANG_S + PROMISED_S)
    measured(f"camera hangs, hang_s = {HANG_S}: its process ends itself", lost_s + hung_s)
    ended = time.monotonic()
    site.until(lambda: site.owner() not in {None, owner}, STARTS_WITHIN_S)
    second = site.owner()
    site.until(lambda: site.sessions.lease(site.session_id).beat > 0, STARTS_WITHIN_S)
    measured("camera hangs, hang_s = 2: another process reads it", time.monotonic() - ended)

    site.close()
    gone_s = site.until(lambda: not is_alive(second), PROMISED_S)
    measured("session closed, driver hangs: the process is gone", gone_s)
    assert site.session().state is SessionState.NEEDS_INSTRUCTOR


def test_the_register_survives_kill_9_of_the_camera_process(site, server, measured):
    site.open(server.url)
    site.until(site.is_named, STARTS_WITHIN_S)
    owner, pid = site.owner(), site.pid()

    second = Spawner(site.home, site.config)(site.session_id)
    second.join(STARTS_WITHIN_S)
    assert second.exitcode == EXIT_BUSY
    assert site.owner() == owner

    os.kill(pid, signal.SIGKILL)
    lost_s = site.until(lambda: site.is_in(CameraState.LOST), PROMISED_S)
    measured("camera process killed with -9: the session says lost", lost_s)
    assert "camera process ended" in site.session().camera_detail
    assert site.is_named()
    back_s = site.until(lambda: site.is_in(CameraState.LIVE) and site.pid() != pid, STARTS_WITHIN_S)
    measured("camera process killed with -9: another one is live", back_s)
    assert len(site.events("arrival")) == 1
    assert site.is_named()


def test_a_camera_process_whose_parent_is_killed_ends_by_itself(site, server, measured):
    """The parent here is the command line, which watches a session where no server runs."""
    command = [sys.executable, "-m", "attendance", "--home", str(site.home)]
    command += ["session", "start", "--course", "SPACE", "--camera", server.url]
    parent = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(site.sessions.running, STARTS_WITHIN_S)
    site.session_id = site.sessions.running()[0].id
    until(site.is_named, STARTS_WITHIN_S)
    owner = site.owner()
    parent.kill()
    parent.wait(10)
    gone_s = until(lambda: not is_alive(owner), PROMISED_S)
    measured("parent killed with -9: the camera process is gone", gone_s)
    assert site.is_named()
    assert site.session().state is SessionState.OPEN
    assert site.close().state in {SessionState.CLOSED, SessionState.NEEDS_INSTRUCTOR}


MAKE_READY = """
import sys, time
from pathlib import Path
from attendance.config import Config
from attendance.sessions import process_token
from attendance.supervisor import Spawner
spawner = Spawner(Path(sys.argv[1]), Config())
spawner.prepare()
print(spawner._early[0].pid, flush=True)
if sys.argv[2] == "close":
    spawner.close()
    print("closed", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("ending", ["close", "kill"])
def test_a_process_made_ready_for_nothing_does_not_stay(site, ending):
    """The course was misspelt, or the command was killed: nobody will tell it a session."""
    command = [sys.executable, "-c", MAKE_READY, str(site.home), ending]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    early = psutil.Process(int(parent.stdout.readline()))
    if ending == "close":
        assert parent.stdout.readline() == "closed\n"
    parent.kill()
    parent.communicate()
    until(lambda: not early.is_running() or early.status() == psutil.STATUS_ZOMBIE, 10)


def test_a_recording_played_fast_fills_the_register_and_is_played_once(site, video, measured):
    site.open(video, pace="fast", at=NINE)
    measured(
        "6 s of video at 640x480 as fast as it goes, start included",
        site.until(lambda: site.is_in(CameraState.ENDED), STARTS_WITHIN_S),
    )
    assert site.session().covered_s == pytest.approx(5.9)
    site.until(lambda: site.owner() is None, 10)
    end = NINE + timedelta(seconds=5.9)
    assert site.sessions.close(site.session_id, at=end).state is SessionState.CLOSED
    rows = {row.student_id: row for row in site.sessions.register(site.session_id)}
    assert rows[site.present].status is Status.PRESENT
    assert rows[site.present].seen_s == pytest.approx(5.9, abs=1.0)
    assert rows[site.away].status is Status.ABSENT
    kinds = [(event.kind, event.payload.get("state")) for event in site.events()]
    assert kinds == [
        ("opened", None),
        ("camera", "live"),
        ("arrival", None),
        ("camera", "ended"),
        ("closed", None),
    ]


def test_asked_to_end_it_says_so_and_a_camera_that_vanished_is_a_sentence(site, video, tmp_path):
    film = tmp_path / "film.mp4"
    shutil.copy(video, film)
    spawn = Spawner(site.home, site.config)
    site.open(film)
    process = spawn(site.session_id)
    until(lambda: site.is_in(CameraState.LIVE), STARTS_WITHIN_S)
    process.terminate()
    process.join(PROMISED_S)
    assert process.exitcode == EXIT_DONE
    assert site.is_in(CameraState.STOPPED)
    assert site.session().state is SessionState.OPEN
    assert site.owner() is None

    film.unlink()
    process = spawn(site.session_id)
    process.join(STARTS_WITHIN_S)
    assert process.exitcode == EXIT_FAILED
    assert site.is_in(CameraState.LOST)
    assert "film.mp4" in site.session().camera_detail
