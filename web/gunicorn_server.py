"""gunicorn as a library: one gthread worker that stops quickly, with WebSockets open or not."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import ThreadWorker

from attendance.core.errors import AttendanceError

if TYPE_CHECKING:
    from flask import Flask

Opened = tuple["Flask", Callable[[], None]]


class QuickWorker(ThreadWorker):  # type: ignore[misc]
    """Closes the application as soon as it is told to stop; open WebSockets would hold it up."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: say goodbye to the sockets beside gunicorn's own way out."""
        super().handle_exit(sig, frame)
        threading.Thread(target=self.app.close, name="goodbye", daemon=True).start()

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """SIGQUIT and Ctrl-C: the same, nobody is served better by leaving at once."""
        self.handle_exit(sig, frame)


class _Server(BaseApplication):  # type: ignore[misc]
    """The application gunicorn runs; `load` is called in the worker."""

    def __init__(self, open_app: Callable[[], Opened], settings: dict[str, Any]) -> None:
        self._open_app = open_app
        self._settings = settings
        self._close: Callable[[], None] | None = None
        self._closing = threading.Lock()
        super().__init__()

    def load_config(self) -> None:
        """Settings this version of gunicorn knows."""
        for name, value in self._settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Open the school in the worker."""
        app, self._close = self._open_app()
        return app

    def close(self) -> None:
        """Close what `load` opened, once."""
        with self._closing:
            close, self._close = self._close, None
            if close is not None:
                close()


def run(
    open_app: Callable[[], Opened],
    bind: str,
    threads: int,
    stop_within_s: int,
    ready: Callable[[int], None] | None,
) -> None:
    """Serve until told to stop.

    Raises:
        AttendanceError: the worker could not start.
    """
    settings = {
        "bind": bind,
        "workers": 1,
        "worker_class": QuickWorker,
        "threads": threads,
        "graceful_timeout": stop_within_s,
        "timeout": 120,
        "keepalive": 5,
        "loglevel": "warning",
        "control_socket_disable": True,
        "when_ready": lambda arbiter: _tell(arbiter, ready),
        "worker_exit": _leave,
    }
    server = _Server(open_app, settings)
    handlers = {number: signal.getsignal(number) for number in (*Arbiter.SIGNALS, signal.SIGCHLD)}
    try:
        server.run()
    except SystemExit as end:
        if end.code:
            raise AttendanceError("the web worker could not start; its log says why") from end
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _tell(arbiter: Any, ready: Callable[[int], None] | None) -> None:
    if ready is not None:
        ready(arbiter.LISTENERS[0].sock.getsockname()[1])


def _leave(arbiter: Any, worker: Any) -> None:  # noqa: ARG001
    """End the worker's process here: its threads must not hold it, nor run the caller's code."""
    worker.app.close()
    error = sys.exc_info()[1]
    code = error.code if isinstance(error, SystemExit) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0)
