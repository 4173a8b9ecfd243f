"""The tables of courses, class sessions and registers. Rows never leave `sessions/`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from attendance.core.domain import CameraState, Decision, SessionState, Source, Status
from attendance.db.columns import Sealed, SealedBytes, UtcDateTime
from attendance.db.models import Base, enum_column


class CourseRow(Base):
    """A course and the time zone its days are counted in."""

    __tablename__ = "course"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(50), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    timezone: Mapped[str] = mapped_column(String(64))


class RosterEntryRow(Base):
    """A student on a course from one day to another, both included; null has no end."""

    __tablename__ = "roster_entry"
    __table_args__ = (
        Index(
            "uq_roster_entry_lasting",
            "course_id",
            "student_id",
            unique=True,
            sqlite_where=text("to_date IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"))
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"))
    from_date: Mapped[date | None]
    to_date: Mapped[date | None]


class CameraRow(Base):
    """A camera, known by where its pictures come from."""

    __tablename__ = "camera"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(1000), unique=True)


class ClassSessionRow(Base):
    """A class session with the rules in force when it was opened."""

    __tablename__ = "class_session"
    __table_args__ = (
        Index(
            "uq_class_session_camera",
            "camera_id",
            unique=True,
            sqlite_where=text("state IN ('open', 'paused')"),
        ),
        Index("ix_class_session_course", "course_id", "opened_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"))
    camera_id: Mapped[int] = mapped_column(ForeignKey("camera.id"))
    state: Mapped[SessionState] = mapped_column(enum_column(SessionState))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    covered_s: Mapped[float] = mapped_column(default=0.0)
    last_event: Mapped[int] = mapped_column(default=0)
    model_id: Mapped[str] = mapped_column(String(100))
    rules: Mapped[dict[str, Any]] = mapped_column(JSON)
    pace: Mapped[str] = mapped_column(String(10))
    camera_state: Mapped[CameraState] = mapped_column(
        enum_column(CameraState), default=CameraState.STARTING
    )
    camera_detail: Mapped[str] = mapped_column(Text, default="")
    look_again_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    course: Mapped[CourseRow] = relationship(lazy="joined", innerjoin=True)
    camera: Mapped[CameraRow] = relationship(lazy="joined", innerjoin=True)


class SessionRosterRow(Base):
    """Who was on the roster when the session was opened; never changed afterwards."""

    __tablename__ = "session_roster"

    session_id: Mapped[int] = mapped_column(ForeignKey("class_session.id"), primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"), primary_key=True)


class AttendanceRecordRow(Base):
    """What the register says of one student in one session."""

    __tablename__ = "attendance_record"
    __table_args__ = (
        UniqueConstraint("session_id", "student_id", name="uq_attendance_record"),
        ForeignKeyConstraint(
            ["session_id", "student_id"],
            ["session_roster.session_id", "session_roster.student_id"],
            name="fk_record_roster",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int]
    student_id: Mapped[int]
    status: Mapped[Status] = mapped_column(enum_column(Status))
    source: Mapped[Source] = mapped_column(enum_column(Source))
    first_seen: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_seen: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seen_s: Mapped[float] = mapped_column(default=0.0)
    similarity: Mapped[float | None]
    score: Mapped[float | None]
    margin: Mapped[float | None]
    note: Mapped[str] = mapped_column(Text, default="")
    looks: Mapped[int] = mapped_column(default=0)
    doubted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ReviewRow(Base):
    """A doubt a person should settle; at most one for each student of a session."""

    __tablename__ = "review"
    __table_args__ = (
        ForeignKeyConstraint(
            ["session_id", "student_id"],
            ["session_roster.session_id", "session_roster.student_id"],
            name="fk_review_roster",
        ),
    )

    session_id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    similarity: Mapped[float]
    score: Mapped[float]
    margin: Mapped[float]


class NearMissRow(Base):
    """Somebody nobody was named for, at their most like this student; figures and no picture."""

    __tablename__ = "near_miss"
    __table_args__ = (
        ForeignKeyConstraint(
            ["session_id", "student_id"],
            ["session_roster.session_id", "session_roster.student_id"],
            name="fk_near_miss_roster",
        ),
    )

    session_id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    similarity: Mapped[float]
    score: Mapped[float]
    margin: Mapped[float]


class EvidenceRow(Base):
    """One of the best looks a mark, a review or a near miss rests on; never an embedding."""

    __tablename__ = "evidence"
    __table_args__ = (
        ForeignKeyConstraint(
            ["session_id", "student_id"],
            ["session_roster.session_id", "session_roster.student_id"],
            name="fk_evidence_roster",
        ),
        Index("ix_evidence_student", "session_id", "student_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int]
    student_id: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    similarity: Mapped[float]
    score: Mapped[float]
    margin: Mapped[float]
    quality: Mapped[float]
    flaw: Mapped[str] = mapped_column(Text, default="")
    second: Mapped[float | None]
    decision: Mapped[Decision] = mapped_column(enum_column(Decision), default=Decision.ACCEPT)


class CropRow(Base):
    """What a look showed, sealed under its student's key; gone after some days.

    As with templates, the database itself refuses one without a live consent.
    """

    __tablename__ = "crop"
    __table_args__ = (
        CheckConstraint("consent_is_live = 1", name="crop_needs_live_consent"),
        ForeignKeyConstraint(
            ["consent_id", "student_id", "consent_is_live"],
            ["consent.id", "consent.student_id", "consent.is_live"],
            name="fk_crop_consent",
        ),
        Index("ix_crop_taken", "taken_at"),
        Index("ix_crop_student", "student_id", "session_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    evidence_id: Mapped[int] = mapped_column(
        ForeignKey("evidence.id", ondelete="CASCADE"), unique=True
    )
    session_id: Mapped[int]
    student_id: Mapped[int]
    consent_id: Mapped[int]
    consent_is_live: Mapped[bool] = mapped_column(default=True)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    jpeg: Mapped[Sealed] = mapped_column(SealedBytes)


class EventRow(Base):
    """What happened, numbered in each session; triggers refuse to change or delete it."""

    __tablename__ = "event"

    session_id: Mapped[int] = mapped_column(ForeignKey("class_session.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    student_id: Mapped[int | None] = mapped_column(ForeignKey("student.id"))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)


class LeaseRow(Base):
    """The process that reads a camera now, and its pulse."""

    __tablename__ = "lease"

    camera_id: Mapped[int] = mapped_column(ForeignKey("camera.id"), primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_session.id"))
    owner: Mapped[str] = mapped_column(String(64))
    beat: Mapped[int] = mapped_column(default=0)
    frames: Mapped[int] = mapped_column(default=0)
    dropped: Mapped[int] = mapped_column(default=0)
    fps: Mapped[float] = mapped_column(default=0.0)
    skipped: Mapped[float] = mapped_column(default=0.0)
    width_px: Mapped[int] = mapped_column(default=0)
    height_px: Mapped[int] = mapped_column(default=0)
    unknown_faces: Mapped[int] = mapped_column(default=0)
