"""The web side: pages, REST API and live events of one school.

`create_app` makes the application, `web.server.serve` runs it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from apiflask import APIFlask
from flask import Flask
from flask_socketio import SocketIO

from attendance.preview import PreviewClient
from web import api, courses, enrollment, live, register, today, why
from web.live_events import make_feed
from web.problems import register_problems
from web.security import InMemoryRequest, LoopbackGuard, protect
from web.words import register_filters

if TYPE_CHECKING:
    from attendance.bootstrap import School

__all__ = ["create_app"]

PHOTOS_AT_ONCE = 5


def create_app(school: School, *, testing: bool = False) -> Flask:
    """The application of one school; opens no thread, no camera and no model.

    Args:
        school: whose pages; closed by the caller.
        testing: the feed of live events, started by the first screen that connects, is not
            started at all; tests call its `step()`.
    """
    app = _Application("web", title="Attendance", version="1", docs_path=None, json_errors=False)
    limit_mb = school.config.enrollment.max_photo_mb * PHOTOS_AT_ONCE + 1
    app.config.update(TESTING=testing, MAX_CONTENT_LENGTH=int(limit_mb * 1024 * 1024))
    app.extensions["school"] = school
    app.extensions["preview"] = PreviewClient(school.home)
    protect(app, school.home)
    register_filters(app)
    register_problems(app)
    for screen in (today, live, register, why, courses, enrollment, api):
        app.register_blueprint(screen.blueprint)
    socketio = SocketIO(app, async_mode="threading", max_http_buffer_size=64 * 1024)
    app.extensions["event_feed"] = make_feed(school, socketio, is_automatic=not testing)
    app.wsgi_app = LoopbackGuard(app.wsgi_app)  # type: ignore[method-assign]
    return app


class _Application(APIFlask):
    """APIFlask that keeps uploads in memory."""

    request_class = InMemoryRequest


def close_app(app: Flask) -> None:
    """Stop the feed and say goodbye to every open socket, waiting for none of them."""
    app.extensions["event_feed"].close()
    server = app.extensions["socketio"].server
    for socket in list(server.eio.sockets.values()):
        socket.close(wait=False)
    server.shutdown()


def missing_libraries() -> str:
    """What to do about front-end libraries that were not installed, or nothing."""
    manifest = Path(__file__).parent / "static" / "vendor" / "manifest.json"
    try:
        files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError):
        files = None
    if files and all((manifest.parent / name).is_file() for name in files):
        return ""
    return (
        "The front-end libraries of the pages are missing. Run 'pip install .' (or "
        "'pip install -e .') once more while connected; it fetches them."
    )
