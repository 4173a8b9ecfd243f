"""A driver that hangs: the state says so, close comes back in time, no thread is left."""

import time

import pytest

from attendance.core.domain import CameraState
from tests.fake_cameras import FedFrameSource, Hang, ScriptedFrameSource
from tests.fakes import FakeClock, until
from tests.unit.captures import GONE, PICTURE, STALL_S, capturing, fed, state, wait_for


@pytest.fixture
def hang():
    """Hangs that are let go at the end, so that no thread outlives its test."""
    made = []

    def make():
        made.append(Hang())
        return made[-1]

    yield make
    for each in made:
        each.free()


# Hangs


@pytest.mark.parametrize("began", [False, True], ids=["first read", "later read"])
def test_a_read_that_hangs_is_lost_once_it_stalls(hang, began):
    clock, hanging = FakeClock(), hang()
    source = ScriptedFrameSource([*([PICTURE] * began), hanging])
    with capturing(source, clock=clock, stall_s=STALL_S) as capture:
        hanging.began.wait(5)
        clock.advance(STALL_S - 0.01)
        assert state(capture) is (CameraState.LIVE if began else CameraState.STARTING)
        clock.advance(0.02)
        status = capture.status()
        assert (status.state, status.detail) == (
            CameraState.LOST,
            "no picture comes from the camera",
        )
        assert status.stuck_s == pytest.approx(STALL_S + 0.01)
        hanging.free()


def test_an_opening_that_hangs_is_lost_too(hang):
    """A camera that never answered was shown as starting for ever."""
    clock, hanging = FakeClock(), hang()
    with capturing(hanging, GONE, clock=clock, stall_s=STALL_S) as capture:
        hanging.began.wait(5)
        clock.advance(STALL_S + 0.01)
        assert state(capture) is CameraState.LOST
        clock.advance(60)
        assert capture.status().stuck_s == pytest.approx(60 + STALL_S + 0.01)
        hanging.free()


def test_a_device_that_cannot_be_let_go_is_lost_too(hang):
    """A release may hang like a read; the time it takes was not looked at."""
    clock, hanging = FakeClock(), hang()

    class Sticky(ScriptedFrameSource):
        def close(self):
            hanging.wait()

    with capturing(Sticky([PICTURE, GONE]), GONE, clock=clock, stall_s=STALL_S) as capture:
        hanging.began.wait(5)
        assert state(capture) is CameraState.LIVE
        clock.advance(STALL_S + 0.01)
        assert state(capture) is CameraState.LOST
        hanging.free()


def test_a_hang_that_ends_is_forgotten():
    clock, source = FakeClock(), FedFrameSource()
    with capturing(source, clock=clock, stall_s=STALL_S) as capture:
        fed(capture, source, PICTURE)
        until(lambda: clock.advance(1) or state(capture) is CameraState.LOST)
        fed(capture, source, PICTURE)
        assert state(capture) is CameraState.LIVE
        source.end()


def test_a_failure_long_past_is_no_hang():
    clock = FakeClock()
    with capturing(GONE, clock=clock, reopen_max_s=8.0) as capture:
        wait_for(capture, CameraState.LOST)
        clock.advance(100)
        assert capture.status().stuck_s < 1


def test_close_returns_in_time_although_a_read_hangs(hang):
    hanging = hang()
    capture = capturing(ScriptedFrameSource([PICTURE, hanging]), GONE)
    with capture:
        hanging.began.wait(5)
        began = time.monotonic()
        assert not capture.close(timeout_s=0.05)
        assert time.monotonic() - began < 1
        hanging.free()
        until(lambda: capture.close(timeout_s=0.0))


def test_close_ends_the_thread_lets_the_device_go_and_may_be_called_twice():
    source = ScriptedFrameSource([PICTURE] * 3, fps=0.5)
    with capturing(source, is_recorded=True) as capture:
        capture.newer_than(0, 5)
        assert capture.close()
        assert capture.close()
        assert source.closed.is_set()


def test_close_before_the_beginning():
    assert capturing(GONE).close()
