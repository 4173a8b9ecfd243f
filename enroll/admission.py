"""A person, their consent and their five photos, in one go: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from attendance.core.domain import Pose
from attendance.core.errors import UnknownStudentError
from attendance.registry import Registry, Student
from enroll.consent import CONSENT_VERSION
from enroll.enrollment import Enroller, EnrollmentResult, RefusedPhotosError


@dataclass(frozen=True)
class Applicant:
    """Who wants to be enrolled and has agreed to it.

    Attributes:
        language: in which the consent text was shown.
    """

    number: str
    name: str
    language: str = "en"


def admit(
    enroller: Enroller,
    registry: Registry,
    applicant: Applicant,
    photos: Mapping[Pose, bytes],
    *,
    at: datetime,
) -> tuple[Student, EnrollmentResult]:
    """Enrol somebody, new or known by number and name.

    The photos are looked at before anything is written, so that refused ones leave no trace of a
    new person.

    Raises:
        DuplicateStudentError: the number belongs to somebody of another name.
        RefusedPhotosError: a photo is missing or bad.
    """
    reports = tuple(enroller.check(pose, photos.get(pose, b"")) for pose in Pose)
    if not all(report.ok for report in reports):
        raise RefusedPhotosError(reports)
    student = _known_or_new(registry, applicant)
    registry.give_consent(
        student.id, text_version=CONSENT_VERSION, language=applicant.language, at=at
    )
    return student, enroller.enroll(student.id, photos, at=at)


def _known_or_new(registry: Registry, applicant: Applicant) -> Student:
    """The student of this number; a second name for one number is refused by the registry."""
    try:
        known = registry.find_student(applicant.number)
    except UnknownStudentError:
        return registry.add_student(applicant.number, applicant.name)
    if known.name == applicant.name:
        return known
    return registry.add_student(applicant.number, applicant.name)
