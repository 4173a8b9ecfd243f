"""The REST API as other programs on this machine see it."""

import pytest


def test_the_document_names_every_address(browser):
    document = browser.get("/openapi.json").json
    assert document["openapi"].startswith("3.")
    paths = set(document["paths"])
    assert {
        "/api/courses",
        "/api/sessions",
        "/api/sessions/{session_id}/register",
        "/api/sessions/{session_id}/events",
        "/api/students/{number}/enrollment",
    } <= paths
    assert not any(path.startswith("/courses") for path in paths), "screens are no API"


def test_courses_sessions_registers_and_events(browser, room):
    session = room.open()
    room.see(session, room.students[0])
    (course,) = browser.get("/api/courses").json["courses"]
    assert course == {
        "code": "BIO-101",
        "name": "Introduction to biology",
        "timezone": "Asia/Seoul",
    }
    (running,) = browser.get("/api/sessions").json["sessions"]
    assert running == browser.get(f"/api/sessions/{session.id}").json
    register = browser.get(f"/api/sessions/{session.id}/register").json
    assert [row["status"] for row in register["rows"]] == ["present", None, None, None]
    events = browser.get(f"/api/sessions/{session.id}/events?after=1").json
    assert [event["kind"] for event in events["events"]] == ["arrival"]
    student = room.students[0].id
    why = browser.get(f"/api/sessions/{session.id}/students/{student}/why").json
    assert [event["number"] for event in why["events"]] == [2]


def test_look_again_is_one_wish_however_often_it_is_asked_for(browser, room):
    session = room.open()
    address = f"/api/sessions/{session.id}"
    assert browser.get(address).json["looks_again"] is False
    for _ in range(2):
        answer = browser.post(f"{address}/look-again")
        assert (answer.status_code, answer.json["looks_again"]) == (200, True)
    events = browser.get(f"{address}/events").json["events"]
    assert [event["kind"] for event in events] == ["opened", "look_again"]
    browser.post(f"{address}/pause")
    assert browser.post(f"{address}/look-again").status_code == 409


def test_a_camera_nobody_reads_says_so(browser, room):
    session = room.open()
    camera = browser.get(f"/api/sessions/{session.id}/camera").json
    assert (camera["state"], camera["fps"], camera["skipped"]) == ("no_process", 0, 0)
    assert camera["reach"] == {
        "min_face_px": 40,
        "width_px": 1280,
        "view_deg": 70,
        "metres": pytest.approx(4.57, abs=0.01),
        "sweep_metres": pytest.approx(9.14, abs=0.01),
    }


def test_what_does_not_fit_is_named(browser, room):
    session = room.open()
    address = f"/api/sessions/{session.id}/students/{room.students[0].id}"
    answer = browser.post(address, json={"reason": "no status"})
    assert answer.status_code == 422
    assert answer.json["message"].startswith("status: ")
    answer = browser.post(address, data="{broken", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json["message"]
