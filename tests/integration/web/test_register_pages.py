"""Closing, correcting, settling and taking the register away."""

import csv
import io

from attendance.core.domain import Status


def rows_of(answer):
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def close(browser, room, covered_s):
    session = room.open(minutes_ago=50)
    room.see(session, room.students[0])
    room.school.sessions.add_coverage(session.id, covered_s)
    page = browser.post(f"/sessions/{session.id}/close", follow_redirects=True)
    return session, page.get_data(as_text=True)


def test_a_watched_class_closes_with_the_rest_absent(browser, room):
    session, page = close(browser, room, covered_s=2900)
    assert "This register needs you" not in page
    rows = room.school.sessions.register(session.id)
    assert [row.status for row in rows] == [Status.LATE] + [Status.ABSENT] * 3
    assert "86 %" in page, "similarity 0.72 as people read it"


def test_a_class_the_camera_hardly_saw_waits_for_its_instructor(browser, room):
    session, page = close(browser, room, covered_s=600)
    assert "This register needs you" in page
    assert "10 min of 50 min" in page
    browser.post(
        f"/sessions/{session.id}/students/{room.students[1].id}/correct",
        {"status": "present", "reason": "I saw her"},
    )
    page = browser.post(f"/sessions/{session.id}/settle", follow_redirects=True)
    rows = room.school.sessions.register(session.id)
    wanted = [Status.LATE, Status.PRESENT, Status.ABSENT, Status.ABSENT]
    assert [row.status for row in rows] == wanted
    assert "needs you" not in page.get_data(as_text=True)


def test_a_correction_needs_a_status_and_a_student_of_the_class(browser, room):
    session = room.open()
    student = room.students[0]
    address = f"/api/sessions/{session.id}/students/{student.id}"
    assert "status" in browser.post(address, json={"status": "sleepy"}).json["message"]
    stranger = room.school.registry.add_student("X1", "Not Here")
    answer = browser.post(
        f"/api/sessions/{session.id}/students/{stranger.id}", json={"status": "present"}
    )
    assert answer.status_code == 400
    assert "roster" in answer.json["message"]
    event = browser.post(address, json={"status": "excused", "reason": " ill "}).json
    assert (event["kind"], event["payload"]["reason"]) == ("corrected", "ill")


def test_the_csv_holds_this_register_only(browser, room):
    first, _ = close(browser, room, covered_s=2900)
    second, _ = close(browser, room, covered_s=2900)
    answer = browser.get(f"/sessions/{second.id}/register.csv")
    rows = rows_of(answer)
    assert "attachment" in answer.headers["Content-Disposition"]
    assert {row["session_id"] for row in rows} == {str(second.id)}
    assert [row["student_no"] for row in rows] == ["S1", "S2", "S3", "S4"]
    assert rows[0]["name"] == "김민수"
    assert rows[0]["first_seen"].endswith("+09:00"), "times in the room's zone"
    assert first.id != second.id


def test_a_name_that_is_a_formula_stays_text_in_a_spreadsheet(browser, room):
    student = room.school.registry.add_student("S9", "=HYPERLINK(1)")
    room.school.sessions.add_to_roster(room.course.id, [student.id])
    session = room.open()
    room.school.sessions.correct(
        session.id, student.id, Status.LATE, reason="@cmd", at=session.opened_at
    )
    row = rows_of(browser.get(f"/sessions/{session.id}/register.csv"))[-1]
    assert row["name"] == "'=HYPERLINK(1)"
    assert row["note"] == "'@cmd"
    page = browser.get(f"/sessions/{session.id}").get_data(as_text=True)
    assert "=HYPERLINK(1)" in page


def test_a_name_with_markup_stays_text_on_the_pages(browser, room):
    name = "</script><script>alert(1)</script>"
    student = room.school.registry.add_student("S9", name)
    room.school.sessions.add_to_roster(room.course.id, [student.id])
    session = room.open()
    for path in (f"/sessions/{session.id}", f"/sessions/{session.id}/close", "/courses/BIO-101"):
        assert "<script>alert" not in browser.get(path).get_data(as_text=True)
