"""Any camera as pictures one after another: the only place that opens a `cv2.VideoCapture`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "FATAL")

import cv2
import numpy as np

from attendance.core.domain import Frame, Image
from attendance.core.errors import CameraError
from attendance.source import SourceKind, SourceSpec, without_password

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
DEFAULT_FPS = 25.0
FOLDER_FPS = 2.0
WEBCAM_FPS = 30.0
RAW_PX = 640 * 480
NETWORK_OPEN_MS = 4000
NETWORK_READ_MS = 1000


class FrameSource(Protocol):
    """Reads pictures one after another. Used by one thread."""

    fps: float

    def read(self) -> Image | None:
        """The next picture (H, W, 3) BGR, None at the end of a recording.

        Raises:
            CameraError: it should have given one and did not.
        """
        ...

    def skip(self) -> bool:
        """Pass over the next picture as cheaply as can be. Returns: whether there was one."""
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

    def skip(self) -> bool:
        """See `FrameSource.skip`; decoded, for others refer to it, but not turned into BGR."""
        return bool(self._video.grab())

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._video.release()


def _opened(spec: SourceSpec) -> Any:
    if spec.kind is SourceKind.WEBCAM:
        video = cv2.VideoCapture(int(spec.address))
        for wish in webcam_wishes(spec):
            video.set(*wish)
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


def webcam_wishes(spec: SourceSpec) -> list[tuple[int, float]]:
    """What to ask of a webcam, in this order; one that cannot do something goes on as it is.

    Raw pictures above 640x480 do not fit through USB 2 thirty times a second, so those are asked
    for as JPEG, which has to be said before the size.

    >>> len(webcam_wishes(SourceSpec(SourceKind.WEBCAM, "0", 640, 480)))
    4
    """
    size: list[tuple[int, float]] = [
        (cv2.CAP_PROP_FRAME_WIDTH, spec.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, spec.height),
        (cv2.CAP_PROP_FPS, WEBCAM_FPS),
        (cv2.CAP_PROP_BUFFERSIZE, 1),
    ]
    if spec.width * spec.height <= RAW_PX:
        return size
    return [(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")), *size]


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

    def skip(self) -> bool:
        """See `FrameSource.skip`."""
        self._next += 1
        return self._next <= len(self._paths)

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
