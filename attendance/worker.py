"""Moves one session forward, a frame a step: looks, commits what follows, beats, heeds wishes.

Tests call `Worker.step()`; a camera process repeats it.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from attendance.bootstrap import utc_now
from attendance.capture import CaptureStatus
from attendance.core.domain import (
    CameraState,
    Frame,
    FrameResult,
    Remark,
    SessionState,
    Sighting,
)
from attendance.core.errors import CameraBusyError, SessionError, StorageError
from attendance.core.pipeline import Pipeline
from attendance.sessions import ClassSession, Pulse, Sessions, Wish

BEAT_S = 0.5
WAIT_S = 0.1
COVERED_GAP_S = 1.5
SKIPPED_OVER_S = 60.0

log = logging.getLogger(__name__)


class Frames(Protocol):
    """Where a worker takes its frames from."""

    def newer_than(self, number: int, timeout_s: float) -> Frame | None:
        """The next frame to look at, None if none comes in time."""
        ...

    def status(self) -> CaptureStatus:
        """The state of the camera."""
        ...


class RecordedFrames:
    """Every frame of a recording in turn, as fast as the worker takes them."""

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames
        self._count = 0
        self._state = CameraState.STARTING

    def newer_than(self, number: int, timeout_s: float) -> Frame | None:  # noqa: ARG002
        """See `Frames.newer_than`; never waits."""
        frame = next(self._frames, None)
        self._state = CameraState.ENDED if frame is None else CameraState.LIVE
        self._count += frame is not None
        return frame

    def status(self) -> CaptureStatus:
        """See `Frames.status`; a recording drops nothing and never hangs."""
        return CaptureStatus(self._state, "", self._count, 0, 0.0)


@dataclass
class _Tally:
    """What was counted since the last beat. Owned by the worker's thread."""

    covered_s: float = 0.0
    looked_at: int = 0
    since_s: float = 0.0


class _Skips:
    """How many of the newest minute's frames nobody looked at. Owned by the worker's thread."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, int, int]] = deque([(float("-inf"), 0, 0)])

    def share(self, now_s: float, status: CaptureStatus) -> float:
        """Note the counts of this moment. Returns: dropped of delivered, in [0, 1]."""
        self._counts.append((now_s, status.frames, status.dropped))
        while self._counts[1][0] <= now_s - SKIPPED_OVER_S:
            self._counts.popleft()
        _, frames, dropped = self._counts[0]
        return (status.dropped - dropped) / max(1, status.frames - frames)


class Worker:
    """Moves one session forward, one frame a step. Owned by one thread.

    Args:
        session: as it stood when the camera was leased.
        sessions: where facts are committed.
        frames: the camera.
        pipeline: what the frames go through.
        show: told each processed frame, for the preview.
        owner: the lease's token.
        clock: monotonic seconds.
        now: aware UTC.
    """

    def __init__(
        self,
        session: ClassSession,
        sessions: Sessions,
        frames: Frames,
        pipeline: Pipeline,
        show: Callable[[Frame, FrameResult], None],
        owner: str,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._session = session
        self._sessions = sessions
        self._frames = frames
        self._pipeline = pipeline
        self._show = show
        self._owner = owner
        self._clock = clock
        self._now = now
        self._unwritten: deque[Sighting | Remark] = deque()
        self._reported = session.camera_state
        self._wished = Wish(SessionState.OPEN)
        self._is_sweeping = False
        self._size_px = (0, 0)
        self._skips = _Skips()
        self._number = 0
        self._last_frame_s: float | None = None
        self._tally = _Tally(since_s=clock())

    @property
    def stuck_s(self) -> float:
        """Seconds the driver has not come back for."""
        return self._frames.status().stuck_s

    @property
    def has_ended(self) -> bool:
        """Whether the recording is over and all that it showed is written."""
        return self._reported is CameraState.ENDED

    def step(self) -> bool:
        """Look at the next frame, if there is one, and beat if it is time.

        Returns:
            Whether the session still wants this camera.

        Raises:
            CameraBusyError: another process has taken the lease.
        """
        frame = self._frames.newer_than(self._number, WAIT_S)
        if frame is not None:
            self._look(frame)
        self._report_state(is_idle=frame is None)
        if self._clock() - self._tally.since_s >= BEAT_S:
            self._beat()
        is_played_out = self._session.pace == "fast" and self.has_ended
        return self._wished.state is SessionState.OPEN and not is_played_out

    def finish(self) -> None:
        """Write what the tracks still had to say, and the last figures."""
        with contextlib.suppress(SessionError, CameraBusyError):
            self._end_tracks()

    def _look(self, frame: Frame) -> None:
        result = self._pipeline.process(frame)
        self._number = frame.number
        self._size_px = (frame.image.shape[1], frame.image.shape[0])
        self._count_coverage(frame)
        self._unwritten.extend((*self._pipeline.remarks(), *result.events))
        self._write()
        self._show(frame, result)

    def _count_coverage(self, frame: Frame) -> None:
        if self._last_frame_s is not None:
            gap_s = frame.t_s - self._last_frame_s
            self._tally.covered_s += gap_s if gap_s <= COVERED_GAP_S else 0.0
        self._last_frame_s = frame.t_s
        self._tally.looked_at += 1

    def _write(self) -> None:
        """Commit the facts in order; what cannot be written now is kept and tried again."""
        while self._unwritten:
            try:
                self._commit(self._unwritten[0])
            except StorageError as error:
                log.error("session %s: %s", self._session.id, error)
                return
            except SessionError as error:
                log.info("session %s: %s", self._session.id, error)
            self._unwritten.popleft()

    def _commit(self, fact: Sighting | Remark) -> None:
        if isinstance(fact, Remark):
            self._sessions.remark(self._session.id, fact)
        else:
            self._sessions.record(self._session.id, fact)

    def _report_state(self, *, is_idle: bool) -> None:
        """Tell what became of the camera.

        Nobody can be followed while it is blind, so every track ends with what it had to say.
        That a recording is over is told last: whoever waits for it closes the session then.
        """
        status = self._frames.status()
        is_over = status.state is CameraState.ENDED
        if status.state is self._reported or (is_over and not is_idle):
            return
        if is_over or status.state is CameraState.LOST:
            self._end_tracks()
        if is_over and self._unwritten:
            return
        with self._storage_may_fail():
            self._sessions.camera_changed(
                self._session.id, status.state, detail=status.detail, at=self._now()
            )
            self._reported = status.state

    def _end_tracks(self) -> None:
        said = self._pipeline.finish()
        self._unwritten.extend((*self._pipeline.remarks(), *said))
        self._write()
        self._beat()

    def _beat(self) -> None:
        with self._storage_may_fail():
            self._wished = self._sessions.beat(
                self._session.id,
                self._owner,
                covered_s=self._tally.covered_s,
                pulse=self._pulse(),
            )
            self._tally = _Tally()
            self._write()
            self._sweep()
        self._tally.since_s = self._clock()

    def _pulse(self) -> Pulse:
        status, now_s = self._frames.status(), self._clock()
        return Pulse(
            frames=status.frames,
            dropped=status.dropped,
            fps=self._tally.looked_at / max(now_s - self._tally.since_s, BEAT_S),
            skipped=self._skips.share(now_s, status),
            width_px=self._size_px[0],
            height_px=self._size_px[1],
            unknown_faces=self._pipeline.unknown_faces,
        )

    def _sweep(self) -> None:
        """Begin the sweep that is wished for, and report it when it is done."""
        if self._is_sweeping and not self._pipeline.is_sweeping:
            faces = self._pipeline.swept_faces
            self._sessions.looked_again(self._session.id, faces=faces, at=self._now())
            self._is_sweeping = False
        elif self._wished.looks_again and not self._is_sweeping:
            self._pipeline.look_again()
            self._is_sweeping = True

    @contextlib.contextmanager
    def _storage_may_fail(self) -> Iterator[None]:
        """A full disk stops no camera: it is logged, and the next beat tries again."""
        try:
            yield
        except StorageError as error:
            log.error("session %s: %s", self._session.id, error)
