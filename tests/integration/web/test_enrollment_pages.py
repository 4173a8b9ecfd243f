"""Enrolment by upload: consent first, five good photos or nothing, and words for each."""

import io

import cv2
import pytest
from skimage.data import astronaut

from attendance.bootstrap import School
from attendance.config import Config
from attendance.core.domain import Pose
from enroll.enrollment import Enroller
from web.security import InMemoryRequest

PAGE = "/students/S1/enroll"
API = "/api/students/S1/enrollment"


@pytest.fixture(scope="module")
def face():
    _, jpeg = cv2.imencode(".jpg", astronaut()[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    return jpeg.tobytes()


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The real models, loaded once for all tests of this file."""
    school = School(tmp_path_factory.mktemp("models"), Config())
    yield school.detector(), school.embedders()
    school.close()


@pytest.fixture
def app(app, school, models):
    """An application whose models are loaded already."""
    limits = school.config.enrollment
    app.extensions["enroller"] = Enroller(*models, school.registry, limits)
    return app


def upload(face, **changed):
    photos = {pose.value: face for pose in Pose} | changed
    return {
        name: (io.BytesIO(data), f"{name}.jpg") for name, data in photos.items() if data is not None
    }


def stored(room):
    student = room.students[0].id
    registry = room.school.registry
    return registry.live_consent(student), registry.enrolled([student], room.school.model_id)


def test_five_good_photos_enrol(browser, room, face):
    answer = browser.post(API, upload(face) | {"consent": "yes"})
    assert answer.json["ok"], answer.json
    assert answer.json["templates"] == 10
    consent, enrolled = stored(room)
    assert consent.language == "en"
    assert enrolled == {room.students[0].id}
    assert "Enrolled" in browser.get(PAGE).get_data(as_text=True)
    browser.post("/students/S1/withdraw")
    assert stored(room) == (None, set())


def test_each_bad_photo_is_explained_and_nothing_is_stored(browser, room, face):
    photos = upload(face, smile=b"not a photo at all", glasses=b"")
    answer = browser.post(API, photos | {"consent": "yes"})
    reports = {report["pose"]: report for report in answer.json["reports"]}
    assert not answer.json["ok"]
    assert "two" in answer.json["message"] or "2" in answer.json["message"]
    assert reports["front"]["ok"]
    assert reports["smile"]["problem"] == "not_an_image"
    assert reports["glasses"]["problem"] == "empty"
    assert all(report["message"] for report in answer.json["reports"])
    assert stored(room) == (None, set())


def test_a_plain_form_without_scripts_says_the_same(browser, room, face):
    data = upload(face, smile=b"not a photo at all") | {"consent": "yes"}
    answer = browser.post(PAGE, data)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Nothing was stored" in page
    assert 'data-state="bad"' in page


def test_too_few_photos_are_counted(browser, room, face):
    data = upload(face, smile=None, glasses=None) | {"consent": "yes"}
    answer = browser.post(API, data)
    assert answer.status_code == 400
    assert "2 still missing" in answer.json["message"]
    assert stored(room) == (None, set())


@pytest.mark.parametrize("path", [API, "/api/students/S1/photos/front/check"])
def test_without_consent_no_photo_is_looked_at(app, browser, room, face, path):
    del app.extensions["enroller"]
    photo = {"photo": (io.BytesIO(face), "me.jpg")}
    answer = browser.post(path, upload(face) | photo)
    assert answer.status_code == 409
    assert "consent" in answer.json["message"]
    assert "enroller" not in app.extensions, "the models were not even loaded"


def test_one_photo_is_checked_as_it_is_chosen(browser, room, face):
    check = "/api/students/S1/photos/front/check"
    good = {"photo": (io.BytesIO(face), "me.jpg"), "consent": "yes"}
    assert browser.post(check, good).json["ok"]
    assert "choose a file" in browser.post(check, {"consent": "yes"}).json["message"]
    other = {"photo": (io.BytesIO(face), "me.jpg"), "consent": "yes"}
    answer = browser.post("/api/students/S1/photos/handstand/check", other)
    assert "handstand" in answer.json["message"]


def test_more_than_the_page_takes_is_refused_in_words(app, browser, room):
    app.config["MAX_CONTENT_LENGTH"] = 1000
    photo = {"photo": (io.BytesIO(b"x" * 2000), "big.jpg"), "consent": "yes"}
    answer = browser.post("/api/students/S1/photos/front/check", photo)
    assert answer.status_code == 413
    assert "25 MB" in answer.json["message"]


def test_an_upload_never_touches_the_disk():
    """Werkzeug spools big uploads to a temporary file; a face must not lie there in clear."""
    stream = InMemoryRequest({})._get_file_stream(50_000_000, "image/jpeg", "me.jpg", 0)
    assert isinstance(stream, io.BytesIO)
