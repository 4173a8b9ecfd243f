"""Every screen says what is, what is missing, and what went wrong, in sentences."""

import numpy as np
import pytest

from attendance.core.cohort import Cohort
from attendance.core.domain import Decision
from tests.fakes import NINE

SCREENS = ["/", "/courses", "/courses/BIO-101", "/students/S1/enroll"]


@pytest.mark.parametrize("path", SCREENS)
def test_screens_answer(browser, room, path):
    assert browser.get(path).status_code == 200


def test_an_empty_school_says_what_to_do_next(browser):
    assert "No course yet" in browser.get("/").get_data(as_text=True)
    assert "No course yet" in browser.get("/courses").get_data(as_text=True)


def test_the_start_page_says_what_the_program_cannot(browser, room):
    page = browser.get("/").get_data(as_text=True)
    assert "does not yet tell a live face from a photo or a phone" in page
    assert "not for unattended use" in page


def test_a_class_starts_from_the_start_page(browser, room):
    form = {"course": "BIO-101", "camera": "new", "kind": "webcam", "source_webcam": "1"}
    answer = browser.post("/sessions", form | {"camera_name": "Lab"})
    (session,) = room.school.sessions.running()
    assert answer.status_code == 303
    assert answer.location == f"/sessions/{session.id}"
    assert (session.camera.name, session.camera.source) == ("Lab", "1")
    page = browser.get(answer.location).get_data(as_text=True)
    assert "김민수" in page


BAD_STARTS = [
    ({"kind": "webcam", "source_webcam": "front"}, 400, "number"),
    ({"kind": "webcam", "source_webcam": ""}, 400, "Say which webcam"),
    ({"kind": "network", "source_network": "camera.local"}, 400, "rtsp://"),
    ({"kind": "file", "source_file": "  "}, 400, "Say which video file"),
    ({"kind": "smell"}, 400, "kind"),
    ({"camera": "77"}, 400, "no camera"),
    ({"course": ""}, 400, "Choose a course"),
    ({"course": "NONE"}, 400, "NONE"),
]


@pytest.mark.parametrize(("form", "status", "words"), BAD_STARTS)
def test_a_start_that_cannot_be_says_why_and_keeps_what_was_typed(
    browser, room, form, status, words
):
    answer = browser.post("/sessions", {"course": "BIO-101", "camera": "new"} | form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert words in page
    assert "Traceback" not in page
    assert room.school.sessions.running() == []
    typed = form.get("source_network", "")
    assert typed in page


def test_a_course_without_students_cannot_start(browser, room):
    room.school.sessions.add_course("ART-7", "Drawing")
    form = {"course": "ART-7", "camera": str(room.camera.id)}
    answer = browser.post("/sessions", form)
    assert answer.status_code == 400
    assert "nobody is on the roster of ART-7" in answer.get_data(as_text=True)


def test_a_busy_camera_says_who_has_it(browser, room):
    session = room.open()
    answer = browser.post("/sessions", {"course": "BIO-101", "camera": str(room.camera.id)})
    assert answer.status_code == 409
    assert f"in use by session {session.id}" in answer.get_data(as_text=True)


def test_the_start_page_says_which_camera_is_known_before_it_is_chosen(browser, room):
    known, _ = room.school.sessions.camera("8", "Hall"), room.school.sessions.camera("9", "Attic")
    seen = Cohort.empty(room.school.model_id, 8).with_session(np.eye(8, dtype=np.float32)[:6])
    room.school.calibrations.keep_cohort(known.id, seen, at=NINE)
    page = browser.get("/").get_data(as_text=True)
    hall, attic = (page[page.index(f"<strong>{name}") :] for name in ("Hall", "Attic"))
    assert "· known from 6 people" in hall[: hall.index("</label>")]
    assert "· not known yet: you are asked more often" in attic[: attic.index("</label>")]


def test_a_cameras_password_is_on_no_page(browser, room):
    form = {"course": "BIO-101", "camera": "new", "kind": "network"}
    form["source_network"] = "rtsp://me:hunter2@cam.example/main"
    page = browser.post("/sessions", form, follow_redirects=True).get_data(as_text=True)
    assert "cam.example" in page
    for path in ("/", "/api/sessions"):
        page += browser.get(path).get_data(as_text=True)
    assert "hunter2" not in page


def test_courses_and_students_are_added(browser, room):
    form = {"code": "ART-7", "name": "그림", "timezone": "Asia/Seoul"}
    assert browser.post("/courses", form).location == "/courses/ART-7"
    browser.post("/courses/ART-7/students", {"number": "N-9", "name": "이서연"})
    browser.post("/courses/ART-7/students", {"number": "S2", "name": ""})
    page = browser.get("/courses/ART-7").get_data(as_text=True)
    assert "이서연" in page
    assert "Ada Lovelace" in page
    browser.post("/courses/ART-7/students/S2/remove")
    assert (
        "Ada Lovelace"
        not in browser.get("/courses/ART-7")
        .get_data(as_text=True)
        .split("</header>")[1]
        .split('class="beside"')[1]
    )


BAD_PEOPLE = [
    ("/courses", {"code": "BIO-101", "name": "Again", "timezone": "UTC"}, "BIO-101"),
    ("/courses", {"code": "X", "name": "Y", "timezone": "Mars/North"}, "Mars/North"),
    ("/courses/BIO-101/students", {"number": "S1", "name": "Somebody Else"}, "S1"),
    ("/courses/BIO-101/students", {"number": "S 1!", "name": "Who"}, "S 1!"),
    ("/courses/BIO-101/students", {"number": "S9", "name": ""}, "name"),
]


@pytest.mark.parametrize(("path", "form", "words"), BAD_PEOPLE)
def test_people_that_cannot_be_added_are_explained(browser, room, path, form, words):
    answer = browser.post(path, form)
    assert answer.status_code in {400, 409}
    page = answer.get_data(as_text=True)
    assert 'role="alert"' in page
    assert words in page


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/sessions/99",
        "/sessions/99/close",
        "/sessions/99/register.csv",
        "/courses/NONE",
        "/students/NOBODY/enroll",
    ],
)
def test_what_is_not_there_is_a_sentence(browser, room, path):
    answer = browser.get(path)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 404
    assert "To the start page" in page
    assert browser.get(f"/api{path}").json["message"]


def test_a_bug_is_a_sentence_and_a_log_entry(app, browser, caplog):
    @app.get("/bug")
    def bug():
        raise ZeroDivisionError("secret inner workings")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = browser.get("/bug")
    assert answer.status_code == 500
    assert "secret inner workings" not in answer.get_data(as_text=True)
    assert "secret inner workings" in caplog.text


def test_a_closed_class_leads_to_its_register_and_an_open_one_to_the_live_page(browser, room):
    session = room.open()
    live, register = f"/sessions/{session.id}", f"/sessions/{session.id}/register"
    assert browser.get(register).location == live
    browser.post(f"{live}/close")
    assert browser.get(live).location == register
    assert browser.get(f"{live}/close").location == register


def test_pausing_and_resuming_show(browser, room):
    session = room.open()
    browser.post(f"/sessions/{session.id}/pause")
    assert "Paused" in browser.get("/").get_data(as_text=True)
    assert browser.post(f"/sessions/{session.id}/pause").status_code == 409
    browser.post(f"/sessions/{session.id}/resume")
    assert "Running" in browser.get("/").get_data(as_text=True)


def test_the_close_page_reads_like_a_register_before_signing(browser, room):
    session = room.open(minutes_ago=50)
    room.see(session, room.students[0])
    room.see(session, room.students[1], Decision.REVIEW, 0.45)
    room.school.sessions.add_coverage(session.id, 2950.0)
    page = browser.get(f"/sessions/{session.id}/close").get_data(as_text=True)
    doubtful, absent = page.index("Look at these first"), page.index("Will be absent")
    assert doubtful < page.index("Ada Lovelace") < absent < page.index("Grace Hopper")
    assert "49 min of 50 min" in page
    assert "98 %" in page
