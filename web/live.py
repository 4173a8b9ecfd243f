"""The live session: the video, the register that fills, pause and resume."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from attendance.core.domain import Decision, SessionState
from attendance.core.errors import SessionError
from attendance.core.policy import needs_instructor
from web.context import INSTRUCTOR, current_school, find_session, now
from web.live_events import register_message
from web.schemas import ReachOut

if TYPE_CHECKING:
    from attendance.preview import PreviewClient, PreviewFrame
    from attendance.sessions import ClassSession

blueprint = Blueprint("live", __name__, url_prefix="/sessions/<int:session_id>")

RUNNING = frozenset({SessionState.OPEN, SessionState.PAUSED})
PREVIEW_WAIT_S = 1.0


@blueprint.get("")
def show(session_id: int) -> ResponseReturnValue:
    """The live page; a closed session's register instead."""
    session = find_session(session_id)
    if session.state not in RUNNING:
        return redirect(url_for("register.show", session_id=session_id))
    message = register_message(current_school(), session_id)
    return render_template(
        "live.html",
        session=session,
        snapshot=data_block(message.to_json()),
        reach=ReachOut.of(current_school().config),
    )


@blueprint.post("/pause")
def pause(session_id: int) -> ResponseReturnValue:
    """Stop looking for a while; the session stays open."""
    current_school().sessions.pause(session_id, at=now(), by=INSTRUCTOR)
    return redirect(url_for("live.show", session_id=session_id), code=303)


@blueprint.post("/resume")
def resume(session_id: int) -> ResponseReturnValue:
    """Look again."""
    current_school().sessions.resume(session_id, at=now(), by=INSTRUCTOR)
    return redirect(url_for("live.show", session_id=session_id), code=303)


@blueprint.post("/look-again")
def look_again(session_id: int) -> ResponseReturnValue:
    """Look once more for small faces; for pages whose script has not loaded."""
    current_school().sessions.look_again(session_id, at=now(), by=INSTRUCTOR)
    return redirect(url_for("live.show", session_id=session_id), code=303)


@blueprint.get("/close")
def confirm_close(session_id: int) -> ResponseReturnValue:
    """The register as it will be, to read before signing."""
    session = find_session(session_id)
    if session.state not in RUNNING:
        return redirect(url_for("register.show", session_id=session_id))
    return render_template("close.html", session=session, now=now(), **_outlook(session))


@blueprint.post("/close")
def close(session_id: int) -> ResponseReturnValue:
    """Close the register."""
    try:
        session = current_school().sessions.close(session_id, at=now(), by=INSTRUCTOR)
    except SessionError as error:
        flash(str(error), "warning")
    else:
        if session.state is SessionState.CLOSED:
            flash("The register is closed.", "success")
    return redirect(url_for("register.show", session_id=session_id), code=303)


@blueprint.get("/preview")
def preview(session_id: int) -> Response:
    """One picture newer than `after` with its number and boxes, or 204 when there is none yet."""
    after = request.args.get("after", default=-1, type=int)
    client = cast("PreviewClient", current_app.extensions["preview"])
    frame = client.frame(session_id, after, timeout_s=PREVIEW_WAIT_S)
    if frame is None:
        return Response(status=204)
    answer = Response(frame.jpeg, mimetype="image/jpeg")
    answer.headers["X-Frame"] = _frame_header(frame)
    return answer


def data_block(data: object) -> Markup:
    r"""JSON that may stand inside a `<script type="application/json">`.

    >>> print(data_block({"name": "</script>"}))
    {"name":"\u003c/script>"}
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return Markup(text)  # noqa: S704


def _frame_header(frame: PreviewFrame) -> str:
    tracks = [
        {
            "id": track.track_id,
            "box": [round(float(edge), 4) for edge in track.box],
            "decision": track.decision.value,
            "student": track.student_id if track.decision is Decision.ACCEPT else None,
        }
        for track in frame.tracks
    ]
    data = {"number": frame.number, "width": frame.width, "height": frame.height}
    return json.dumps(data | {"tracks": tracks}, separators=(",", ":"))


def _outlook(session: ClassSession) -> dict[str, object]:
    """What closing now would do."""
    rows = current_school().sessions.register(session.id)
    window_s = (now() - session.opened_at).total_seconds()
    return {
        "doubtful": [row for row in rows if row.status is None and row.in_review],
        "unseen": [row for row in rows if row.status is None and not row.in_review],
        "marked": [row for row in rows if row.status is not None],
        "total": len(rows),
        "window_s": window_s,
        "share": session.covered_s / window_s if window_s > 0 else 0.0,
        "lacks_coverage": needs_instructor(session.covered_s, window_s, session.rules.min_coverage),
    }
