"""Real camera processes on real cameras, faces and files: killed, hanging, and always recorded."""

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta

import psutil
import pytest

from attendance.camera import EXIT_BUSY, EXIT_DONE, EXIT_FAILED
from attendance.core.domain import CameraState, SessionState, Status
from attendance.preview import PreviewClient
from attendance.sessions import is_alive
from attendance.supervisor import Spawner
from tests.fakes import until
from tests.integration.camera_site import NINE, Site, classroom, config_of, enrol_astronaut, film
from tests.integration.mjpeg import MjpegServer, jpeg

PROMISED_S = 2.0
STARTS_WITHIN_S = 90.0
HANG_S = 2.0

# OpenVINO still converts by way of torch.jit, which torch is about to retire.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")


@pytest.fixture(scope="module")
def enrolled_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("astronaut") / "home"
    enrol_astronaut(home)
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
    path = tmp_path_factory.mktemp("video") / "classroom.mp4"
    film(path)
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
