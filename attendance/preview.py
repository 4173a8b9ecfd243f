"""The picture for the screens: pulled from the camera process, one at a time, only when asked.

The camera process answers on a socket in the school's `run/` folder, which only its owner may
enter; a browser that is slow or gone costs the engine nothing. Frames never touch the disk.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
import threading
import time
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

import cv2

from attendance.core.domain import Decision, Frame, FrameResult, TrackState

REFUSED_PAUSE_S = 0.05
_POSIX_SOCKET_LIMIT = 100


@dataclass(frozen=True)
class PreviewTrack:
    """A face as a screen shows it.

    Attributes:
        box: x1, y1, x2, y2 as fractions of the picture.
        student_id: only where the decision is accept.
    """

    track_id: int
    box: tuple[float, float, float, float]
    decision: Decision
    student_id: int | None
    similarity: float


@dataclass(frozen=True)
class PreviewFrame:
    """One JPEG with what was found in it."""

    number: int
    jpeg: bytes
    width: int
    height: int
    tracks: tuple[PreviewTrack, ...]


class PreviewServer:
    """Hands the newest processed frame to whoever asks. Runs in the camera process.

    Args:
        home: the school's folder.
        session_id: whose picture this is.
        width: of the JPEG in pixels, if the frame is wider.
        quality: of the JPEG, 1 to 100.
        fps: pictures encoded a second at most, however many screens ask.
    """

    def __init__(
        self, home: Path, session_id: int, width: int = 960, quality: int = 70, fps: float = 15.0
    ) -> None:
        self._width = width
        self._quality = quality
        self._every_s = 1 / fps
        self._encoding = threading.Lock()
        self._encoded: PreviewFrame | None = None
        self._next_s = 0.0
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._newest: tuple[Frame, FrameResult] | None = None
        self._card = _card(home, session_id)
        self._card.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = secrets.token_bytes(32)
        self._listener = Listener(_address(self._card), authkey=key)
        _write_private(self._card, {"address": self._listener.address, "key": key.hex()})
        self._thread = threading.Thread(target=self._accept, name="preview", daemon=True)
        self._thread.start()

    def show(self, frame: Frame, result: FrameResult) -> None:
        """Make this the newest frame; costs nothing unless somebody waits for it."""
        with self._changed:
            self._newest = (frame, result)
            self._changed.notify_all()

    def close(self) -> None:
        """Stop answering and take the address away; once is enough."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._card.unlink(missing_ok=True)
        address = self._listener.address
        self._listener.close()
        if isinstance(address, str) and Path(address).parent != self._card.parent:
            with contextlib.suppress(OSError):
                Path(address).parent.rmdir()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection = self._listener.accept()
            except (OSError, EOFError, AuthenticationError):
                self._closed.wait(REFUSED_PAUSE_S)
                continue
            threading.Thread(
                target=self._serve, args=(connection,), name="preview-client", daemon=True
            ).start()

    def _serve(self, connection: Connection[Any, Any]) -> None:
        with connection, contextlib.suppress(OSError, EOFError):
            after, timeout_s = connection.recv()
            while not self._closed.is_set():
                connection.send(self._frame(after, timeout_s))
                after, timeout_s = connection.recv()

    def _frame(self, after: int, timeout_s: float) -> PreviewFrame | None:
        with self._changed:
            self._changed.wait_for(lambda: self._has_newer(after), timeout_s)
            if not self._has_newer(after):
                return None
        with self._encoding:
            if self._encoded is None or self._encoded.number <= after:
                self._encoded = self._next_picture()
            return self._encoded

    def _next_picture(self) -> PreviewFrame:
        """Encode in the thread of whoever asked first; the others are handed the same picture."""
        self._closed.wait(self._next_s - time.monotonic())
        self._next_s = time.monotonic() + self._every_s
        newest = self._newest
        assert newest is not None  # noqa: S101 (somebody has seen one)
        return encode(*newest, self._width, self._quality)

    def _has_newer(self, after: int) -> bool:
        return self._newest is not None and self._newest[0].number > after


def encode(frame: Frame, result: FrameResult, width: int, quality: int) -> PreviewFrame:
    """A frame small enough to send, with its confirmed tracks in fractions of the picture."""
    height_px, width_px = frame.image.shape[:2]
    scale = min(1.0, width / width_px)
    size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
    small = cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(
        ".jpg", small if scale < 1 else frame.image, [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    tracks = tuple(
        PreviewTrack(
            track.track_id,
            _fractions(track.box, width_px, height_px),
            track.decision,
            track.student_id,
            track.similarity,
        )
        for track in result.tracks
        if track.state is TrackState.CONFIRMED
    )
    return PreviewFrame(frame.number, jpeg.tobytes(), *size, tracks)


def _fractions(
    box: tuple[float, float, float, float], width: int, height: int
) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box
    return x1 / width, y1 / height, x2 / width, y2 / height


class PreviewClient:
    """Asks camera processes for pictures. Safe to use from several threads.

    Args:
        home: the school's folder.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._idle: dict[int, list[Connection[Any, Any]]] = {}

    def frame(self, session_id: int, after: int, timeout_s: float = 1.0) -> PreviewFrame | None:
        """The newest frame with a higher number.

        Returns:
            None where no camera process answers or none comes in time.
        """
        try:
            connection = self._borrow(session_id)
            connection.send((after, timeout_s))
            if not connection.poll(timeout_s + 1.0):
                connection.close()
                return None
            frame: PreviewFrame | None = connection.recv()
        except (OSError, EOFError, ValueError, AuthenticationError):
            self._forget(session_id)
            return None
        with self._lock:
            self._idle.setdefault(session_id, []).append(connection)
        return frame

    def _borrow(self, session_id: int) -> Connection[Any, Any]:
        with self._lock:
            idle = self._idle.get(session_id)
            if idle:
                return idle.pop()
        card = json.loads(_card(self._home, session_id).read_text(encoding="utf-8"))
        address = card["address"]
        address = tuple(address) if isinstance(address, list) else address
        return Client(address, authkey=bytes.fromhex(card["key"]))

    def _forget(self, session_id: int) -> None:
        with self._lock:
            for connection in self._idle.pop(session_id, []):
                connection.close()


def _card(home: Path, session_id: int) -> Path:
    return home / "run" / f"preview-{session_id}.json"


def _address(card: Path) -> Any:
    """A socket beside the card; in a private temporary folder where that path is too long."""
    if os.name == "nt":
        return None
    socket = card.with_suffix(".sock")
    if len(str(socket)) > _POSIX_SOCKET_LIMIT:
        socket = Path(tempfile.mkdtemp(prefix="attendance-")) / "preview.sock"
    socket.unlink(missing_ok=True)
    return str(socket)


def _write_private(path: Path, content: dict[str, Any]) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    partial.replace(path)
