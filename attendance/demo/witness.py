"""Watches what the screens are told during the demo, and compares it with the script."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from attendance.core.errors import AttendanceError
from attendance.demo.script import FPS, HEIGHT, WIDTH, Script
from attendance.preview import PreviewClient, PreviewFrame


class Witness:
    """Pulls previews like a browser and notes every name that stands on another's face.

    Args:
        home: the school's folder.
        session_id: the demo's session.
        script: who really is where.
        people: who each student id is.
    """

    def __init__(self, home: Path, session_id: int, script: Script, people: dict[int, str]) -> None:
        self._client = PreviewClient(home)
        self._session_id = session_id
        self._script = script
        self._people = people
        self._number = 0
        self.wrong: set[str] = set()
        self.frames = 0

    def look(self) -> None:
        """Pull the next picture, if there is one."""
        frame = self._client.frame(self._session_id, self._number, timeout_s=0.2)
        if frame is not None:
            self._number = frame.number
            self.frames += 1
            self.wrong |= self._wrong_names(frame)

    def _wrong_names(self, frame: PreviewFrame) -> set[str]:
        t_s = (frame.number - 1) / FPS
        wrong = set()
        for track in frame.tracks:
            if track.student_id is None:
                continue
            named = self._people[track.student_id]
            x1, y1, x2, y2 = track.box
            seen = self._who_is_at((x1 + x2) / 2 * WIDTH, (y1 + y2) / 2 * HEIGHT, t_s)
            if seen is not None and seen != named:
                wrong.add(named)
        return wrong

    def _who_is_at(self, x: float, y: float, t_s: float) -> str | None:
        for visit in self._script.visits_at(t_s):
            centre_x, centre_y, face_px = visit.face_at(t_s)
            if abs(x - centre_x) < face_px / 2 and abs(y - centre_y) < face_px / 2:
                return visit.person
        return None


class Dashboard:
    """A real Socket.IO client that collects the events a browser would be sent.

    Args:
        url: of the server.
        session_id: whose events.
    """

    def __init__(self, url: str, session_id: int) -> None:
        try:
            import socketio
        except ImportError as error:
            raise AttendanceError(
                "the demo needs python-socketio: `pip install 'attendance[demo]'`"
            ) from error
        self._lock = threading.Lock()
        self._numbers: set[int] = set()
        self._client = socketio.Client(reconnection=True)
        self._client.on("events", self._on_events, namespace="/live")
        self._client.connect(url, namespaces=["/live"], transports=["websocket"])
        answer = self._client.call(
            "subscribe", {"session": session_id, "after": 0}, namespace="/live", timeout=10
        )
        self._on_events(answer)

    def _on_events(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._numbers |= {int(event["number"]) for event in message.get("events", [])}

    def missed(self, last: int) -> list[int]:
        """Numbers up to `last` that never arrived."""
        with self._lock:
            return sorted(set(range(1, last + 1)) - self._numbers)

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
