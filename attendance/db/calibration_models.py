"""The tables of operating points and camera cohorts. Rows never leave `calibration/`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from attendance.db.columns import UtcDateTime
from attendance.db.models import Base


class OperatingPointRow(Base):
    """What one run of `attendance calibrate` found; the newest that fits is in force."""

    __tablename__ = "operating_point"
    __table_args__ = (Index("ix_operating_point_course", "course_id", "model_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"))
    camera_id: Mapped[int | None] = mapped_column(ForeignKey("camera.id"))
    model_id: Mapped[str] = mapped_column(String(100))
    cohort_version: Mapped[int | None]
    thresholds: Mapped[dict[str, Any]] = mapped_column(JSON)
    target_fpir: Mapped[float]
    strangers: Mapped[int]
    expected_false_accepts: Mapped[float]
    students: Mapped[list[int]] = mapped_column(JSON)
    too_alike: Mapped[list[list[int]]] = mapped_column(JSON)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)


class CameraCohortRow(Base):
    """Mean embedding of the people a camera has seen: of all of them, of nobody."""

    __tablename__ = "camera_cohort"

    camera_id: Mapped[int] = mapped_column(ForeignKey("camera.id"), primary_key=True)
    model_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    tracks: Mapped[int]
    people: Mapped[int]
    mean: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
