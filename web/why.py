"""What the camera saw of a student it named: pictures for staff, while they are kept."""

from __future__ import annotations

from flask import Blueprint, Response, abort

from web.context import current_school, find_session, now

blueprint = Blueprint(
    "why", __name__, url_prefix="/sessions/<int:session_id>/students/<int:student_id>"
)


@blueprint.get("/looks/<crop_id>.jpg")
def crop(session_id: int, student_id: int, crop_id: str) -> Response:
    """What one look showed; 404 once its days are over. No browser keeps it."""
    find_session(session_id)
    return _picture(session_id, student_id, crop_id)


@blueprint.get("/face.jpg")
def face(session_id: int, student_id: int) -> Response:
    """What the best look that is still kept showed."""
    find_session(session_id)
    why = current_school().sessions.why(session_id, student_id, at=now())
    crop_id = next((look.crop_id for look in why.evidence if look.crop_id), None)
    return _picture(session_id, student_id, crop_id or "")


def _picture(session_id: int, student_id: int, crop_id: str) -> Response:
    jpeg = current_school().sessions.crop(session_id, student_id, crop_id, at=now())
    if jpeg is None:
        abort(404, description="This picture is not kept any more.")
    return Response(jpeg, mimetype="image/jpeg")
