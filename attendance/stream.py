"""Any camera as numbered frames: the only place that opens a `cv2.VideoCapture`.

A `FrameSource` reads pictures one after another. `Capture` runs one in a thread of its own and
keeps the newest frame only: a slow reader drops frames, it never queues them. What the camera
does (nothing yet, live, lost, ended) is a state anybody may ask for, never a silent loop.

    with Capture(lambda: open_source(spec), stall_s=1.2) as capture:
        frame = capture.newer_than(0, timeout_s=0.5)
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "FATAL")

import cv2
import numpy as np

from attendance.core.domain import CameraState, Frame, Image
from attendance.core.errors import CameraError
from attendance.source import SourceKind, SourceSpec, without_password

_Result = TypeVar("_Result")

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
FIRST_REOPEN_S = 0.25
DEFAULT_FPS = 25.0
FOLDER_FPS = 2.0
NETWORK_OPEN_MS = 4000
NETWORK_READ_MS = 1000

log = logging.getLogger(__name__)


class FrameSource(Protocol):
    """Reads pictures one after another. Used by one thread."""

    fps: float

    def read(self) -> Image | None:
        """The next picture (H, W, 3) BGR, None at the end of a recording.

        Raises:
            CameraError: it should have given one and did not.
        """
        ...

    def close(self) -> None:
        """Let the device go."""
        ...


def open_source(spec: SourceSpec) -> FrameSource:
    """Open a source; may block as long as the device pleases.

    Raises:
        CameraError: it cannot be opened.
    """
    return FolderSource(spec) if spec.kind is SourceKind.FOLDER else VideoSource(spec)


class VideoSource:
    """A webcam, a network stream or a video file through OpenCV."""

    def __init__(self, spec: SourceSpec) -> None:
        self._spec = spec
        self._video = _opened(spec)
        reported = float(self._video.get(cv2.CAP_PROP_FPS))
        self.fps = reported if 1.0 <= reported <= 240.0 else DEFAULT_FPS

    def read(self) -> Image | None:
        """See `FrameSource.read`."""
        ok, image = self._video.read()
        if ok:
            return as_bgr(image)
        if self._spec.kind is SourceKind.FILE:
            return None
        raise CameraError(f"{without_password(self._spec.address)} stopped giving pictures")

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._video.release()


def _opened(spec: SourceSpec) -> Any:
    if spec.kind is SourceKind.WEBCAM:
        video = cv2.VideoCapture(int(spec.address))
        video.set(cv2.CAP_PROP_FRAME_WIDTH, spec.width)
        video.set(cv2.CAP_PROP_FRAME_HEIGHT, spec.height)
        video.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    elif spec.kind is SourceKind.URL:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, NETWORK_OPEN_MS]
        limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, NETWORK_READ_MS]
        video = cv2.VideoCapture(spec.address, cv2.CAP_FFMPEG, limits)
    else:
        video = cv2.VideoCapture(spec.address)
    if not video.isOpened():
        video.release()
        raise CameraError(_cannot_open(spec))
    return video


def _cannot_open(spec: SourceSpec) -> str:
    if spec.kind is SourceKind.WEBCAM:
        return f"webcam {spec.address} does not answer: is it plugged in, or in use elsewhere?"
    if spec.kind is SourceKind.URL:
        return f"no picture from {without_password(spec.address)}: is the camera on the network?"
    return f"{spec.address} is not a video that can be played"


class FolderSource:
    """The images of a folder in the order of their names."""

    def __init__(self, spec: SourceSpec) -> None:
        folder = Path(spec.address)
        try:
            self._paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
        except OSError as error:
            raise CameraError(f"folder {folder} cannot be looked at: {error}") from error
        if not self._paths:
            raise CameraError(f"folder {folder} holds no images")
        self._next = 0
        self.fps = FOLDER_FPS

    def read(self) -> Image | None:
        """See `FrameSource.read`."""
        if self._next == len(self._paths):
            return None
        path = self._paths[self._next]
        self._next += 1
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise CameraError(f"{path} is not an image that can be read")
        return as_bgr(image)

    def close(self) -> None:
        """Nothing is held open."""


def frames_of(source: FrameSource, began_at: datetime) -> Iterator[Frame]:
    """Every frame of a recording as fast as it can be read, in media time.

    Args:
        source: closed at the end, whatever happens.
        began_at: aware UTC; what the recording's first frame counts as.
    """
    try:
        number = 0
        while (image := source.read()) is not None:
            t_s = number / source.fps
            number += 1
            yield Frame(number, image, t_s, began_at + timedelta(seconds=t_s))
    finally:
        source.close()


def as_bgr(image: Any) -> Image:
    """Whatever a driver delivers as (H, W, 3) uint8 BGR."""
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    elif image.shape[2] == 4:
        image = cv2.cvtColor(image, cv2.COLOR_BGRA2BGR)
    return np.asarray(image, np.uint8)


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
                image = self._call(source.read)
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
