"""Courses, rosters, class sessions and the registers they fill."""

from attendance.sessions.crops import CropKeeper
from attendance.sessions.export import ExportRow, write_csv
from attendance.sessions.leases import is_alive, process_token
from attendance.sessions.models import (
    Camera,
    Claim,
    ClassSession,
    Course,
    Event,
    Explanation,
    KeptLook,
    Lease,
    Pulse,
    RegisterRow,
    SessionRules,
    Wish,
)
from attendance.sessions.sessions import Sessions

__all__ = [
    "Camera",
    "Claim",
    "ClassSession",
    "Course",
    "CropKeeper",
    "Event",
    "Explanation",
    "ExportRow",
    "KeptLook",
    "Lease",
    "Pulse",
    "RegisterRow",
    "SessionRules",
    "Sessions",
    "Wish",
    "is_alive",
    "process_token",
    "write_csv",
]
