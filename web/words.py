"""Jinja filters: times in the room's zone, similarities as percentages, figures people can read."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Flask

from web.schemas import percent


def register_filters(app: Flask) -> None:
    """Make the filters known to the templates."""
    app.jinja_env.filters.update(
        source=source_words,
        clock=clock,
        clock_seconds=clock_seconds,
        day=day,
        duration=duration,
        percent=percent,
    )


def clock(at: datetime | None, timezone: str) -> str:
    """Hours and minutes in a room's zone.

    >>> from datetime import UTC
    >>> clock(datetime(2026, 3, 2, 0, 5, 9, tzinfo=UTC), "Asia/Seoul")
    '09:05'
    """
    return "" if at is None else f"{at.astimezone(ZoneInfo(timezone)):%H:%M}"


def clock_seconds(at: datetime | None, timezone: str) -> str:
    """Hours, minutes and seconds in a room's zone."""
    return "" if at is None else f"{at.astimezone(ZoneInfo(timezone)):%H:%M:%S}"


def day(at: datetime | None, timezone: str) -> str:
    """A date in a room's zone.

    >>> from datetime import UTC
    >>> day(datetime(2026, 3, 1, 15, 5, tzinfo=UTC), "Asia/Seoul")
    'Mon 2 March 2026'
    """
    if at is None:
        return ""
    local = at.astimezone(ZoneInfo(timezone))
    return f"{local:%a} {local.day} {local:%B %Y}"


def source_words(source: str) -> str:
    """Where a camera's pictures come from, without the password that may stand in it.

    >>> source_words("0"), source_words("rtsp://me:secret@cam.example:554/a")
    ('Webcam number 0', 'Network camera at cam.example')
    >>> source_words("/videos/lecture.mp4")
    'File lecture.mp4'
    """
    if source.isdecimal():
        return f"Webcam number {source}"
    if "://" in source:
        return f"Network camera at {urlsplit(source).hostname or 'an unknown host'}"
    return f"File {Path(source).name or source}"


def duration(seconds: float) -> str:
    """A span as people say it.

    >>> [duration(s) for s in (-3, 0.4, 59, 60, 185, 5400, 7200)]
    ['0 s', '0 s', '59 s', '1 min', '3 min', '1 h 30 min', '2 h']
    """
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    if hours == 0:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
