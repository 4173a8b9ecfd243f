"""The browser pulls pictures: newer than the last, with boxes, names only where one was given."""

import json

import numpy as np
import pytest

from attendance.core.domain import Decision, Frame, FrameResult, TrackState, TrackView
from attendance.preview import PreviewServer


@pytest.fixture
def camera(school, room):
    session = room.open()
    school.run_dir  # noqa: B018 (made by the server)
    server = PreviewServer(school.home, session.id)
    server.session = session
    yield server
    server.close()


def show(camera, number, tracks=()):
    image = np.full((120, 200, 3), 128, np.uint8)
    frame = Frame(number, image, 0.0, camera.session.opened_at)
    camera.show(frame, FrameResult(number, tuple(tracks)))


def track(track_id, decision, student_id):
    box = (20.0, 30.0, 100.0, 90.0)
    return TrackView(track_id, TrackState.CONFIRMED, box, decision, student_id, 0.7)


def test_a_picture_carries_its_number_and_boxes(browser, room, camera):
    student = room.students[0].id
    tracks = [track(1, Decision.ACCEPT, student), track(2, Decision.UNKNOWN, None)]
    show(camera, 5, tracks)
    answer = browser.get(f"/sessions/{camera.session.id}/preview?after=-1")
    info = json.loads(answer.headers["X-Frame"])
    assert answer.mimetype == "image/jpeg"
    assert answer.data[:2] == b"\xff\xd8"
    assert (info["number"], info["width"], info["height"]) == (5, 200, 120)
    assert info["tracks"][0] == {
        "id": 1,
        "box": [0.1, 0.25, 0.5, 0.75],
        "decision": "accept",
        "student": student,
    }
    assert info["tracks"][1]["student"] is None


def test_a_doubtful_face_has_no_name_on_its_way_to_a_screen(browser, room, camera):
    show(camera, 1, [track(1, Decision.REVIEW, room.students[0].id)])
    answer = browser.get(f"/sessions/{camera.session.id}/preview?after=-1")
    assert json.loads(answer.headers["X-Frame"])["tracks"][0]["student"] is None


def test_without_a_camera_process_there_is_no_picture(browser, room):
    session = room.open()
    assert browser.get(f"/sessions/{session.id}/preview?after=-1").status_code == 204
