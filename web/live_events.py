"""Committed events to every screen: the Socket.IO namespace `/live` and the thread that feeds it.

The database is the bus. One thread a web process notices commits of any process by
`db.version()`, reads each watched session's events past the last number it sent and emits them to
that session's room. A screen says which number it has when it (re)connects and is handed the
rest, drops what it already knows and asks again where a number is missing: so it misses nothing,
whatever was lost on the way.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import request
from flask_socketio import Namespace, SocketIO, join_room, leave_room

from attendance.core.errors import AttendanceError
from web.camera_watch import CameraWatch
from web.schemas import EventOut, RegisterOut, RowOut, SessionOut

if TYPE_CHECKING:
    from attendance.bootstrap import School
    from attendance.sessions import Event

log = logging.getLogger(__name__)

NAMESPACE = "/live"
BATCH = 500
WHOLE_REGISTER = frozenset({"opened", "closed", "needs_instructor", "settled"})

Emit = Callable[[str, dict[str, Any], int], None]


def register_message(school: School, session_id: int) -> RegisterOut:
    """The whole register; `as_of` is read first, so the rows are at least that new."""
    session = school.sessions.get(session_id)
    rows = [RowOut.of(row) for row in school.sessions.register(session_id)]
    return RegisterOut(session=SessionOut.of(session), as_of=session.last_event, rows=rows)


def events_message(school: School, session_id: int, events: list[Event]) -> dict[str, Any]:
    """Events with the rows they concern as they are now."""
    register = register_message(school, session_id)
    concerned = {event.student_id for event in events}
    changes_all = any(event.kind in WHOLE_REGISTER for event in events)
    rows = [row for row in register.rows if changes_all or row.student_id in concerned]
    return {
        "session": register.session.to_json(),
        "as_of": register.as_of,
        "events": [EventOut.of(event).to_json() for event in events],
        "rows": [row.to_json() for row in rows],
        "more": False,
    }


@dataclass
class _Watched:
    """A session somebody looks at; owned by the feed's thread, `viewers` by its lock."""

    last_sent: int
    camera: CameraWatch
    viewers: set[str] = field(default_factory=set)


class EventFeed:
    """Watches the database for the sessions somebody looks at.

    `step()` is what the thread repeats and what tests call; `watch`, `unwatch` and `catch_up`
    come from the threads of the requests.

    Args:
        school: whose sessions.
        emit: sends a named message to everybody who looks at a session.
        clock_s: monotonic seconds.
        batch: events read at once.
    """

    def __init__(
        self,
        school: School,
        emit: Emit,
        clock_s: Callable[[], float] = time.monotonic,
        batch: int = BATCH,
    ) -> None:
        self._batch = batch
        self._school = school
        self._emit = emit
        self._clock_s = clock_s
        self._watched: dict[int, _Watched] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._version = -1
        self._is_stale = True
        self._trouble = ""

    def start(self) -> None:
        """Start the thread at the first call; it must run in the process that serves."""
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="event-feed", daemon=True)
                self._thread.start()

    def close(self, timeout_s: float = 2.0) -> None:
        """Stop the thread."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def watch(self, session_id: int, viewer: str) -> None:
        """From now on, emit what happens in this session."""
        last_event = self._school.sessions.get(session_id).last_event
        with self._lock:
            watched = self._watched.get(session_id)
            if watched is None:
                watched = _Watched(last_event, self._camera_watch(session_id))
                self._watched[session_id] = watched
                self._is_stale = True
            watched.viewers.add(viewer)

    def _camera_watch(self, session_id: int) -> CameraWatch:
        return CameraWatch(session_id, self._clock_s(), self._school.config)

    def unwatch(self, viewer: str, session_id: int | None = None) -> None:
        """This viewer looks at that session, or at any, no more."""
        with self._lock:
            chosen = [session_id] if session_id is not None else list(self._watched)
            for key in chosen:
                watched = self._watched.get(key)
                if watched is None:
                    continue
                watched.viewers.discard(viewer)
                if not watched.viewers:
                    del self._watched[key]

    def catch_up(self, session_id: int, after: int) -> dict[str, Any]:
        """Everything after that number, the rows concerned and the camera as last known."""
        events = self._events_after(session_id, after)
        message = events_message(self._school, session_id, events)
        message["more"] = len(events) == self._batch
        with self._lock:
            watched = self._watched.get(session_id)
        camera = watched.camera.status(self._clock_s()).to_json() if watched else None
        return message | {"camera": camera}

    def step(self) -> None:
        """Look once: new events, then the cameras. Never raises; trouble is shown and logged."""
        try:
            self._look()
        except AttendanceError as error:
            self._is_stale = True
            self._report(str(error))
        else:
            self._report("")

    def _run(self) -> None:
        poll_s = self._school.config.web.poll_ms / 1000
        while not self._stop.wait(poll_s):
            try:
                self.step()
            except Exception:
                log.exception("the event feed stumbled and goes on")
                self._is_stale = True

    def _look(self) -> None:
        with self._lock:
            watched = dict(self._watched)
            is_stale, self._is_stale = self._is_stale, False
        if not watched:
            return
        version = self._school.db.version()
        if is_stale or version != self._version:
            for session_id, entry in watched.items():
                self._send_events(session_id, entry)
                self._read_camera(session_id, entry)
            self._version = version
        for session_id, entry in watched.items():
            self._send_camera(session_id, entry)

    def _send_events(self, session_id: int, entry: _Watched) -> None:
        events = self._events_after(session_id, entry.last_sent)
        while events:
            self._emit("events", events_message(self._school, session_id, events), session_id)
            entry.last_sent = events[-1].number
            events = self._school.sessions.events_after(
                session_id, entry.last_sent, limit=self._batch
            )

    def _events_after(self, session_id: int, number: int) -> list[Event]:
        return self._school.sessions.events_after(session_id, number, limit=self._batch)

    def _read_camera(self, session_id: int, entry: _Watched) -> None:
        sessions = self._school.sessions
        session, lease = sessions.get(session_id), sessions.lease(session_id)
        entry.camera.notice(session, lease, self._clock_s())

    def _send_camera(self, session_id: int, entry: _Watched) -> None:
        news = entry.camera.news(self._clock_s())
        if news is not None:
            self._emit("camera", news.to_json(), session_id)

    def _report(self, trouble: str) -> None:
        if trouble == self._trouble:
            return
        self._trouble = trouble
        if trouble:
            log.error("the event feed cannot read: %s", trouble)
        with self._lock:
            sessions = list(self._watched)
        for session_id in sessions:
            self._emit("trouble", {"session": session_id, "message": trouble}, session_id)


class LiveNamespace(Namespace):  # type: ignore[misc]
    """What a live page says to the server: `subscribe` to a session, by number."""

    def __init__(self, feed: EventFeed, *, is_automatic: bool) -> None:
        super().__init__(NAMESPACE)
        self._feed = feed
        self._is_automatic = is_automatic

    def on_connect(self) -> None:
        """The first screen starts the feed."""
        if self._is_automatic:
            self._feed.start()

    def on_disconnect(self, reason: str = "") -> None:  # noqa: ARG002
        """A screen went away."""
        self._feed.unwatch(_viewer())

    def on_subscribe(self, message: dict[str, Any]) -> dict[str, Any]:
        """Answer with everything after the number the screen has; then push."""
        try:
            session_id, after = int(message["session"]), int(message["after"])
            join_room(str(session_id))
            self._feed.watch(session_id, _viewer())
            return self._feed.catch_up(session_id, after)
        except AttendanceError as error:
            return {"error": str(error)}
        except (KeyError, TypeError, ValueError):
            return {"error": "subscribe takes a session and the number of the last event"}

    def on_unsubscribe(self, message: dict[str, Any]) -> None:
        """A screen turned to something else."""
        session_id = int(message["session"])
        leave_room(str(session_id))
        self._feed.unwatch(_viewer(), session_id)


def _viewer() -> str:
    sid: str = request.sid  # type: ignore[attr-defined]
    return sid


def make_feed(school: School, socketio: SocketIO, *, is_automatic: bool = True) -> EventFeed:
    """A feed that emits to the rooms of `/live`."""

    def emit(name: str, message: dict[str, Any], session_id: int) -> None:
        socketio.emit(name, message, to=str(session_id), namespace=NAMESPACE)

    feed = EventFeed(school, emit)
    socketio.on_namespace(LiveNamespace(feed, is_automatic=is_automatic))
    return feed
