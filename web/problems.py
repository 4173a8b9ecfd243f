"""Every failure becomes a sentence and a way on: a page for people, JSON for scripts."""

from __future__ import annotations

import logging

from apiflask import APIFlask, HTTPError
from flask import Request, Response, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from attendance.core.errors import (
    AttendanceError,
    CameraBusyError,
    ConsentMissingError,
    DuplicateStudentError,
    ModelError,
    SessionStateError,
    StorageError,
    StorageFullError,
    UnknownStudentError,
    VaultError,
)

log = logging.getLogger(__name__)

Answer = tuple[str | Response, int]

SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take that kind of request.",
    500: "Something went wrong that we did not foresee. Nothing was recorded by this request.",
}
TITLES = {403: "Not allowed", 404: "Not found", 409: "Not now", 413: "Too large"}
STATUS_CODES: tuple[tuple[type[AttendanceError], int], ...] = (
    (UnknownStudentError, 404),
    (DuplicateStudentError, 409),
    (SessionStateError, 409),
    (CameraBusyError, 409),
    (ConsentMissingError, 409),
    (StorageFullError, 507),
    (StorageError, 503),
    (ModelError, 503),
    (VaultError, 503),
)


def register_problems(app: APIFlask) -> None:
    """Hand every kind of failure to its sentence."""
    app.register_error_handler(AttendanceError, _answer_attendance_error)
    app.register_error_handler(CSRFError, _answer_csrf_error)
    app.register_error_handler(RequestEntityTooLarge, _answer_too_large)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_bug)
    app.error_processor(_answer_api_error)


def status_code(error: AttendanceError) -> int:
    """The HTTP status of an error raised on purpose.

    >>> status_code(UnknownStudentError("nobody has number 7")), status_code(AttendanceError("?"))
    (404, 400)
    """
    return next((code for kind, code in STATUS_CODES if isinstance(error, kind)), 400)


def wants_json(incoming: Request) -> bool:
    """Whether a script asks rather than a person's browser."""
    return incoming.path.startswith("/api/") or incoming.path.endswith("/preview")


def _answer(sentence: str, code: int) -> Answer:
    if wants_json(request):
        return jsonify(message=sentence), code
    title = TITLES.get(code, "That did not work")
    return render_template("problem.html", title=title, sentence=sentence, code=code), code


def _answer_attendance_error(error: AttendanceError) -> ResponseReturnValue:
    return _answer(str(error), status_code(error))


def _answer_csrf_error(error: CSRFError) -> ResponseReturnValue:  # noqa: ARG001
    return _answer("This page is from before a restart. Go back, reload it and try again.", 403)


def _answer_too_large(error: RequestEntityTooLarge) -> ResponseReturnValue:  # noqa: ARG001
    limit_mb = current_app.extensions["school"].config.enrollment.max_photo_mb
    sentence = f"That is more than this page takes: a photo may have up to {limit_mb:g} MB."
    return _answer(sentence, 413)


def _answer_http_error(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    has_own_words = error.description not in {None, type(error).description}
    sentence = str(error.description) if has_own_words else SENTENCES.get(code, error.name + ".")
    return _answer(sentence, code)


def _answer_api_error(error: HTTPError) -> Answer:
    """APIFlask's own errors; of input that does not fit, the first misfit is named."""
    fields = (error.detail or {}).get("json") or {}
    misfit = next((f"{name}: {'; '.join(problems)}." for name, problems in fields.items()), "")
    return _answer(misfit or error.message or SENTENCES[500], error.status_code)


def _answer_bug(error: Exception) -> ResponseReturnValue:
    log.error("a request failed", exc_info=error)
    return _answer(SENTENCES[500], 500)
