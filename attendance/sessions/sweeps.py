"""Looking again: one sweep for small faces, wished for by a person, done by the camera process.

The wish stands in the session until the camera process reports the sweep, so a process that dies
meanwhile leaves it to the next one. A pause, the close and the camera's end take it away.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from attendance.core.domain import CameraState, SessionState
from attendance.core.errors import SessionStateError
from attendance.sessions.class_sessions import as_session, require_session
from attendance.sessions.events import append_event
from attendance.sessions.models import ClassSession, Event


def look_again(tx: Session, session_id: int, at: datetime, by: str) -> ClassSession:
    """Wishes for a sweep; while one is under way, that is the one.

    Raises:
        SessionStateError: the session is not open, or its camera gives no pictures any more.
    """
    row = require_session(tx, session_id)
    if row.state is not SessionState.OPEN:
        raise SessionStateError(
            f"session {session_id} is {row.state.value}: only an open one can look again"
        )
    if row.camera_state in {CameraState.ENDED, CameraState.STOPPED}:
        raise SessionStateError(
            f"the camera of session {session_id} gives no pictures any more ({row.camera_state})"
        )
    if row.look_again_at is None:
        row.look_again_at = at
        append_event(tx, session_id, "look_again", at, {"by": by})
    return as_session(row)


def looked_again(tx: Session, session_id: int, faces: int, at: datetime) -> Event | None:
    """Notes that the sweep is done; None where none was wished for any more."""
    row = require_session(tx, session_id)
    if row.look_again_at is None:
        return None
    row.look_again_at = None
    return append_event(tx, session_id, "looked_again", at, {"faces": faces})
