"""Who reads a camera now. A lease outlives its process, so the taker looks whether it lives."""

from __future__ import annotations

import os
from dataclasses import asdict, fields

import psutil
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from attendance.core.errors import CameraBusyError, SessionStateError
from attendance.db.class_models import LeaseRow
from attendance.sessions.class_sessions import RUNNING, require_session
from attendance.sessions.lifecycle import add_coverage
from attendance.sessions.models import Lease, Pulse, Wish

START_TOLERANCE_S = 2.0


def process_token() -> str:
    """Names this process: its id and when it began, because ids are used again."""
    return f"{os.getpid()}:{psutil.Process().create_time():.2f}"


def is_alive(owner: str) -> bool:
    """Whether the process of a token still runs on this machine.

    >>> is_alive(process_token()), is_alive("1:5.00")
    (True, False)
    """
    pid, _, started = owner.partition(":")
    try:
        process = psutil.Process(int(pid))
        is_same = abs(process.create_time() - float(started)) < START_TOLERANCE_S
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, ValueError):
        return False
    except psutil.AccessDenied:
        return True


def acquire_lease(tx: Session, camera_id: int, session_id: int, owner: str) -> None:
    """Takes a camera for a session; from a process that died, at once.

    Raises:
        CameraBusyError: another living process has it.
        SessionStateError: the session does not run, or not with this camera.
    """
    session = require_session(tx, session_id)
    if session.state not in RUNNING or session.camera_id != camera_id:
        raise SessionStateError(f"session {session_id} does not run with camera {camera_id}")
    row = tx.get(LeaseRow, camera_id)
    if row is not None and row.owner != owner and is_alive(row.owner):
        raise CameraBusyError(
            f"{session.camera.name} is being read by process {row.owner.partition(':')[0]}; "
            "stop that one first"
        )
    if row is not None:
        tx.delete(row)
        tx.flush()
    tx.add(LeaseRow(camera_id=camera_id, session_id=session_id, owner=owner))


def beat(tx: Session, session_id: int, owner: str, covered_s: float, pulse: Pulse) -> Wish:
    """One heartbeat; counts what the camera covered since the last one.

    Raises:
        CameraBusyError: the lease is gone or another process has taken it: stop reading.
    """
    session = require_session(tx, session_id)
    row = _lease_row(tx, session_id)
    if row is None or row.owner != owner:
        raise CameraBusyError(f"the lease of session {session_id} is held by another process")
    row.beat += 1
    for name, figure in asdict(pulse).items():
        setattr(row, name, figure)
    add_coverage(tx, session, covered_s)
    return Wish(session.state, looks_again=session.look_again_at is not None)


def release_lease(tx: Session, camera_id: int, owner: str) -> None:
    """Gives a camera back; nothing happens where it is somebody else's."""
    mine = (LeaseRow.camera_id == camera_id) & (LeaseRow.owner == owner)
    tx.execute(delete(LeaseRow).where(mine))


def lease(tx: Session, session_id: int) -> Lease | None:
    """The lease of a session with the camera's state; None where no process has taken it."""
    row = _lease_row(tx, session_id)
    if row is None:
        return None
    session = require_session(tx, session_id)
    return Lease(
        camera_id=row.camera_id,
        session_id=session_id,
        owner=row.owner,
        state=session.camera_state,
        detail=session.camera_detail,
        beat=row.beat,
        pulse=Pulse(**{field.name: getattr(row, field.name) for field in fields(Pulse)}),
    )


def _lease_row(tx: Session, session_id: int) -> LeaseRow | None:
    return tx.scalar(select(LeaseRow).where(LeaseRow.session_id == session_id))
