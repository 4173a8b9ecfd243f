"""When a screen says that a camera is gone, by a clock that tests turn."""

from dataclasses import dataclass, field

import pytest

from attendance.config import Config
from attendance.core.domain import CameraState, SessionState
from attendance.sessions import Pulse, process_token
from web.camera_watch import CameraWatch, camera_now

OPEN, PAUSED = SessionState.OPEN, SessionState.PAUSED
LIVE, LOST, STARTING = CameraState.LIVE, CameraState.LOST, CameraState.STARTING
STOPPED = CameraState.STOPPED


@dataclass
class Facts:
    """As much of a session as the watch looks at."""

    state: SessionState = OPEN
    camera_state: CameraState = LIVE
    camera_detail: str = ""


@dataclass
class Beat:
    """As much of a lease."""

    beat: int
    pulse: Pulse = field(default_factory=Pulse)


def states(*moments):
    """The states shown at moments of (seconds, session or None for no news, lease)."""
    watch = CameraWatch(1, 0.0, Config())
    shown = []
    for at_s, facts, pulse in moments:
        if facts is not None:
            watch.notice(facts, pulse, at_s)
        shown.append(watch.status(at_s).state)
    return shown


def test_a_process_that_falls_silent_is_gone_after_two_seconds():
    seen = states(
        (0.0, Facts(), Beat(1)), (0.5, Facts(), Beat(2)), (2.4, None, None), (2.6, None, None)
    )
    assert seen == ["live", "live", "live", "no_process"]


def test_commits_of_others_are_no_heartbeat():
    """Arrivals keep changing the database; only the lease's counter proves a camera."""
    seen = states((0.0, Facts(), Beat(7)), (1.9, Facts(), Beat(7)), (2.1, Facts(), Beat(7)))
    assert seen[-1] == "no_process"


def test_a_process_that_loads_its_models_is_starting_not_gone():
    moments = [(0.0, Facts(camera_state=STARTING), None), (1.0, Facts(LIVE and OPEN), Beat(0))]
    assert states(*moments, (9.0, None, None)) == ["starting"] * 3
    assert states(*moments, (17.0, None, None))[-1] == "no_process"


def test_a_new_process_after_a_crash_counts_anew():
    seen = states((0.0, Facts(), Beat(50)), (3.0, None, None), (3.5, Facts(), Beat(0)))
    assert seen == ["live", "no_process", "starting"]


def test_a_lost_camera_stays_reconnecting_while_its_process_is_replaced():
    lost = Facts(camera_state=LOST, camera_detail="no picture comes any more")
    assert states((0.0, lost, Beat(9)), (6.0, lost, None), (10.0, lost, None))[-1] == "lost"
    assert states((0.0, lost, None), (16.0, None, None))[-1] == "no_process"


def test_a_pause_is_no_loss_and_patience_begins_at_its_end():
    paused, resumed = Facts(PAUSED, STOPPED), Facts(OPEN, STOPPED)
    seen = states(
        (0.0, paused, None), (600.0, paused, None), (605.0, resumed, None), (616.0, None, None)
    )
    assert seen == ["paused", "paused", "starting", "no_process"]


@pytest.mark.parametrize("silent_s", [0.0, 3600.0])
def test_a_video_that_ended_has_ended_however_long_ago(silent_s):
    ended = Facts(camera_state=CameraState.ENDED)
    assert states((0.0, ended, Beat(4)), (silent_s, None, None))[-1] == "ended"


def test_figures_come_once_a_second_and_a_change_of_state_at_once():
    watch = CameraWatch(1, 0.0, Config())
    watch.notice(Facts(), Beat(1), 0.0)
    assert watch.news(0.0) is not None
    watch.notice(Facts(), Beat(2, Pulse(frames=5)), 0.4)
    assert watch.news(0.4) is None
    assert watch.news(1.0).frames == 5
    assert watch.news(1.1) is None
    watch.notice(Facts(camera_state=LOST), Beat(3), 1.2)
    assert watch.news(1.2).state == "lost"


def test_the_reach_is_that_of_the_pictures_that_arrive():
    """A webcam that was asked for 1280 pixels may give 640: half as far."""
    watch = CameraWatch(1, 0.0, Config())
    watch.notice(Facts(), Beat(0), 0.0)
    asked = watch.status(0.0).reach
    watch.notice(Facts(), Beat(1, Pulse(width_px=640, height_px=480)), 0.5)
    given = watch.status(0.5).reach
    assert (asked.width_px, given.width_px) == (1280, 640)
    assert given.metres == pytest.approx(asked.metres / 2)
    assert given.sweep_metres == pytest.approx(given.metres * 2)


@pytest.mark.parametrize(
    ("owner", "state"),
    [(process_token(), "live"), ("1:5.00", "no_process")],
    ids=["its process lives", "its process died"],
)
def test_one_look_at_a_camera_asks_whether_its_process_lives(room, school, owner, state):
    session = room.open()
    school.sessions.acquire_lease(room.camera.id, session.id, owner)
    school.sessions.camera_changed(session.id, LIVE, at=session.opened_at)
    school.sessions.beat(session.id, owner, pulse=Pulse(300, 6, 29.6, 0.02, 1280, 720, 1))
    camera = camera_now(school, session.id)
    assert (camera.state, camera.skipped, camera.fps) == (state, 0.02, 29.6)
