"""Cameras, each known by one spelling of where its pictures come from."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from attendance.core.errors import CameraError
from attendance.db.class_models import CameraRow
from attendance.sessions.models import Camera

DEVICE = re.compile(r"/dev/video(\d+)")


def camera(tx: Session, source: str, name: str | None) -> Camera:
    """The camera with this source; made if it is new, renamed if a name is given.

    Raises:
        CameraError: the source is empty.
    """
    source = normal_source(source)
    row = tx.scalar(select(CameraRow).where(CameraRow.source == source))
    if row is None:
        row = CameraRow(source=source, name=(name or default_name(source))[:200])
        tx.add(row)
        tx.flush()
    elif name:
        row.name = name[:200]
    return as_camera(row)


def all_cameras(tx: Session) -> list[Camera]:
    """Every camera, in the order they were first used."""
    return [as_camera(row) for row in tx.scalars(select(CameraRow).order_by(CameraRow.id))]


def as_camera(row: CameraRow) -> Camera:
    """The facts of a row."""
    return Camera(row.id, row.name, row.source)


def normal_source(source: str) -> str:
    """One spelling for one camera, so that the same one cannot be opened twice by two names.

    Raises:
        CameraError: the source is empty.

    >>> normal_source(" 00 "), normal_source("/dev/video7")
    ('0', '7')
    >>> normal_source("RTSP://Me:Secret@Room1.Example:554/Main")
    'rtsp://Me:Secret@room1.example:554/Main'
    """
    stripped = source.strip()
    if not stripped:
        raise CameraError("a camera needs a source: a webcam index, a URL, a video file or folder")
    if stripped.isdecimal():
        return str(int(stripped))
    if "://" in stripped:
        return _normal_url(stripped)
    path = str(Path(stripped).expanduser().resolve())
    device = DEVICE.fullmatch(path)
    return device[1] if device else path


def default_name(source: str) -> str:
    """What a camera is called until somebody names it; never with a password.

    >>> default_name("0"), default_name("rtsp://me:secret@room1.example:554/main")
    ('Webcam 0', 'room1.example')
    """
    if source.isdecimal():
        return f"Webcam {source}"
    if "://" in source:
        return urlsplit(source).hostname or "Network camera"
    return Path(source).name or source


def _normal_url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise CameraError(f"this camera URL cannot be read: {error}") from None
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=user + at + host.lower()))
