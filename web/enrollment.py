"""Enrolment by upload: consent, five photos, and what is wrong with each in words."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from attendance.core.domain import Pose
from attendance.core.errors import AttendanceError, ConsentMissingError, EnrollmentError
from enroll.consent import CONSENT_VERSION, consent_text
from enroll.poses import POSE_HINTS
from web.context import current_school, find_student, now
from web.schemas import EnrollmentOut, PhotoOut

if TYPE_CHECKING:
    from attendance.registry import Student
    from enroll.enrollment import Enroller

blueprint = Blueprint("enrollment", __name__, url_prefix="/students/<number>")

LANGUAGE = "en"

log = logging.getLogger(__name__)


@blueprint.get("/enroll")
def show(number: str) -> str:
    """The enrolment page of one student; meanwhile the models load."""
    if not current_app.testing:
        _warm_up()
    return _page(find_student(number), result=None)


@blueprint.post("/enroll")
def submit(number: str) -> ResponseReturnValue:
    """Enrol with the photos of a plain form; scripts use the API."""
    student = find_student(number)
    has_consent = bool(request.form.get("consent"))
    result = enroll_student(student, photos_of(request.files), has_consent=has_consent)
    return _page(student, result=result), 200 if result.ok else 422


@blueprint.post("/withdraw")
def withdraw(number: str) -> ResponseReturnValue:
    """Withdraw consent: what was made from the photos goes, attendance records stay."""
    student = find_student(number)
    current_school().registry.withdraw_consent(student.id, at=now())
    flash("Consent withdrawn. Everything made from the photos was deleted.", "success")
    return redirect(url_for("enrollment.show", number=number), code=303)


def photos_of(files: Mapping[str, FileStorage]) -> dict[Pose, bytes]:
    """The photos of an upload that were filled in, by pose."""
    chosen = {pose: files.get(pose.value) for pose in Pose}
    return {pose: file.read() for pose, file in chosen.items() if file and file.filename}


def enroll_student(
    student: Student, photos: Mapping[Pose, bytes], *, has_consent: bool
) -> EnrollmentOut:
    """Check all photos, then record the consent, then store; or store nothing at all."""
    require_consent(student, is_given=has_consent)
    registry = current_school().registry
    if len(photos) < len(Pose):
        missing = len(Pose) - len(photos)
        raise EnrollmentError(
            f"Nothing was stored: five photos are needed, {missing} still missing."
        )
    enroller = current_enroller()
    reports = [PhotoOut.of(enroller.check(pose, data)) for pose, data in photos.items()]
    if not all(report.ok for report in reports):
        bad = sum(not report.ok for report in reports)
        message = f"Nothing was stored yet: {bad} of five photos cannot be used."
        return EnrollmentOut(ok=False, message=message, templates=0, reports=reports)
    if registry.live_consent(student.id) is None:
        registry.give_consent(student.id, text_version=CONSENT_VERSION, language=LANGUAGE, at=now())
    templates = enroller.enroll(student.id, photos, at=now()).templates
    message = f"{student.name} is enrolled."
    return EnrollmentOut(ok=True, message=message, templates=templates, reports=reports)


def require_consent(student: Student, *, is_given: bool) -> None:
    """No photo is looked at before its owner agreed, now or earlier.

    Raises:
        ConsentMissingError: neither.
    """
    if not is_given and current_school().registry.live_consent(student.id) is None:
        raise ConsentMissingError("No photo was looked at: tick the consent first.")


def current_enroller() -> Enroller:
    """The school's enroller; the models load at its first use."""
    from enroll.enrollment import Enroller

    school = current_school()
    with _lock():
        enroller = current_app.extensions.get("enroller")
        if enroller is None:
            enroller = Enroller(
                school.detector(), school.embedders(), school.registry, school.config.enrollment
            )
            current_app.extensions["enroller"] = enroller
    return cast("Enroller", enroller)


def _warm_up() -> None:
    """Load the models beside the reading of the consent, so that the first photo is quick."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def load() -> None:
        with app.app_context():
            try:
                current_enroller()
            except AttendanceError as error:
                log.warning("no photo can be looked at: %s", error)

    if "enroller" not in app.extensions:
        threading.Thread(target=load, name="warm-up", daemon=True).start()


def _lock() -> threading.Lock:
    return cast(
        "threading.Lock", current_app.extensions.setdefault("enroller_lock", threading.Lock())
    )


def _page(student: Student, result: EnrollmentOut | None) -> str:
    school = current_school()
    reports = {report.pose: report for report in result.reports} if result else {}
    return render_template(
        "enroll.html",
        student=student,
        poses=list(Pose),
        hints=POSE_HINTS,
        consent=school.registry.live_consent(student.id),
        consent_text=consent_text(LANGUAGE),
        consent_version=CONSENT_VERSION,
        is_enrolled=student.id in school.registry.enrolled([student.id], school.model_id),
        result=result,
        reports=reports,
        max_photo_mb=school.config.enrollment.max_photo_mb,
    )
