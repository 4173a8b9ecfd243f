"""A network camera for tests: real HTTP, real JPEGs, and every way in which a camera goes away."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Sequence
from types import TracebackType

import cv2

from attendance.core.domain import Image

BOUNDARY = b"frame"
HEADER = (
    b"HTTP/1.0 200 OK\r\n"
    b"Cache-Control: no-store\r\n"
    b"Content-Type: multipart/x-mixed-replace; boundary=" + BOUNDARY + b"\r\n\r\n"
)


def jpeg(image: Image, quality: int = 85) -> bytes:
    """The picture as a camera would send it."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


class MjpegServer:
    """Plays pictures over and over to whoever connects, until it is killed or goes silent.

    Args:
        jpegs: one picture after another.
        fps: how many a second.
    """

    def __init__(self, jpegs: Sequence[bytes], fps: float = 15.0) -> None:
        self._jpegs = jpegs
        self._fps = fps
        self._port = 0
        self._dead = threading.Event()
        self._silent = threading.Event()
        self._lock = threading.Lock()
        self._viewers: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/live.mjpg"

    @property
    def viewers(self) -> int:
        """How many are connected."""
        with self._lock:
            return len(self._viewers)

    def __enter__(self) -> MjpegServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Listen, on the port of the last time if there was one."""
        self._dead.clear()
        self._silent.clear()
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        self._run(self._accept, self._listener)

    def kill(self) -> None:
        """Go away at once, as a camera does whose plug is pulled: nothing listens any more."""
        self._dead.set()
        if self._listener is not None:
            _end(self._listener)
            self._listener = None
        with self._lock:
            for viewer in self._viewers:
                _end(viewer)
        for thread in self._threads:
            thread.join(5)
        self._threads.clear()

    def go_silent(self) -> None:
        """Keep every connection open, take new ones, and never send another byte."""
        self._silent.set()

    def _run(self, target: object, connection: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(connection,), daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._dead.is_set():
            try:
                viewer, _ = listener.accept()
            except OSError:
                return
            self._run(self._show, viewer)

    def _show(self, viewer: socket.socket) -> None:
        with self._lock:
            self._viewers.append(viewer)
        try:
            with viewer, contextlib.suppress(OSError):
                viewer.recv(4096)
                self._send(viewer)
        finally:
            with self._lock:
                self._viewers.remove(viewer)

    def _send(self, viewer: socket.socket) -> None:
        is_greeted = False
        for data in itertools.cycle(self._jpegs):
            if self._silent.is_set():
                self._dead.wait()
            if self._dead.is_set():
                return
            part = b"--%b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n"
            greeting = b"" if is_greeted else HEADER
            viewer.sendall(greeting + part % (BOUNDARY, len(data), data))
            is_greeted = True
            self._dead.wait(1 / self._fps)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
