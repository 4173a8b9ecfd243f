"""Captures on scripted sources, and waiting for what they come to."""

import numpy as np

from attendance.capture import Capture
from attendance.core.errors import CameraError
from tests.fake_cameras import Opener
from tests.fakes import until

STALL_S = 1.2
PICTURE = np.zeros((4, 6, 3), np.uint8)
GONE = CameraError("the cable is out")


def picture(value):
    return np.full((4, 6, 3), value, np.uint8)


def capturing(*script, **options):
    opener = Opener(script)
    capture = Capture(opener, **options)
    capture.opener = opener
    return capture


def state(capture):
    return capture.status().state


def wait_for(capture, wished):
    return until(lambda: state(capture) is wished)


def fed(capture, source, *pictures):
    """Feed pictures and wait until all have been delivered."""
    source.feed(*pictures)
    expected = capture.status().frames + len(pictures)
    until(lambda: capture.status().frames == expected)
