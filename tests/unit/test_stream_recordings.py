"""Recordings: at their own pace, as fast as they go, or more slowly decoded than they play."""

import threading
import time

import pytest

from attendance.core.domain import CameraState
from attendance.core.errors import CameraError
from attendance.stream import frames_of
from tests.fake_cameras import ScriptedFrameSource
from tests.fakes import NINE, FakeClock, until
from tests.unit.captures import GONE, PICTURE, capturing, picture, state, wait_for

# Recordings


def test_a_recording_keeps_its_own_pace():
    source = ScriptedFrameSource([PICTURE] * 6 + [None], fps=50)
    began = time.monotonic()
    with capturing(source, is_recorded=True) as capture:
        wait_for(capture, CameraState.ENDED)
    assert time.monotonic() - began >= 5 / 50
    assert capture.status().frames == 6


def test_no_frame_of_a_recording_comes_before_its_time():
    source = ScriptedFrameSource([PICTURE] * 3, fps=1.0)
    with capturing(source, is_recorded=True, clock=FakeClock()) as capture:
        until(lambda: source.reads == 2)
        assert capture.status().frames == 1
        assert state(capture) is CameraState.LIVE


def test_a_recording_that_is_late_does_not_wait():
    class Slow(FakeClock):
        def __call__(self):
            self.advance(1.0)
            return super().__call__()

    source = ScriptedFrameSource([PICTURE] * 20 + [None], fps=1.0)
    with capturing(source, is_recorded=True, clock=Slow(), stall_s=1e6) as capture:
        assert wait_for(capture, CameraState.ENDED) < 2
        assert capture.status().frames == 20


def test_a_recording_that_breaks_off_is_not_begun_again():
    """A folder with one bad picture was played from the start again and again."""
    source = ScriptedFrameSource([PICTURE, PICTURE, CameraError("3.jpg is not an image")])
    capture = capturing(source, is_recorded=True)
    with capture:
        wait_for(capture, CameraState.LOST)
        until(lambda: "capture" not in {thread.name for thread in threading.enumerate()})
        assert capture.status().detail == "3.jpg is not an image"
        assert len(capture.opener.times) == 1


def test_a_recording_that_cannot_be_opened_yet_is_tried_again():
    source = ScriptedFrameSource([PICTURE, None])
    with capturing(CameraError("not there yet"), source, is_recorded=True) as capture:
        wait_for(capture, CameraState.ENDED)


def test_as_fast_as_it_goes_counts_media_time():
    """Ten minutes of a lesson at one picture a second, in no time."""
    source = ScriptedFrameSource([PICTURE] * 600 + [None], fps=1.0)
    began = time.monotonic()
    frames = list(frames_of(source, NINE))
    assert time.monotonic() - began < 5
    assert [frame.number for frame in frames] == list(range(1, 601))
    assert [frame.t_s for frame in frames] == [float(n) for n in range(600)]
    assert (frames[-1].at - NINE).total_seconds() == 599
    assert source.closed.is_set()


@pytest.mark.parametrize("script", [[PICTURE, GONE], [GONE]])
def test_as_fast_as_it_goes_lets_the_source_go_when_it_breaks(script):
    source = ScriptedFrameSource(script)
    with pytest.raises(CameraError, match="cable"):
        list(frames_of(source, NINE))
    assert source.closed.is_set()


def test_as_fast_as_it_goes_lets_the_source_go_when_nobody_wants_more():
    source = ScriptedFrameSource([PICTURE] * 3)
    frames = frames_of(source, NINE)
    next(frames)
    frames.close()
    assert source.closed.is_set()


# Recordings on a machine that is too slow for them


class SlowDecoding(ScriptedFrameSource):
    """Turning a picture into BGR takes three and a half frames; passing over one takes nothing."""

    def __init__(self, count, clock):
        super().__init__([*(picture(n) for n in range(1, count + 1)), None], fps=10.0)
        self.clock = clock

    def read(self):
        self.clock.advance(0.35)
        return super().read()

    def skip(self):
        return super().read() is not None


def test_a_recording_that_decodes_too_slowly_shows_fewer_frames_not_later_ones():
    """It fell behind for ever: after ten minutes of lesson the picture was minutes old."""
    clock = FakeClock()
    began_s = clock()
    source = SlowDecoding(100, clock)
    with capturing(source, clock=clock, is_recorded=True) as capture:
        wait_for(capture, CameraState.ENDED)
        assert clock() - began_s == pytest.approx(10.0, abs=0.8)
        status = capture.status()
        assert status.frames == 100
        last = capture.newer_than(0, 0.0)
        assert last.number > 95
        assert last.image[0, 0, 0] == last.number
        assert capture.status().dropped == 99
