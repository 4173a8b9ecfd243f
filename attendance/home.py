"""Where a school's folder is, if nobody says."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def default_home() -> Path:
    """The school's folder: `ATTENDANCE_HOME`, else the platform's place for user data."""
    named = os.environ.get("ATTENDANCE_HOME")
    return Path(named) if named else Path(platformdirs.user_data_dir("attendance", appauthor=False))
