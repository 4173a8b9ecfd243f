"""The register after close: counts, corrections, the CSV, the settling of what nobody saw."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attendance.core.domain import Status
from attendance.core.errors import SessionError
from attendance.sessions.export import write_csv
from web.context import INSTRUCTOR, current_school, find_session, now
from web.live import RUNNING, data_block
from web.schemas import RowOut

if TYPE_CHECKING:
    from attendance.sessions import ClassSession, ExportRow, RegisterRow

blueprint = Blueprint("register", __name__, url_prefix="/sessions/<int:session_id>")


@blueprint.get("/register")
def show(session_id: int) -> ResponseReturnValue:
    """The register of a closed session; the live page while it runs."""
    session = find_session(session_id)
    if session.state in RUNNING:
        return redirect(url_for("live.show", session_id=session_id))
    rows = current_school().sessions.register(session_id)
    undecided = [row for row in rows if row.status is Status.UNRESOLVED]
    return render_template(
        "register.html",
        session=session,
        rows=rows,
        counts=count_by_status(rows),
        doubtful=sum(row.in_review for row in undecided),
        doubted=sum(row.is_doubted for row in rows),
        snapshot=data_block({"rows": [RowOut.of(row).to_json() for row in rows]}),
    )


@blueprint.get("/register.csv")
def download(session_id: int) -> Response:
    """The register as CSV, closed or still open."""
    session = find_session(session_id)
    text = io.StringIO(newline="")
    write_csv(_export_rows(session), text)
    body = text.getvalue().encode("utf-8")
    name = f"register-{session.course.code}-{session.opened_at:%Y%m%d}-{session.id}.csv"
    answer = Response(body, mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


@blueprint.post("/students/<int:student_id>/correct")
def correct(session_id: int, student_id: int) -> ResponseReturnValue:
    """A person says what is right."""
    correct_status(
        session_id, student_id, request.form.get("status", ""), request.form.get("reason", "")
    )
    flash("Corrected.", "success")
    return redirect(url_for("register.show", session_id=session_id), code=303)


@blueprint.post("/settle")
def settle(session_id: int) -> ResponseReturnValue:
    """The instructor confirms the rest as absent."""
    current_school().sessions.settle(session_id, at=now(), by=INSTRUCTOR)
    flash("The rest was confirmed as absent. The register is closed.", "success")
    return redirect(url_for("register.show", session_id=session_id), code=303)


def correct_status(session_id: int, student_id: int, status: str, reason: str) -> None:
    """Write a correction.

    Raises:
        SessionError: no such status, or the student is not in this register.
    """
    if status not in set(Status):
        raise SessionError("Choose a status first.")
    find_session(session_id)
    current_school().sessions.correct(
        session_id, student_id, Status(status), reason=reason.strip(), by=INSTRUCTOR, at=now()
    )


def count_by_status(rows: Iterable[RegisterRow]) -> Counter[str]:
    """How many rows have each status; `unseen` are those without one."""
    return Counter("unseen" if row.status is None else row.status.value for row in rows)


def _export_rows(session: ClassSession) -> list[ExportRow]:
    day = session.opened_at.astimezone(ZoneInfo(session.course.timezone)).date()
    rows = current_school().sessions.export_rows(session.course.id, day, day)
    return [row for row in rows if row.session_id == session.id]
