"""What a capture does with a source: newest frame only, every state told, every hang survived."""

import threading
import time

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.capture import FIRST_REOPEN_S
from attendance.core.domain import CameraState
from attendance.source import parse_source
from attendance.stream import as_bgr, webcam_wishes
from tests.fake_cameras import FedFrameSource, ScriptedFrameSource
from tests.fakes import FakeClock, until
from tests.unit.captures import GONE, PICTURE, STALL_S, capturing, fed, picture, state, wait_for

# Newest only


def test_only_the_newest_frame_is_kept_and_the_others_are_counted():
    source = FedFrameSource()
    with capturing(source) as capture:
        fed(capture, source, picture(1), picture(2), picture(3))
        frame = capture.newer_than(0, 1.0)
        assert (frame.number, frame.image[0, 0, 0]) == (3, 3)
        assert (capture.status().frames, capture.status().dropped) == (3, 2)
        fed(capture, source, picture(4))
        assert capture.status().dropped == 2
        fed(capture, source, picture(5))
        assert capture.status().dropped == 3
        assert capture.newer_than(3, 1.0).number == 5
        assert capture.status().dropped == 3
        source.end()


@given(st.lists(st.sampled_from(["feed", "take", "take again"]), max_size=12))
def test_every_frame_is_taken_or_dropped_or_still_fresh(moves):
    source, taken, fed_count, last = FedFrameSource(), set(), 0, 0
    with capturing(source) as capture:
        for move in moves:
            if move == "feed":
                fed(capture, source, PICTURE)
                fed_count += 1
            else:
                frame = capture.newer_than(last if move == "take" else 0, 0.0)
                last = frame.number if frame else last
                taken |= {last} - {0}
        is_fresh = fed_count > last
        assert capture.status().frames == fed_count
        assert capture.status().dropped == fed_count - len(taken) - is_fresh
        source.end()


def test_a_reader_waits_for_the_next_frame_and_no_longer_than_it_said():
    source = FedFrameSource()
    with capturing(source) as capture:
        assert capture.newer_than(0, 0.01) is None
        threading.Timer(0.02, source.feed, [PICTURE]).start()
        assert capture.newer_than(0, 5.0).number == 1
        assert capture.newer_than(1, 0.01) is None
        source.end()


def test_a_reader_that_waits_is_sent_home_when_the_capture_closes():
    source = FedFrameSource()
    with capturing(source) as capture:
        threading.Timer(0.02, capture.close, [0.0]).start()
        began = time.monotonic()
        assert capture.newer_than(0, 10.0) is None
        assert time.monotonic() - began < 2
        source.end()


def test_frames_carry_both_clocks():
    clock = FakeClock(500.0)
    with capturing(ScriptedFrameSource([PICTURE, None]), clock=clock) as capture:
        frame = capture.newer_than(0, 5.0)
        assert frame.t_s == 500.0
        assert frame.at.utcoffset().total_seconds() == 0


# States


def test_a_camera_is_starting_then_live_then_ended():
    source = FedFrameSource()
    capture = capturing(source)
    assert state(capture) is CameraState.STARTING
    with capture:
        fed(capture, source, PICTURE)
        assert state(capture) is CameraState.LIVE
        source.end()
        wait_for(capture, CameraState.ENDED)
        assert capture.status().detail == "the recording is over"
        assert capture.newer_than(0, 0.0).number == 1
        assert len(capture.opener.times) == 1


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (GONE, "the cable is out"),
        (OSError("No such device"), "the camera's driver failed: No such device"),
        (cv2.error("bad format"), "the camera's driver failed: bad format"),
        (ValueError("odd"), "the camera's driver failed: odd"),
    ],
)
def test_a_failed_read_is_a_state_with_a_sentence(error, detail):
    with capturing(ScriptedFrameSource([PICTURE, error]), GONE) as capture:
        wait_for(capture, CameraState.LOST)
        assert capture.status().detail == detail


def test_a_driver_that_delivers_nonsense_is_lost_and_counts_no_frame():
    """The thread died of it, and the camera was shown as live for ever."""
    nonsense = np.zeros((4, 6), np.uint8)
    with capturing(ScriptedFrameSource([PICTURE, nonsense]), GONE) as capture:
        wait_for(capture, CameraState.LOST)
        assert "a frame is (H, W, 3), got (4, 6)" in capture.status().detail
        assert capture.status().frames == 1


def test_a_lost_camera_is_opened_again_and_its_numbers_go_on():
    first = ScriptedFrameSource([picture(1), picture(2), GONE])
    second = FedFrameSource()
    with capturing(first, second) as capture:
        wait_for(capture, CameraState.LOST)
        assert first.closed.is_set()
        fed(capture, second, picture(9))
        assert state(capture) is CameraState.LIVE
        assert capture.status().detail == ""
        assert capture.newer_than(2, 1.0).number == 3
        second.end()


def test_the_waits_between_openings_grow_until_a_picture_comes():
    with capturing(GONE, GONE, ScriptedFrameSource([PICTURE, GONE]), GONE) as capture:
        until(lambda: len(capture.opener.times) == 4)
        first, second, after_picture = np.diff(capture.opener.times)
        assert first >= FIRST_REOPEN_S
        assert second >= 2 * FIRST_REOPEN_S
        assert after_picture < 4 * FIRST_REOPEN_S


def test_no_wait_is_longer_than_the_longest():
    """Ten doublings of the first one would take minutes."""
    with capturing(GONE, reopen_max_s=0.01) as capture:
        until(lambda: len(capture.opener.times) == 10)
        assert state(capture) is CameraState.LOST
        assert capture.status().stuck_s < STALL_S


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3), (4, 6, 4)])
def test_whatever_a_driver_delivers_becomes_colour(shape):
    image = as_bgr(np.full(shape, 7, np.uint8))
    assert image.shape == (4, 6, 3)
    assert (image == 7).all()


# Opened ahead of its reader


def test_what_a_live_camera_shows_before_anybody_can_look_is_not_counted():
    """Models load while the camera opens; its first pictures must not count as dropped."""
    source = FedFrameSource()
    capture = capturing(source)
    capture.open()
    source.feed(picture(1), picture(2))
    until(lambda: source.reads == 3)
    assert state(capture) is CameraState.STARTING
    with capture:
        source.feed(picture(3))
        frame = capture.newer_than(0, 5.0)
        assert (frame.number, frame.image[0, 0, 0]) == (1, 3)
        assert (capture.status().frames, capture.status().dropped) == (1, 0)
        source.end()


def test_a_recording_opened_ahead_waits_at_its_beginning():
    source = ScriptedFrameSource([picture(1), None])
    capture = capturing(source, is_recorded=True)
    capture.open()
    until(lambda: len(capture.opener.times) == 1)
    assert capture.status().frames == 0
    with capture:
        assert capture.newer_than(0, 5.0).image[0, 0, 0] == 1


def test_a_camera_opened_ahead_and_never_read_is_let_go():
    source = ScriptedFrameSource([picture(1), None])
    capture = capturing(source, is_recorded=True)
    capture.open()
    assert capture.close(5.0)
    assert source.closed.is_set()


# What is asked of a webcam


@pytest.mark.parametrize(
    ("width", "height", "is_jpeg", "reason"),
    [
        (640, 480, False, "fits raw through USB 2"),
        (1280, 720, True, "raw it comes ten times a second"),
        (1920, 1080, True, "raw it comes five times a second"),
    ],
)
def test_a_webcam_is_asked_for_jpeg_where_raw_pictures_do_not_fit(width, height, is_jpeg, reason):
    wishes = webcam_wishes(parse_source("0", width, height))
    asked = [key for key, _ in wishes]
    assert (cv2.CAP_PROP_FOURCC in asked) == is_jpeg, reason
    assert not is_jpeg or asked[0] == cv2.CAP_PROP_FOURCC, (
        "the format decides which sizes there are"
    )
    assert dict(wishes)[cv2.CAP_PROP_FRAME_WIDTH] == width
    assert dict(wishes)[cv2.CAP_PROP_FPS] == 30
