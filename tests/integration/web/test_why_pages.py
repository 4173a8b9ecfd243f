"""Why: sentences and figures for staff, pictures that no browser keeps and that run out."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from attendance.core.domain import Decision, LookEvidence, Sighting

CROP = np.full((112, 88, 3), 90, np.uint8)


def see(room, session, student, decision=Decision.ACCEPT, at=None):
    at = at or datetime.now(UTC)
    look = LookEvidence(at, 0.72, 0.72, 0.54, 0.9, 0.18, CROP, "turned 40 degrees away")
    facts = (student.id, decision, at, 1, 0.72, 0.72, 0.54, 1.0, (look,), 12)
    room.school.sessions.record(session.id, Sighting(*facts))


@pytest.fixture
def seen(room):
    """An open session that saw its first student, who consents."""
    session, student = room.open(), room.students[0]
    at = session.opened_at
    room.school.registry.give_consent(student.id, text_version="1", language="ko", at=at)
    see(room, session, student)
    return session, student


def why(browser, session, student):
    return browser.get(f"/api/sessions/{session.id}/students/{student.id}/why").json


def test_the_reason_is_told_in_words_and_figures(browser, seen):
    reason = why(browser, *seen)
    assert "86 % alike where 76 % is needed, next best person 59 %" in reason["sentences"][0]
    assert reason["sentences"][0].startswith("Seen 12 times at ")
    assert (reason["percent"], reason["needed_percent"], reason["second_percent"]) == (86, 76, 59)
    assert (reason["threshold"], reason["model_id"]) == (0.52, "facenet-test")
    assert [look["flaw"] for look in reason["looks"]] == ["turned 40 degrees away"]


def test_no_other_student_is_named_in_a_reason(browser, room, seen):
    see(room, seen[0], room.students[1], Decision.REVIEW)
    room.school.sessions.close(seen[0].id, at=datetime.now(UTC))
    text = str(why(browser, *seen))
    assert not any(student.name in text for student in room.students[1:])
    assert f"[{room.students[2].id}" not in text, "nor listed by the closing event"


def test_a_picture_is_served_to_this_machine_and_kept_by_no_browser(browser, seen):
    address = why(browser, *seen)["looks"][0]["crop"]
    answer = browser.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.get_data().startswith(b"\xff\xd8")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "img-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    elsewhere = browser.client.get(address, base_url="http://rebound.example:8765")
    assert elsewhere.status_code == 403
    embedded = browser.get(address, headers={"Sec-Fetch-Site": "cross-site"})
    assert embedded.status_code == 403


def test_a_picture_is_found_under_its_own_student_only(browser, room, seen):
    session, student = seen
    address = why(browser, *seen)["looks"][0]["crop"]
    other = address.replace(f"/students/{student.id}/", f"/students/{room.students[1].id}/")
    assert browser.get(other).status_code == 404
    assert browser.get(f"/sessions/{session.id}/students/{student.id}/face.jpg").status_code == 200
    nobody = f"/sessions/{session.id}/students/{room.students[1].id}/face.jpg"
    assert browser.get(nobody).status_code == 404


def test_a_picture_whose_days_are_over_is_not_served(browser, room, seen):
    session, student = seen
    see(room, session, room.students[1])
    old = datetime.now(UTC) - timedelta(days=20)
    third = room.students[2]
    room.school.registry.give_consent(third.id, text_version="1", language="ko", at=old)
    see(room, session, third, at=old)
    assert why(browser, session, third)["looks"][0]["crop"] is None
    assert why(browser, session, student)["looks"][0]["crop"] is not None


def test_pages_offer_the_reason_of_every_row(browser, room, seen):
    session, student = seen
    assert 'id="why-details"' in browser.get(f"/sessions/{session.id}").get_data(as_text=True)
    room.school.sessions.close(session.id, at=datetime.now(UTC))
    page = browser.get(f"/sessions/{session.id}/register").get_data(as_text=True)
    assert page.count("data-why=") == len(room.students)
    assert f'aria-label="Why {student.name}?"' in page
