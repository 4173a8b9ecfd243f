"""The tables of people and of what they agreed to. Rows never leave `registry.py`.

The database itself refuses a template without a live consent of the same student: a template's
foreign key names consent, student and the consent's `is_live`, which a check ties to
`withdrawn_at`. So neither a missing, a withdrawn nor another student's consent will do.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import (
    CheckConstraint,
    Double,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from attendance.core.domain import Pose
from attendance.db.columns import Sealed, SealedBytes, UtcDateTime


def enum_column(kind: type) -> Enum:
    """A string enum kept by its value, readable in any SQL tool."""
    return Enum(kind, values_callable=_values, native_enum=False, length=20)


def _values(kind: type[Pose]) -> list[str]:
    return [member.value for member in kind]


class Base(DeclarativeBase):
    """Every table of the school."""

    type_annotation_map: ClassVar = {float: Double}


class KeyCheckRow(Base):
    """One known value under the master key, so that a wrong key is noticed at once."""

    __tablename__ = "key_check"
    __table_args__ = (CheckConstraint("id = 1", name="one_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[Sealed] = mapped_column(SealedBytes)


class StudentRow(Base):
    """A student; without a data key, one whose data was erased."""

    __tablename__ = "student"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    data_key: Mapped[bytes | None] = mapped_column(LargeBinary)


class ConsentRow(Base):
    """What a student agreed to, and since when no longer."""

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint("is_live = (withdrawn_at IS NULL)", name="live_until_withdrawn"),
        UniqueConstraint("id", "student_id", "is_live", name="uq_consent_live"),
        Index("ix_consent_student", "student_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"))
    text_version: Mapped[str] = mapped_column(String(50))
    language: Mapped[str] = mapped_column(String(20))
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_live: Mapped[bool] = mapped_column(default=True)


class SampleRow(Base):
    """One enrolment photo. The picture itself is not kept."""

    __tablename__ = "sample"
    __table_args__ = (
        UniqueConstraint("student_id", "key", name="uq_sample_key"),
        UniqueConstraint("id", "student_id", name="uq_sample_student"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"))
    key: Mapped[str] = mapped_column(String(100))
    pose: Mapped[Pose] = mapped_column(enum_column(Pose))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TemplateRow(Base):
    """One reference embedding, sealed under its student's data key."""

    __tablename__ = "template"
    __table_args__ = (
        CheckConstraint("consent_is_live = 1", name="needs_live_consent"),
        ForeignKeyConstraint(
            ["consent_id", "student_id", "consent_is_live"],
            ["consent.id", "consent.student_id", "consent.is_live"],
            name="fk_template_consent",
        ),
        ForeignKeyConstraint(
            ["sample_id", "student_id"],
            ["sample.id", "sample.student_id"],
            name="fk_template_sample",
        ),
        UniqueConstraint("student_id", "sample_id", "is_flip", "model_id", name="uq_template"),
        Index("ix_template_consent", "consent_id", "student_id", "consent_is_live"),
        Index("ix_template_sample", "sample_id", "student_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"))
    sample_id: Mapped[int]
    consent_id: Mapped[int]
    consent_is_live: Mapped[bool] = mapped_column(default=True)
    model_id: Mapped[str] = mapped_column(String(100))
    pose: Mapped[Pose] = mapped_column(enum_column(Pose))
    is_flip: Mapped[bool]
    embedding: Mapped[Sealed] = mapped_column(SealedBytes)
