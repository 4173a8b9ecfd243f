"""Who reads a camera, and what happens when that process dies."""

import os

import pytest

from attendance.core.domain import CameraState, SessionState
from attendance.core.errors import CameraBusyError, SessionStateError
from attendance.sessions import Pulse, Wish, is_alive, process_token

OPEN = Wish(SessionState.OPEN)


@pytest.fixture
def mine():
    return process_token()


@pytest.fixture
def holder(classroom, writer):
    """Another living process that holds the camera's lease."""
    other = writer("hold_lease", classroom.camera.id, classroom.id)
    assert other.line() == "ready"
    return other


def test_token_names_this_very_process(mine):
    assert mine.startswith(f"{os.getpid()}:")
    assert is_alive(mine)


@pytest.mark.parametrize(
    "token",
    [f"{os.getpid()}:1000.00", "999999999:1.00", "", "nonsense", "12:nonsense"],
    ids=["the id was used again", "no such process", "empty", "text", "half"],
)
def test_token_of_nobody_is_dead(token):
    assert not is_alive(token)


def test_heartbeat_counts_and_covers_and_says_what_is_wished(classroom, mine):
    sessions = classroom.sessions
    assert sessions.lease(classroom.id) is None
    sessions.acquire_lease(classroom.camera.id, classroom.id, mine)
    sessions.camera_changed(classroom.id, CameraState.LIVE, at=classroom.at(0))
    assert sessions.beat(classroom.id, mine, covered_s=1.5, pulse=Pulse(30, 3)) == OPEN
    pulse = Pulse(60, 6, 29.5, 0.1, 1920, 1080, 2)
    assert sessions.beat(classroom.id, mine, covered_s=1.0, pulse=pulse) == OPEN
    lease = sessions.lease(classroom.id)
    assert (lease.owner, lease.beat, lease.state) == (mine, 2, CameraState.LIVE)
    assert lease.pulse == pulse
    assert sessions.get(classroom.id).covered_s == 2.5
    sessions.pause(classroom.id, at=classroom.at(3))
    assert sessions.beat(classroom.id, mine, covered_s=9).state == "paused"
    assert sessions.get(classroom.id).covered_s == 2.5
    sessions.close(classroom.id, at=classroom.at(4))
    assert sessions.beat(classroom.id, mine).state == "needs_instructor"
    sessions.release_lease(classroom.camera.id, mine)
    assert sessions.lease(classroom.id) is None


def test_heartbeat_is_no_event(classroom, mine):
    classroom.sessions.acquire_lease(classroom.camera.id, classroom.id, mine)
    classroom.sessions.beat(classroom.id, mine, covered_s=1)
    assert len(classroom.events()) == 1


def test_camera_of_a_living_process_is_refused(classroom, holder, mine):
    with pytest.raises(CameraBusyError, match=f"process {holder.process.pid}"):
        classroom.sessions.acquire_lease(classroom.camera.id, classroom.id, mine)
    with pytest.raises(CameraBusyError):
        classroom.sessions.beat(classroom.id, mine)
    classroom.sessions.release_lease(classroom.camera.id, mine)
    assert classroom.sessions.lease(classroom.id) is not None


def test_camera_of_a_killed_process_is_taken_at_once(classroom, holder, mine):
    holder.process.kill()
    holder.process.wait(timeout=60)
    classroom.sessions.acquire_lease(classroom.camera.id, classroom.id, mine)
    assert classroom.sessions.lease(classroom.id).owner == mine


def test_process_that_lost_its_lease_is_told_to_stop(classroom, mine):
    classroom.sessions.acquire_lease(classroom.camera.id, classroom.id, "1:5.00")
    classroom.sessions.acquire_lease(classroom.camera.id, classroom.id, mine)
    with pytest.raises(CameraBusyError, match="another process"):
        classroom.sessions.beat(classroom.id, "1:5.00", covered_s=5)
    assert classroom.sessions.get(classroom.id).covered_s == 0


def test_lease_needs_a_session_that_runs_with_that_camera(classroom, mine):
    other = classroom.sessions.camera("1")
    with pytest.raises(SessionStateError):
        classroom.sessions.acquire_lease(other.id, classroom.id, mine)
    classroom.close()
    with pytest.raises(SessionStateError):
        classroom.sessions.acquire_lease(classroom.camera.id, classroom.id, mine)
