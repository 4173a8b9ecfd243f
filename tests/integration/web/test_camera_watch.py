"""When a screen says that a camera is gone, by a clock that tests turn."""

from dataclasses import dataclass

import pytest

from attendance.core.domain import CameraState, SessionState
from web.camera_watch import CameraWatch

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
class Pulse:
    """As much of a lease."""

    beat: int
    fps: float = 10.0
    frames: int = 0
    dropped: int = 0
    unknown_faces: int = 0


def states(*moments):
    """The states shown at moments of (seconds, session or None for no news, lease)."""
    watch = CameraWatch(1, 0.0)
    shown = []
    for at_s, facts, pulse in moments:
        if facts is not None:
            watch.notice(facts, pulse, at_s)
        shown.append(watch.status(at_s).state)
    return shown


def test_a_process_that_falls_silent_is_gone_after_two_seconds():
    seen = states(
        (0.0, Facts(), Pulse(1)), (0.5, Facts(), Pulse(2)), (2.4, None, None), (2.6, None, None)
    )
    assert seen == ["live", "live", "live", "no_process"]


def test_commits_of_others_are_no_heartbeat():
    """Arrivals keep changing the database; only the lease's counter proves a camera."""
    seen = states((0.0, Facts(), Pulse(7)), (1.9, Facts(), Pulse(7)), (2.1, Facts(), Pulse(7)))
    assert seen[-1] == "no_process"


def test_a_process_that_loads_its_models_is_starting_not_gone():
    moments = [(0.0, Facts(camera_state=STARTING), None), (1.0, Facts(LIVE and OPEN), Pulse(0))]
    assert states(*moments, (9.0, None, None)) == ["starting"] * 3
    assert states(*moments, (17.0, None, None))[-1] == "no_process"


def test_a_new_process_after_a_crash_counts_anew():
    seen = states((0.0, Facts(), Pulse(50)), (3.0, None, None), (3.5, Facts(), Pulse(0)))
    assert seen == ["live", "no_process", "starting"]


def test_a_lost_camera_stays_reconnecting_while_its_process_is_replaced():
    lost = Facts(camera_state=LOST, camera_detail="no picture comes any more")
    assert states((0.0, lost, Pulse(9)), (6.0, lost, None), (10.0, lost, None))[-1] == "lost"
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
    assert states((0.0, ended, Pulse(4)), (silent_s, None, None))[-1] == "ended"


def test_figures_come_once_a_second_and_a_change_of_state_at_once():
    watch = CameraWatch(1, 0.0)
    watch.notice(Facts(), Pulse(1), 0.0)
    assert watch.news(0.0) is not None
    watch.notice(Facts(), Pulse(2, frames=5), 0.4)
    assert watch.news(0.4) is None
    assert watch.news(1.0).frames == 5
    assert watch.news(1.1) is None
    watch.notice(Facts(camera_state=LOST), Pulse(3), 1.2)
    assert watch.news(1.2).state == "lost"
