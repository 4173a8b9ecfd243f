"""A camera as numbered frames: read in a thread of its own, the newest frame only.

A slow reader drops frames, it never queues them. What the camera does (nothing yet, live, lost,
ended) is a state anybody may ask for, never a silent loop.

    with Capture(lambda: open_source(spec), stall_s=1.2) as capture:
        frame = capture.newer_than(0, timeout_s=0.5)
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from attendance.core.domain import CameraState, Frame, Image
from attendance.core.errors import CameraError
from attendance.stream import FrameSource

_Result = TypeVar("_Result")

FIRST_REOPEN_S = 0.25

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CaptureStatus:
    """What a capture knows of its camera.

    Attributes:
        detail: why it is lost, for people.
        frames: pictures delivered so far.
        dropped: of those, how many nobody took.
        stuck_s: how long the call into the driver that is under way has taken.
    """

    state: CameraState
    detail: str
    frames: int
    dropped: int
    stuck_s: float


class Capture:
    """Reads a source in a thread of its own and keeps the newest frame.

    Args:
        open_: opens the source; called again after every failure, with growing waits.
        is_recorded: pace the frames by their own rate, and end when they end; one that breaks
            off is not begun again.
        stall_s: seconds without a frame after which the camera counts as lost.
        reopen_max_s: the longest wait between two attempts to open it.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        open_: Callable[[], FrameSource],
        *,
        is_recorded: bool = False,
        stall_s: float = 1.2,
        reopen_max_s: float = 8.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open = open_
        self._is_recorded = is_recorded
        self._stall_s = stall_s
        self._reopen_max_s = reopen_max_s
        self._clock = clock
        self._stop = threading.Event()
        self._begun = threading.Event()
        self._changed = threading.Condition()
        self._state = CameraState.STARTING
        self._detail = ""
        self._frame: Frame | None = None
        self._frames = 0
        self._taken = 0
        self._is_fresh = False
        self._call_began: float | None = None
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def open(self) -> None:
        """Open the source ahead of its reader.

        Until the reader enters, a recording waits at its beginning, and what a live camera
        delivers is thrown away uncounted: nobody could look at it.
        """
        self._thread.start()

    def __enter__(self) -> Capture:
        self._begun.set()
        if not self._thread.ident:
            self.open()
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self, timeout_s: float = 1.0) -> bool:
        """Stop reading.

        Returns:
            Whether the thread ended in time; one that hangs in the driver dies with the process.
        """
        self._stop.set()
        self._begun.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def newer_than(self, number: int, timeout_s: float) -> Frame | None:
        """The newest frame with a higher number, or None if none comes in time."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._has_newer(number) or self._stop.is_set(), timeout_s
            )
            if not self._has_newer(number):
                return None
            self._taken += self._is_fresh
            self._is_fresh = False
            return self._frame

    def _has_newer(self, number: int) -> bool:
        return self._frame is not None and self._frame.number > number

    def status(self) -> CaptureStatus:
        """The state of the camera at this moment."""
        with self._changed:
            now = self._clock()
            stuck_s = 0.0 if self._call_began is None else now - self._call_began
            state, detail = self._state, self._detail
            if stuck_s > self._stall_s and state in {CameraState.STARTING, CameraState.LIVE}:
                state, detail = CameraState.LOST, "no picture comes from the camera"
            dropped = self._frames - self._taken - self._is_fresh
            return CaptureStatus(state, detail, self._frames, dropped, stuck_s)

    def _run(self) -> None:
        wait_s = FIRST_REOPEN_S
        while not self._stop.is_set():
            delivered = self._frames
            try:
                self._read_until_it_ends()
            except CameraError as error:
                self._set_state(CameraState.LOST, str(error))
            except Exception as error:
                log.exception("the camera's driver failed")
                self._set_state(CameraState.LOST, f"the camera's driver failed: {error}")
            has_delivered = self._frames > delivered
            has_ended = self._state is CameraState.ENDED
            if has_ended or (self._is_recorded and has_delivered):
                return
            wait_s = FIRST_REOPEN_S if has_delivered else wait_s
            self._stop.wait(wait_s)
            wait_s = min(wait_s * 2, self._reopen_max_s)

    def _read_until_it_ends(self) -> None:
        source = self._call(self._open)
        try:
            if self._is_recorded:
                self._begun.wait()
            began, shown = self._clock(), 0
            while not self._stop.is_set():
                passed, image = self._next(source, began + (shown + 1) / source.fps)
                shown += passed
                if image is None:
                    self._set_state(CameraState.ENDED, "the recording is over")
                    return
                if not self._begun.is_set():
                    continue
                if self._is_recorded:
                    self._stop.wait(began + shown / source.fps - self._clock())
                shown += 1
                self._publish(image)
        finally:
            self._call(source.close)

    def _next(self, source: FrameSource, following_s: float) -> tuple[int, Image | None]:
        """The next picture, None at the end, and how many of a recording were passed over.

        Those are frames whose successor's turn has come, a second's worth at most: a machine that
        cannot decode at the recording's pace shows fewer frames, not later ones. They count as
        delivered and dropped.

        Args:
            source: opened.
            following_s: when the frame after the next one is due, if it is a recording.
        """
        passed = 0
        while self._is_recorded and passed < source.fps:
            if self._clock() <= following_s + passed / source.fps:
                break
            if not self._call(source.skip):
                return passed, None
            passed += 1
            with self._changed:
                self._frames += 1
        return passed, self._call(source.read)

    def _call(self, call: Callable[[], _Result]) -> _Result:
        """A call into the driver, timed until it succeeds so that others see when it hangs."""
        with self._changed:
            self._call_began = self._clock() if self._call_began is None else self._call_began
        result = call()
        with self._changed:
            self._call_began = None
        return result

    def _publish(self, image: Image) -> None:
        with self._changed:
            self._frame = Frame(self._frames + 1, image, self._clock(), datetime.now(UTC))
            self._frames += 1
            self._is_fresh = True
            self._set_state(CameraState.LIVE, "")

    def _set_state(self, state: CameraState, detail: str) -> None:
        with self._changed:
            self._state, self._detail, self._call_began = state, detail, None
            self._changed.notify_all()
