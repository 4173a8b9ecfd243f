"""Cameras a test scripts: what they show, when they fail, how long they hang."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from attendance.capture import CaptureStatus
from attendance.core.domain import (
    CameraState,
    Frame,
    Image,
)
from attendance.core.errors import CameraError


class Hang:
    """A read that does not come back until it is let go."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self._freed = threading.Event()

    def free(self) -> None:
        self._freed.set()

    def wait(self) -> None:
        self.began.set()
        assert self._freed.wait(30), "nobody let the hanging read go"


Step = Image | Exception | Hang | None


class ScriptedFrameSource:
    """Reads what was scripted: pictures, errors, hangs; None is the end of a recording.

    Args:
        steps: after the last one it hangs until it is closed, as a live camera in the dark.
    """

    def __init__(self, steps: Iterable[Step], fps: float = 1000.0) -> None:
        self.fps = fps
        self.reads = 0
        self.closed = threading.Event()
        self._steps: Iterator[Step] = iter(steps)

    def read(self) -> Image | None:
        step = next(self._steps, self)
        self.reads += 1
        if isinstance(step, ScriptedFrameSource):
            self.closed.wait(30)
            raise CameraError("closed")
        if isinstance(step, Hang):
            step.wait()
            raise CameraError("was let go")
        if isinstance(step, Exception):
            raise step
        return step

    def skip(self) -> bool:
        return self.read() is not None

    def close(self) -> None:
        self.closed.set()


@dataclass
class Opener:
    """Opens one scripted source after another; an exception is a camera that cannot be opened."""

    script: Sequence[ScriptedFrameSource | Exception | Hang]
    times: list[float] = field(default_factory=list)

    def __call__(self) -> ScriptedFrameSource:
        step = self.script[min(len(self.times), len(self.script) - 1)]
        self.times.append(time.monotonic())
        if isinstance(step, Hang):
            step.wait()
            raise CameraError("was let go")
        if isinstance(step, Exception):
            raise step
        return step


class FedFrameSource:
    """Gives the pictures a test feeds it, one at a time, and waits for the next."""

    def __init__(self, fps: float = 25.0) -> None:
        self.fps = fps
        self.reads = 0
        self._fed: queue.SimpleQueue[Image | None] = queue.SimpleQueue()

    def feed(self, *pictures: Image) -> None:
        for picture in pictures:
            self._fed.put(picture)

    def end(self) -> None:
        """No picture comes any more: the recording is over."""
        self._fed.put(None)

    def read(self) -> Image | None:
        self.reads += 1
        return self._fed.get(timeout=30)

    def skip(self) -> bool:
        return self.read() is not None

    def close(self) -> None:
        """Nothing is held open."""


class FakeFrames:
    """A camera whose state and newest frame a test sets."""

    def __init__(self) -> None:
        self.state = CameraState.STARTING
        self.detail = ""
        self.stuck_s = 0.0
        self.delivered = 0
        self.dropped = 0
        self.waiting: list[Frame] = []

    def feed(self, *frames: Frame) -> None:
        self.waiting += frames
        self.delivered += len(frames)
        self.state = CameraState.LIVE

    def drop(self, count: int) -> None:
        """So many frames went by while nobody could look."""
        self.delivered += count
        self.dropped += count

    def newer_than(self, number: int, timeout_s: float) -> Frame | None:
        return self.waiting.pop(0) if self.waiting else None

    def status(self) -> CaptureStatus:
        return CaptureStatus(self.state, self.detail, self.delivered, self.dropped, self.stuck_s)
