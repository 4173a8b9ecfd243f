"""Runs the web side: one process on this machine, many threads.

gunicorn's arbiter forks one worker; the database, the vault, models and threads are opened in the
worker, after the fork. `serve` returns when the server was told to stop, in the process that
called it; the worker never returns into the caller's code.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attendance.bootstrap import School
from attendance.core.errors import AttendanceError
from web import close_app, create_app, missing_libraries

if TYPE_CHECKING:
    from flask import Flask

    from attendance.config import Config

HOST = "127.0.0.1"
THREADS = 64
STOP_WITHIN_S = 1

Ready = Callable[[int], None]


def serve(
    home: Path,
    config: Config,
    port: int,
    ready: Ready | None = None,
    *,
    werkzeug: bool = sys.platform == "win32",
) -> None:
    """Serve one school until SIGTERM or Ctrl-C; call it from the main thread.

    Args:
        home: the school's folder.
        config: the settings.
        port: to listen on, on this machine only; 0 takes a free one.
        ready: told the port once connections are accepted, before the worker is forked: it must
            start no threads.
        werkzeug: serve by Werkzeug's threads instead of gunicorn, as Windows must.

    Raises:
        AttendanceError: the database, the key or the front-end libraries are not usable, or the
            port is taken; said before anything is served.
    """
    _check_port(port)
    _check_school(home, config)
    if werkzeug:
        _serve_by_werkzeug(home, config, port, ready)
    else:
        _serve_by_gunicorn(home, config, port, ready)


def _check_port(port: int) -> None:
    """Find out now what gunicorn would find out after five attempts."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise AttendanceError(
                f"port {port} of this machine is taken by another program; choose another one "
                "with --port, 0 takes any"
            ) from error


def _check_school(home: Path, config: Config) -> None:
    """Find out now what would otherwise be a traceback in the worker."""
    problem = missing_libraries()
    if problem:
        raise AttendanceError(problem)
    school = School(home, config)
    try:
        school.db.version()
        school.registry.students()
    finally:
        school.close()


def _serve_by_werkzeug(home: Path, config: Config, port: int, ready: Ready | None) -> None:
    from werkzeug.serving import make_server

    school = School(home, config)
    app = create_app(school)
    server = make_server(HOST, port, app, threaded=True)
    server.daemon_threads = True  # type: ignore[attr-defined]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    thread = threading.Thread(target=server.serve_forever, name="web", daemon=True)
    thread.start()
    if ready is not None:
        ready(server.server_port)
    while not stop.wait(0.5):
        pass
    close_app(app)
    server.shutdown()
    thread.join(STOP_WITHIN_S)
    school.close()


def _serve_by_gunicorn(home: Path, config: Config, port: int, ready: Ready | None) -> None:
    from web.gunicorn_server import run

    run(lambda: _open(home, config), f"{HOST}:{port}", THREADS, STOP_WITHIN_S, ready)


def _open(home: Path, config: Config) -> tuple[Flask, Callable[[], None]]:
    """The application and what closes it; called in the worker."""
    school = School(home, config)
    app = create_app(school)

    def close() -> None:
        close_app(app)
        school.close()

    return app, close
